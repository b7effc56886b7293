// atomic_c11.h - word operations on C11 atomics: every machine whose compiler makes 32-bit ones lock-free.
//
// Orders: a claim (fetch_and of a leaf, add_if of the state) acquires, a release (fetch_or of a leaf) releases, so what
// one holder wrote into a block, and the block's word, is seen by the next. All read-modify-writes use
// acquire-release: on the machines we serve it costs at most one barrier more than the weakest that would do.
//
// Kinds of change (see mempool_port.h): all read-modify-writes of a word are of one kind here, as the machine makes them of one
// primitive: a locked instruction, LDREX/STREX, whose reservation ends at every exception, or an atomic of the memory system.
// MEMPOOL_SINGLE_CORE (one hart, interrupts only): the order of the program is what an interrupt sees, so that
// it is enough to hold the compiler.

#ifndef MEMPOOL_ATOMIC_C11_H
#define MEMPOOL_ATOMIC_C11_H

#include <stdatomic.h>

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "32-bit atomics must be lock-free; else build with MEMPOOL_PORT_MASKED=1");

typedef _Atomic uint32_t mempool_word_t;

#if MEMPOOL_SINGLE_CORE
#define MEMPOOL_ORDER_LOAD memory_order_relaxed
#define MEMPOOL_ORDER_STORE memory_order_relaxed
#define MEMPOOL_ORDER_RMW memory_order_relaxed
#define MEMPOOL_COMPILER_FENCE() atomic_signal_fence(memory_order_acq_rel)
#else
#define MEMPOOL_ORDER_LOAD memory_order_acquire
#define MEMPOOL_ORDER_STORE memory_order_release
#define MEMPOOL_ORDER_RMW memory_order_acq_rel
#define MEMPOOL_COMPILER_FENCE() ((void)0)
#endif

#define MEMPOOL_ENTER() ((void)0)
#define MEMPOOL_LEAVE() ((void)0)

static inline uint32_t mempool_load(const mempool_word_t *w) {
    uint32_t v = atomic_load_explicit(w, MEMPOOL_ORDER_LOAD);
    MEMPOOL_COMPILER_FENCE();
    return v;
}

// For hints and counters that nothing else hangs on.
static inline uint32_t mempool_peek(const mempool_word_t *w) {
    return atomic_load_explicit(w, memory_order_relaxed);
}

static inline void mempool_poke(mempool_word_t *w, uint32_t v) {
    atomic_store_explicit(w, v, memory_order_relaxed);
}

static inline void mempool_store(mempool_word_t *w, uint32_t v) {
    MEMPOOL_COMPILER_FENCE();
    atomic_store_explicit(w, v, MEMPOOL_ORDER_STORE);
}

static inline uint32_t mempool_fetch_and(mempool_word_t *w, uint32_t v) {
    MEMPOOL_COMPILER_FENCE();
    v = atomic_fetch_and_explicit(w, v, MEMPOOL_ORDER_RMW);
    MEMPOOL_COMPILER_FENCE();
    return v;
}

static inline uint32_t mempool_fetch_or(mempool_word_t *w, uint32_t v) {
    MEMPOOL_COMPILER_FENCE();
    v = atomic_fetch_or_explicit(w, v, MEMPOOL_ORDER_RMW);
    MEMPOOL_COMPILER_FENCE();
    return v;
}

static inline uint32_t mempool_fetch_add(mempool_word_t *w, uint32_t v) {
    MEMPOOL_COMPILER_FENCE();
    v = atomic_fetch_add_explicit(w, v, MEMPOOL_ORDER_RMW);
    MEMPOOL_COMPILER_FENCE();
    return v;
}

static inline uint32_t mempool_add(mempool_word_t *w, uint32_t v, int *zero) {
    *zero = 0;
    return mempool_fetch_add(w, v) + v;
}

static inline bool mempool_cas(mempool_word_t *w, uint32_t expected, uint32_t desired) {
    MEMPOOL_COMPILER_FENCE();
    bool done = atomic_compare_exchange_strong_explicit(w, &expected, desired, MEMPOOL_ORDER_RMW,
        memory_order_relaxed);
    MEMPOOL_COMPILER_FENCE();
    return done;
}

static inline bool mempool_add_if(mempool_word_t *w, int32_t least, uint32_t delta, uint32_t *now) {
    uint32_t old = atomic_load_explicit(w, memory_order_relaxed);
    MEMPOOL_COMPILER_FENCE();
    do {
        if ((int32_t)old < least) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(w, &old, old + delta, MEMPOOL_ORDER_RMW,
        memory_order_relaxed));
    MEMPOOL_COMPILER_FENCE();
    *now = old + delta;
    return true;
}

static inline bool mempool_sub_if(mempool_word_t *w, uint32_t amount, uint32_t *now) {
    return mempool_add_if(w, (int32_t)amount, 0u - amount, now);
}

static inline bool mempool_swap_if(mempool_word_t *w, uint32_t shift, uint32_t top, uint32_t bar,
    uint32_t next, uint32_t *was) {
    uint32_t old = atomic_load_explicit(w, memory_order_relaxed);
    MEMPOOL_COMPILER_FENCE();
    do {
        if (old >> shift != top || (shift == 15 && old == bar)) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(w, &old, next, MEMPOOL_ORDER_RMW, memory_order_relaxed));
    MEMPOOL_COMPILER_FENCE();
    *was = old;
    return true;
}

static inline void mempool_at_least(mempool_word_t *w, uint32_t v) {
    uint32_t old = atomic_load_explicit(w, memory_order_relaxed);
    while ((int32_t)old < (int32_t)v && !atomic_compare_exchange_weak_explicit(w, &old, v, memory_order_relaxed, memory_order_relaxed)) {
    }
}

static inline void mempool_at_most(mempool_word_t *w, uint32_t v) {
    uint32_t old = atomic_load_explicit(w, memory_order_relaxed);
    while ((int32_t)old > (int32_t)v && !atomic_compare_exchange_weak_explicit(w, &old, v, memory_order_relaxed, memory_order_relaxed)) {
    }
}

#endif // MEMPOOL_ATOMIC_C11_H
