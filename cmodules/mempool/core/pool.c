// pool.c - the quick calls, mempool_take and mempool_give: the path that everything else is measured by, and where it ends
// when something rare happens.

#include "path.h"

// Claims the block that a ticket stands for where the hints lead nowhere: other takers were quicker. Some bit is set
// at every instant, so a round that misses means that another taker got on. -> offset of the block's word.
static MEMPOOL_HOT __attribute__((noinline)) uint32_t claim_slowly(mempool_pool_t *pool) {
    for (uint32_t leaf = 0;; leaf = (leaf + 1u) * 32u < mempool_count(pool) ? leaf + 1u : 0u) {
        mempool_word_t *word = mempool_leaf(pool, leaf);
        uint32_t bits = mempool_load(word);
        uint32_t bit = bits & (0u - bits);
        bool claimed = bit != 0 && (mempool_fetch_and(word, ~bit) & bit) != 0;
#if MEMPOOL_SUMMARY
        tell_summary(pool, word, 1u << leaf);
#endif
        if (claimed) {
            return leaf * (128u * MEMPOOL_STRIDE) + mempool_bit_offset(bit);
        }
    }
}

// The rest of a take whose claim met others.
MEMPOOL_HOT __attribute__((noinline)) mempool_handle_t mempool_fill_in_slowly(mempool_word_t *middle, uint32_t fields,
    uint32_t state) {
    mempool_pool_t *pool = MEMPOOL_OF_MIDDLE(middle);
    return fill_in(pool, claim_slowly(pool), fields, state);
}

#if MEMPOOL_DIAGNOSTICS

// Counts what could not be served.
MEMPOOL_HOT __attribute__((noinline)) mempool_handle_t mempool_exhausted(mempool_word_t *middle, uint32_t fields) {
    (void)fields;
    MEMPOOL_COUNT(MEMPOOL_OF_MIDDLE(middle)->failures);
    mempool_trace_record(MEMPOOL_TRACE_FAIL, MEMPOOL_E_EXHAUSTED, MEMPOOL_SIZE_MINUS_1_OF(fields) + 1u,
        MEMPOOL_OWNER_OF(fields));
    return MEMPOOL_E_EXHAUSTED;
}

#endif

#if MEMPOOL_OWNERS > 0

// Says why a quota did not allow it: an owner that is not live has none, and what has no owner has no limit once there are blocks.
MEMPOOL_HOT __attribute__((noinline)) mempool_handle_t mempool_denied(mempool_word_t *middle, uint32_t fields) {
    uint32_t owner = MEMPOOL_OWNER_OF(fields);
    if (owner == MEMPOOL_NO_OWNER) {
        return MEMPOOL_E_EXHAUSTED; // before mempool_init
    }
    if (!mempool_owner_is_live((mempool_owner_t)owner)) {
        return MEMPOOL_E_RANGE;
    }
    (void)middle;
    mempool_fetch_add(&mempool_owners[owner].denied, 1u);
    MEMPOOL_COUNT(MEMPOOL_OF_MIDDLE(middle)->denied);
    mempool_trace_record(MEMPOOL_TRACE_FAIL, MEMPOOL_E_QUOTA, MEMPOOL_SIZE_MINUS_1_OF(fields) + 1u, owner);
    return MEMPOOL_E_QUOTA;
}

#endif

MEMPOOL_HOT mempool_handle_t mempool_take(uint32_t size, mempool_owner_t owner) {
    uint32_t size_minus_1 = size - 1u;
    MEMPOOL_OPAQUE(size_minus_1);
    if (size_minus_1 >= MEMPOOL_MAX_BLOCK) {
        return MEMPOOL_E_SIZE;
    }
    uint32_t slot = size_minus_1 / MEMPOOL_MIN_BLOCK;
    MEMPOOL_ENTER();
    mempool_handle_t handle = take_from(mempool_tables.by_size[slot].middle, mempool_tables.by_size[slot].block_size,
        size_minus_1, owner, 0u, MEMPOOL_FLOOR, true);
    MEMPOOL_LEAVE();
    return handle;
}

MEMPOOL_HOT int mempool_give(mempool_handle_t handle) {
    mempool_word_t *middle;
    MEMPOOL_PORT_FETCH(middle, mempool_by_code, (uint32_t)handle >> 10 & 7u);
    uint32_t index = mempool_handle_index(handle);
    if (index >= mempool_count(MEMPOOL_OF_MIDDLE(middle))) {
        return mempool_handle_is_heap(handle) ? mempool_heap_give(handle, 0u) : mempool_refuse(handle, MEMPOOL_E_FOREIGN);
    }
    // Now, and in this order, so that the handle need not be kept.
    uint32_t bit = 1u << ((uint32_t)handle & 31u);
    MEMPOOL_OPAQUE(bit);
    uint32_t top = MEMPOOL_TOP_OF(handle);
    MEMPOOL_OPAQUE(top);
    uint32_t tag = (uint32_t)handle << 2;
    MEMPOOL_OPAQUE(tag);
    int32_t complement = ~(int32_t)index;
    MEMPOOL_OPAQUE(complement);
    uint32_t word;
    int status;
    MEMPOOL_ENTER();
    // The whole upper part of the handle is compared, so that a negative number or one beyond 30 bits matches nothing.
    if (!mempool_swap_if(word_at(middle, complement), MEMPOOL_TOP_SHIFT, top, tag, tag + MEMPOOL_GENERATION_STEP, &word)) {
        MEMPOOL_LEAVE();
#if MEMPOOL_DIAGNOSTICS
        return mempool_refuse_stale(MEMPOOL_HANDLE_OF(top, tag), middle);
#else
        return MEMPOOL_TOP_IS_FOREIGN(top) ? MEMPOOL_E_FOREIGN : MEMPOOL_E_STALE;
#endif
    }
    uint32_t fields = word ^ (MEMPOOL_NARROW ? MEMPOOL_HELD(handle) : tag);
    mempool_trace_record(MEMPOOL_TRACE_GIVE, handle, MEMPOOL_SIZE_MINUS_1_OF(fields) + 1u, MEMPOOL_OWNER_OF(fields));
    (void)put_back(middle, handle, complement, bit, fields, &status);
    MEMPOOL_LEAVE();
    return status;
}
