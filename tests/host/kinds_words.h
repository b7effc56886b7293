// kinds_words.h - the port's word operations, each of which notes in which way it changes which word. Put in front of every source
// of the core (gcc -include), in place of port/atomic_c11.h. For one thread: nothing here is atomic.

#ifndef KINDS_WORDS_H
#define KINDS_WORDS_H

#define MEMPOOL_ATOMIC_C11_H // it is left out

#ifndef _GNU_SOURCE
#define _GNU_SOURCE // as the port's header would, which now comes second
#endif

#include <stdbool.h>
#include <stdint.h>

typedef volatile uint32_t mempool_word_t;

#define MEMPOOL_ENTER() ((void)0)
#define MEMPOOL_LEAVE() ((void)0)

enum { KIND_COUNTED = 1,
    KIND_COMPARED = 2,
    KIND_STORED = 4 };

#ifndef KIND_OF_ADD
#define KIND_OF_ADD KIND_COMPARED
#endif

void kinds_note(const volatile void *word, unsigned kind);

static inline uint32_t mempool_load(const mempool_word_t *w) {
    return *w;
}

static inline uint32_t mempool_peek(const mempool_word_t *w) {
    return *w;
}

static inline void mempool_store(mempool_word_t *w, uint32_t v) {
    kinds_note(w, KIND_STORED);
    *w = v;
}

static inline void mempool_poke(mempool_word_t *w, uint32_t v) {
    mempool_store(w, v);
}

// -> the old value
static inline uint32_t kinds_change(mempool_word_t *w, unsigned kind, uint32_t v) {
    kinds_note(w, kind);
    uint32_t old = *w;
    *w = v;
    return old;
}

static inline uint32_t mempool_fetch_and(mempool_word_t *w, uint32_t v) {
    return kinds_change(w, KIND_COUNTED, *w & v);
}

static inline uint32_t mempool_fetch_or(mempool_word_t *w, uint32_t v) {
    return kinds_change(w, KIND_COUNTED, *w | v);
}

static inline uint32_t mempool_fetch_add(mempool_word_t *w, uint32_t v) {
    return kinds_change(w, KIND_COUNTED, *w + v);
}

static inline void mempool_at_least(mempool_word_t *w, uint32_t v) {
    kinds_change(w, KIND_COUNTED, (int32_t)*w < (int32_t)v ? v : *w);
}

static inline void mempool_at_most(mempool_word_t *w, uint32_t v) {
    kinds_change(w, KIND_COUNTED, (int32_t)*w > (int32_t)v ? v : *w);
}

static inline uint32_t mempool_add(mempool_word_t *w, uint32_t v, int *zero) {
    *zero = 0;
    return kinds_change(w, KIND_OF_ADD, *w + v) + v;
}

static inline bool mempool_cas(mempool_word_t *w, uint32_t expected, uint32_t desired) {
    bool same = *w == expected;
    kinds_change(w, KIND_COMPARED, same ? desired : *w);
    return same;
}

static inline bool mempool_add_if(mempool_word_t *w, int32_t least, uint32_t delta, uint32_t *now) {
    bool enough = (int32_t)*w >= least;
    kinds_change(w, KIND_COMPARED, enough ? *w + delta : *w);
    *now = *w;
    return enough;
}

static inline bool mempool_sub_if(mempool_word_t *w, uint32_t amount, uint32_t *now) {
    return mempool_add_if(w, (int32_t)amount, 0u - amount, now);
}

static inline bool mempool_swap_if(mempool_word_t *w, uint32_t shift, uint32_t top, uint32_t bar, uint32_t next, uint32_t *was) {
    bool same = *w >> shift == top && (shift == 14 || *w != bar);
    uint32_t old = kinds_change(w, KIND_COMPARED, same ? next : *w);
    if (same) {
        *was = old;
    }
    return same;
}

#endif // KINDS_WORDS_H
