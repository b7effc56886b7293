// atomic_cas.h - word operations on one primitive, IDF's esp_cpu_compare_and_set(address, expected, new): a full
// barrier that IDF inlines. C11's own would become calls on a build with PSRAM, and be emulated where the chip has
// no compare-and-set.

#ifndef MEMPOOL_ATOMIC_CAS_H
#define MEMPOOL_ATOMIC_CAS_H

typedef volatile uint32_t mempool_word_t;

#define MEMPOOL_ENTER() ((void)0)
#define MEMPOOL_LEAVE() ((void)0)

static inline bool mempool_cas(mempool_word_t *w, uint32_t expected, uint32_t desired) {
    return esp_cpu_compare_and_set(w, expected, desired);
}

static inline uint32_t mempool_load(const mempool_word_t *w) {
    uint32_t v = *w;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return v;
}

static inline uint32_t mempool_peek(const mempool_word_t *w) {
    return *w;
}

static inline void mempool_poke(mempool_word_t *w, uint32_t v) {
    *w = v;
}

static inline void mempool_store(mempool_word_t *w, uint32_t v) {
    __atomic_thread_fence(__ATOMIC_RELEASE);
    *w = v;
}

// x becomes `expression` of old, atomically; the function returns old.
#define MEMPOOL_UPDATE(name, expression)                          \
    static inline uint32_t name(mempool_word_t *w, uint32_t v) {  \
        uint32_t old;                                             \
        do {                                                      \
            old = *w;                                             \
        } while (!esp_cpu_compare_and_set(w, old, (expression))); \
        return old;                                               \
    }
MEMPOOL_UPDATE(mempool_fetch_and, old &v)
MEMPOOL_UPDATE(mempool_fetch_or, old | v)
MEMPOOL_UPDATE(mempool_fetch_add, old + v)
#undef MEMPOOL_UPDATE

static inline bool mempool_add_if(mempool_word_t *w, int32_t least, uint32_t delta, uint32_t *now) {
    uint32_t old;
    do {
        old = *w;
        if ((int32_t)old < least) {
            return false;
        }
    } while (!esp_cpu_compare_and_set(w, old, old + delta));
    *now = old + delta;
    return true;
}

static inline bool mempool_sub_if(mempool_word_t *w, uint32_t amount, uint32_t *now) {
    return mempool_add_if(w, (int32_t)amount, 0u - amount, now);
}

static inline bool mempool_swap_if(mempool_word_t *w, uint32_t shift, uint32_t top, uint32_t bar,
    uint32_t next, uint32_t *was, int *zero) {
    uint32_t old;
    do {
        old = *w;
        if (old >> shift != top || (shift != 14 && old == bar)) {
            return false;
        }
    } while (!esp_cpu_compare_and_set(w, old, next));
    *was = old;
    *zero = 0;
    return true;
}

static inline void mempool_at_least(mempool_word_t *w, uint32_t v) {
    uint32_t old;
    do {
        old = *w;
    } while ((int32_t)old < (int32_t)v && !esp_cpu_compare_and_set(w, old, v));
}

static inline void mempool_at_most(mempool_word_t *w, uint32_t v) {
    uint32_t old;
    do {
        old = *w;
    } while ((int32_t)old > (int32_t)v && !esp_cpu_compare_and_set(w, old, v));
}

#endif // MEMPOOL_ATOMIC_CAS_H
