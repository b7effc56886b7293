// words.c - the core's words: whose order leaves no trace in a scene, and their names for a trace.

#include <stdio.h>

#include "ops.h"

// Counters are only added to, marks of the most only raised: where nobody reads them meanwhile, their order leaves no trace. (They
// bring views from thread to thread as well. Without that, less is known, and more can go wrong: nothing is missed.)
bool unit_is_blind(const volatile void *address) {
    const volatile mempool_word_t *word = address;
    for (unsigned p = 0; p < MEMPOOL_POOLS; p++) {
        const mempool_pool_t *pool = mempool_pool(p);
        if (word >= &pool->word[0] && word < &pool->word[(counts[p] + MEMPOOL_GROW) * MEMPOOL_STRIDE]) {
            return !sees_stamps && (word - &pool->word[0]) % MEMPOOL_STRIDE != 0;
        }
#if MEMPOOL_DIAGNOSTICS
        if (word == &pool->allocs) {
            return !sees_counts && MEMPOOL_MOST_LEAVES == 1; // else it turns the search
        }
        if (word == &pool->deepest || word == &pool->failures || word == &pool->spills || word == &pool->reclaimed || word == &pool->refused || word == &pool->denied) {
            return !sees_counts;
        }
#endif
    }
#if MEMPOOL_OWNERS > 0
    const volatile mempool_owner_entry_t *none = &mempool_owners[0];
    if (word == &none->balance || word == &none->lowest) {
        return !sees_owners && before.ready;
    }
#endif
#if MEMPOOL_DIAGNOSTICS
    if (word == &mempool_refused_foreign) {
        return !sees_counts;
    }
#endif
    return false;
}

bool unit_name(const volatile void *address, char *text, size_t size) {
    const volatile mempool_word_t *word = address;
    for (unsigned p = 0; p < MEMPOOL_POOLS; p++) {
        mempool_pool_t *pool = mempool_pool(p);
        const char *of = mempool_geometry[p].name;
        long n = (long)(word - &pool->word[0]);
        if (word >= &pool->leaf[0] && word < &pool->leaf[MEMPOOL_LEAF_WORDS]) {
            snprintf(text, size, "%s leaf %ld", of, (long)(&pool->leaf[MEMPOOL_LEAF_WORDS] - word) - 1);
        } else if (word == &pool->state || word == &pool->next_bits) {
            snprintf(text, size, "%s %s", of, word == &pool->state ? "state" : "next_bits");
        } else if (word == &pool->up || word == &pool->down) {
            snprintf(text, size, "%s %s", of, word == &pool->up ? "up" : "down");
        } else if (n >= 0 && n < (long)((counts[p] + MEMPOOL_GROW) * MEMPOOL_STRIDE)) {
            snprintf(text, size, "%s %s %ld", of, n % (long)MEMPOOL_STRIDE ? "stamp" : "word", n / (long)MEMPOOL_STRIDE);
        } else {
            continue;
        }
        return true;
    }
    return false;
}
