// poison.c - POISON_FREED: a block is filled when it is given back, and looked at when it is taken again. What was
// written to it meanwhile is a stale pointer somewhere: counted, traced, and reported by mempool_check.

#include "mempool_core.h"

#include <string.h>

#define POISON 0xA5u

#if MEMPOOL_POISON

static mempool_word_t hits MEMPOOL_FAST;

MEMPOOL_HOT uint32_t mempool_poison_hits(void) {
    return mempool_load(&hits);
}

static MEMPOOL_HOT bool is_poisoned(unsigned pool, uint32_t index) {
    const uint8_t *data = mempool_payload_of(pool, index);
    if (data == NULL) {
        return true; // of an extent that has just gone
    }
    size_t size = (size_t)1 << mempool_geometry[pool].log2_size;
    size_t i = 0;
    while (i < size && data[i] == POISON) {
        ++i;
    }
    return i == size;
}

MEMPOOL_HOT void mempool_poison_fill(unsigned pool, uint32_t index) {
    memset(mempool_payload_of(pool, index), POISON, (size_t)1 << mempool_geometry[pool].log2_size);
}

MEMPOOL_HOT void mempool_poison_verify(unsigned pool, uint32_t index, mempool_handle_t handle) {
    if (!is_poisoned(pool, index)) {
        mempool_fetch_add(&hits, 1u);
        mempool_trace_record(MEMPOOL_TRACE_POISON, handle, 0u, MEMPOOL_NO_OWNER);
    }
    (void)handle;
}

// Damaged blocks among those that are free.
uint32_t mempool_poison_check(void) {
    uint32_t damaged = 0;
    for (unsigned p = 0; p < MEMPOOL_POOLS; ++p) {
        mempool_pool_t *pool = mempool_pool(p);
        for (uint32_t i = 0; i < mempool_count(pool); ++i) {
            mempool_word_t *leaf = mempool_leaf(pool, i / 32u);
            uint32_t bit = 1u << (i & 31u);
            MEMPOOL_ENTER();
            uint32_t word = mempool_load(mempool_word(pool, i));
            bool is_free = (mempool_load(leaf) & bit) != 0;
            bool bad = is_free && !is_poisoned(p, i);
            // Only if it was the same free block all the while.
            bad = bad && (mempool_load(leaf) & bit) != 0 && mempool_load(mempool_word(pool, i)) == word;
            MEMPOOL_LEAVE();
            damaged += bad ? 1u : 0u;
        }
    }
    return damaged;
}

#else

MEMPOOL_HOT uint32_t mempool_poison_hits(void) {
    return 0;
}

#endif
