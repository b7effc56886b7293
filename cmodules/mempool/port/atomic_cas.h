// atomic_cas.h - word operations on one primitive, IDF's compare-and-set. C11's own would become calls on a build with PSRAM.
//
// On Xtensa it is xt_utils_compare_and_set, which IDF inlines and esp_cpu_compare_and_set calls: that one first asks whether
// the word is in PSRAM, which ours never is. On RISC-V with more than one core it is esp_cpu_compare_and_set (the inlined one
// has labels that a file can hold once).
//
// Orders: before each set there is a fence, so that what the caller wrote is there first; the processor does not run ahead of
// the set. GCC's fence on Xtensa is a MEMW. So it puts one before each access to what is volatile, two in every load here and one
// in every peek: there these are plain instructions.
//
// Kinds of change (see mempool_port.h): every read-modify-write is the one compare-and-set, so there is but one kind. S32C1I has no
// reservation that a trap could leave behind: it compares and stores in one bus transaction.

#ifndef MEMPOOL_ATOMIC_CAS_H
#define MEMPOOL_ATOMIC_CAS_H

typedef volatile uint32_t mempool_word_t;

#define MEMPOOL_ENTER() ((void)0)
#define MEMPOOL_LEAVE() ((void)0)

#if defined(__XTENSA__)
#define MEMPOOL_CAS_PRIMITIVE xt_utils_compare_and_set
#else
#define MEMPOOL_CAS_PRIMITIVE esp_cpu_compare_and_set
#endif

MEMPOOL_PORT_INLINE uint32_t mempool_peek(const mempool_word_t *w) {
#if defined(__XTENSA__)
    uint32_t v;
    __asm__ volatile("l32i %0, %1"
                     : "=a"(v)
                     : "m"(*w));
    return v;
#else
    return *w;
#endif
}

MEMPOOL_PORT_INLINE void mempool_poke(mempool_word_t *w, uint32_t v) {
#if defined(__XTENSA__)
    __asm__ volatile("s32i %1, %0"
                     : "=m"(*w)
                     : "a"(v));
#else
    *w = v;
#endif
}

MEMPOOL_PORT_INLINE uint32_t mempool_load(const mempool_word_t *w) {
    uint32_t v = mempool_peek(w);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return v;
}

MEMPOOL_PORT_INLINE void mempool_store(mempool_word_t *w, uint32_t v) {
    __atomic_thread_fence(__ATOMIC_RELEASE);
    mempool_poke(w, v);
}

MEMPOOL_PORT_INLINE bool mempool_cas_primitive(mempool_word_t *w, uint32_t expected, uint32_t desired) {
    __atomic_signal_fence(__ATOMIC_ACQ_REL);
    bool done = MEMPOOL_CAS_PRIMITIVE(w, expected, desired);
    __atomic_signal_fence(__ATOMIC_ACQ_REL);
    return done;
}

MEMPOOL_PORT_INLINE bool mempool_cas(mempool_word_t *w, uint32_t expected, uint32_t desired) {
    __atomic_thread_fence(__ATOMIC_RELEASE);
    return mempool_cas_primitive(w, expected, desired);
}

// x becomes `expression` of old, atomically; the function returns old.
#define MEMPOOL_UPDATE(name, expression)                               \
    MEMPOOL_PORT_INLINE uint32_t name(mempool_word_t *w, uint32_t v) { \
        uint32_t old;                                                  \
        __atomic_thread_fence(__ATOMIC_RELEASE);                       \
        do {                                                           \
            old = mempool_peek(w);                                     \
        } while (!mempool_cas_primitive(w, old, (expression)));        \
        return old;                                                    \
    }
MEMPOOL_UPDATE(mempool_fetch_and, old &v)
MEMPOOL_UPDATE(mempool_fetch_or, old | v)
MEMPOOL_UPDATE(mempool_fetch_add, old + v)
#undef MEMPOOL_UPDATE

MEMPOOL_PORT_INLINE uint32_t mempool_add(mempool_word_t *w, uint32_t v, int *zero) {
    *zero = 0;
    return mempool_fetch_add(w, v) + v;
}

MEMPOOL_PORT_INLINE bool mempool_add_if(mempool_word_t *w, int32_t least, uint32_t delta, uint32_t *now) {
    uint32_t old;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    do {
        old = mempool_peek(w);
        if ((int32_t)old < least) {
            return false;
        }
    } while (!mempool_cas_primitive(w, old, old + delta));
    *now = old + delta;
    return true;
}

MEMPOOL_PORT_INLINE bool mempool_sub_if(mempool_word_t *w, uint32_t amount, uint32_t *now) {
    return mempool_add_if(w, (int32_t)amount, 0u - amount, now);
}

MEMPOOL_PORT_INLINE bool mempool_swap_if(mempool_word_t *w, uint32_t shift, uint32_t top, uint32_t bar,
    uint32_t next, uint32_t *was) {
    uint32_t old;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    do {
        old = mempool_peek(w);
        if (old >> shift != top || (shift == 15 && old == bar)) {
            return false;
        }
    } while (!mempool_cas_primitive(w, old, next));
    *was = old;
    return true;
}

MEMPOOL_PORT_INLINE void mempool_at_least(mempool_word_t *w, uint32_t v) {
    uint32_t old;
    do {
        old = mempool_peek(w);
    } while ((int32_t)old < (int32_t)v && !mempool_cas_primitive(w, old, v));
}

MEMPOOL_PORT_INLINE void mempool_at_most(mempool_word_t *w, uint32_t v) {
    uint32_t old;
    do {
        old = mempool_peek(w);
    } while ((int32_t)old > (int32_t)v && !mempool_cas_primitive(w, old, v));
}

#endif // MEMPOOL_ATOMIC_CAS_H
