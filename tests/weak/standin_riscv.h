// standin_riscv.h - atomic_riscv.h's word operations for a machine that is none: the same steps, with the same orders, in C.
//
// One hart, no .aq and .rl, no fences: everybody sees the program's order (options.newest), so the header only holds the compiler, by
// asm that may touch all memory. Here that is a signal fence, which orders plain data as well (options.hart). Each lr.w ... sc.w loop
// is one step: an interrupt between the two that changes the word makes the sc.w fail, and the loop begins again. (What makes it
// fail, and when it might not, is not for this checker: the header argues it.)

#ifndef STANDIN_RISCV_H
#define STANDIN_RISCV_H

typedef volatile uint32_t mempool_word_t;

#define MEMPOOL_PORT_IN_ORDER 1

#define MEMPOOL_ENTER() ((void)0)
#define MEMPOOL_LEAVE() ((void)0)

#define MEMPOOL_COMPILER_FENCE() __atomic_signal_fence(__ATOMIC_ACQ_REL)

MEMPOOL_PORT_INLINE uint32_t mempool_load(const mempool_word_t *w) {
    uint32_t v = *w;
    MEMPOOL_COMPILER_FENCE();
    return v;
}

MEMPOOL_PORT_INLINE uint32_t mempool_peek(const mempool_word_t *w) {
    return *w;
}

MEMPOOL_PORT_INLINE void mempool_poke(mempool_word_t *w, uint32_t v) {
    *w = v;
}

MEMPOOL_PORT_INLINE void mempool_store(mempool_word_t *w, uint32_t v) {
    MEMPOOL_COMPILER_FENCE();
    *w = v;
}

// old becomes the word's value, and the word `next`; where `test` does not hold of old, nothing is done.
#define STANDIN_UPDATE(test, next)                                                                      \
    uint32_t old = __atomic_load_n(w, __ATOMIC_RELAXED);                                                \
    MEMPOOL_COMPILER_FENCE();                                                                           \
    bool done = false;                                                                                  \
    while ((test) && !done) {                                                                           \
        done = __atomic_compare_exchange_n(w, &old, (next), false, __ATOMIC_RELAXED, __ATOMIC_RELAXED); \
    }                                                                                                   \
    MEMPOOL_COMPILER_FENCE()

#define STANDIN_AMO(name, builtin)                                     \
    MEMPOOL_PORT_INLINE uint32_t name(mempool_word_t *w, uint32_t v) { \
        MEMPOOL_COMPILER_FENCE();                                      \
        uint32_t old = builtin(w, v, __ATOMIC_RELAXED);                \
        MEMPOOL_COMPILER_FENCE();                                      \
        return old;                                                    \
    }
STANDIN_AMO(mempool_fetch_and, __atomic_fetch_and)
STANDIN_AMO(mempool_fetch_or, __atomic_fetch_or)
STANDIN_AMO(mempool_fetch_add, __atomic_fetch_add)
#undef STANDIN_AMO

MEMPOOL_PORT_INLINE void mempool_at_least(mempool_word_t *w, uint32_t v) {
    STANDIN_UPDATE((int32_t)old < (int32_t)v, v);
    (void)done;
}

MEMPOOL_PORT_INLINE void mempool_at_most(mempool_word_t *w, uint32_t v) {
    STANDIN_UPDATE((int32_t)old > (int32_t)v, v);
    (void)done;
}

MEMPOOL_PORT_INLINE uint32_t mempool_add(mempool_word_t *w, uint32_t v, int *zero) {
    *zero = 0;
    return mempool_fetch_add(w, v) + v;
}

MEMPOOL_PORT_INLINE bool mempool_cas(mempool_word_t *w, uint32_t expected, uint32_t desired) {
    STANDIN_UPDATE(old == expected, desired);
    return done;
}

MEMPOOL_PORT_INLINE bool mempool_add_if(mempool_word_t *w, int32_t least, uint32_t delta, uint32_t *now) {
    STANDIN_UPDATE((int32_t)old >= least, old + delta);
    *now = old + delta;
    return done;
}

MEMPOOL_PORT_INLINE bool mempool_sub_if(mempool_word_t *w, uint32_t amount, uint32_t *now) {
    return mempool_add_if(w, (int32_t)amount, 0u - amount, now);
}

MEMPOOL_PORT_INLINE bool mempool_swap_if(mempool_word_t *w, uint32_t shift, uint32_t top, uint32_t bar, uint32_t next,
    uint32_t *was) {
    STANDIN_UPDATE(old >> shift == top && (shift != 15 || old != bar), next);
    *was = old;
    return done;
}
#undef STANDIN_UPDATE

#endif // STANDIN_RISCV_H
