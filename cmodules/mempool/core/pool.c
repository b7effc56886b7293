// pool.c - take and give: the path that everything else is measured by. See mempool_core.h for the state it moves.
//
// Why nobody gets a block that another holds: the claim is one fetch_and of the block's own bit, and who sees the bit set
// in the old value has it, alone. Why a block is given back once: the word moves to the next generation by one
// compare-and-swap. Why a ticket holder finds a block: every set bit beyond the tickets handed out was there first.
// The summary may lag behind, so who finds nothing through it looks at the leaves themselves.

#include "mempool_core.h"

#if MEMPOOL_SUMMARY

// Makes the summary's bit of a leaf true. Cleared first and set again after another look: of whoever changes the leaf
// meanwhile, the last to look sees what the others did.
static MEMPOOL_HOT inline __attribute__((always_inline)) void tell_summary(mempool_pool_t *pool,
    const mempool_word_t *leaf, uint32_t leaf_bit) {
    mempool_fetch_and(&pool->summary, ~leaf_bit);
    if (mempool_load(leaf) != 0) {
        mempool_fetch_or(&pool->summary, leaf_bit);
    }
}

// A leaf that may have a free block, the first at or after `turn`; its bits, and the offset of its first block's word.
static MEMPOOL_HOT inline __attribute__((always_inline)) bool find_leaf(mempool_pool_t *pool, uint32_t turn,
    mempool_word_t **leaf, uint32_t *bits, uint32_t *offset) {
    uint32_t leaves = mempool_peek(&pool->summary);
    if (leaves == 0) {
        return false;
    }
    uint32_t fresh = leaves & UINT32_MAX << (turn & (MEMPOOL_MOST_LEAVES <= 8 ? 7u : 31u));
    if (fresh == 0) {
        fresh = leaves;
    }
    *offset = mempool_bit_offset(fresh & (0u - fresh)) * 32u;
    *leaf = mempool_leaf(pool, *offset / (128u * MEMPOOL_STRIDE));
    *bits = mempool_peek(*leaf);
    return true;
}

#else

// The first leaf with a free block, from the one end or the other; its bits, and the offset of its first block's word.
static MEMPOOL_HOT inline __attribute__((always_inline)) bool find_leaf(mempool_pool_t *pool, uint32_t turn,
    mempool_word_t **leaf, uint32_t *bits, uint32_t *offset) {
// What to answer is put together behind the test, not before each: MEMPOOL_STAY.
#define LOOK(n)                                                                            \
    if ((n) < MEMPOOL_MOST_LEAVES && (*bits = mempool_peek(mempool_leaf(pool, n))) != 0) { \
        *offset = (n) * (128u * MEMPOOL_STRIDE);                                           \
        MEMPOOL_STAY(*offset);                                                             \
        *leaf = mempool_leaf(pool, n);                                                     \
        return true;                                                                       \
    }
    if ((turn & 1u) != 0) {
        LOOK(3u)
        LOOK(2u) LOOK(1u) LOOK(0u)
    } else {
        LOOK(0u)
        LOOK(1u) LOOK(2u) LOOK(3u)
    }
#undef LOOK
    return false;
}

#endif

// Claims the block that a ticket stands for where the hints lead nowhere: other takers were quicker. Some bit is set
// at every instant, so a round that misses means that another taker got on. -> offset of the block's word.
static MEMPOOL_HOT __attribute__((noinline)) uint32_t claim_slowly(mempool_pool_t *pool) {
    for (uint32_t leaf = 0;; leaf = (leaf + 1u) * 32u < pool->count ? leaf + 1u : 0u) {
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

// Claims a block for the holder of a ticket, and tells the offset of its word. False: another was quicker.
static MEMPOOL_HOT inline __attribute__((always_inline)) bool claim(mempool_pool_t *pool, uint32_t turn,
    uint32_t *word_offset) {
    mempool_word_t *leaf;
    uint32_t bits;
    uint32_t offset;
    if (!find_leaf(pool, turn, &leaf, &bits, &offset)) {
        return false;
    }
    uint32_t fresh = bits & mempool_peek(&pool->next_bits);
    if (fresh == 0) {
        fresh = bits;
    }
    uint32_t bit = fresh & (0u - fresh);
    mempool_poke(&pool->next_bits, fresh ^ bit);
    bits = mempool_fetch_and(leaf, ~bit);
    if ((bits & bit) == 0) {
        return false;
    }
#if MEMPOOL_SUMMARY
    if (bits == bit) {
        tell_summary(pool, leaf, 1u << offset / (128u * MEMPOOL_STRIDE)); // it is empty now
    }
#endif
    *word_offset = offset + mempool_bit_offset(bit);
    return true;
}

// Makes a claimed block its holder's.
static MEMPOOL_HOT inline __attribute__((always_inline)) mempool_handle_t fill_in(mempool_pool_t *pool, uint32_t offset,
    uint32_t fields, uint32_t state) {
    mempool_word_t *word = (mempool_word_t *)((char *)pool->word + offset);
    uint32_t free_word = mempool_peek(word);
#if MEMPOOL_DIAGNOSTICS
    mempool_poke(word + 1, mempool_port_tick());
#endif
    mempool_store(word, free_word ^ fields);
    mempool_handle_t handle = (mempool_handle_t)(free_word >> 2);
#if MEMPOOL_POISON
    mempool_poison_verify(mempool_handle_pool(handle), mempool_handle_index(handle), handle);
#endif
    mempool_trace_record(MEMPOOL_TRACE_TAKE, handle, MEMPOOL_SIZE_MINUS_1_OF(fields) + 1u, MEMPOOL_OWNER_OF(fields));
    if ((state < mempool_peek(&pool->up) || state >= mempool_peek(&pool->down)) && mempool_bell != NULL) {
        return mempool_ring(handle);
    }
    return handle;
}

// The rest of a take whose claim met others.
static MEMPOOL_HOT __attribute__((noinline)) mempool_handle_t fill_in_slowly(mempool_pool_t *pool, uint32_t fields,
    uint32_t state) {
    return fill_in(pool, claim_slowly(pool), fields, state);
}

// Counts what could not be served.
static MEMPOOL_HOT __attribute__((noinline)) mempool_handle_t exhausted(mempool_pool_t *pool, uint32_t fields) {
    (void)pool;
    (void)fields;
    MEMPOOL_COUNT(pool->failures);
    mempool_trace_record(MEMPOOL_TRACE_FAIL, MEMPOOL_E_EXHAUSTED, MEMPOOL_SIZE_MINUS_1_OF(fields) + 1u,
        MEMPOOL_OWNER_OF(fields));
    return MEMPOOL_E_EXHAUSTED;
}

#if MEMPOOL_OWNERS > 0

// Says why a quota did not allow it: an owner that is not live has none.
static MEMPOOL_HOT __attribute__((noinline)) mempool_handle_t denied(mempool_pool_t *pool, uint32_t fields) {
    uint32_t owner = MEMPOOL_OWNER_OF(fields);
    if (!mempool_owner_is_live((mempool_owner_t)owner)) {
        return owner == MEMPOOL_NO_OWNER ? MEMPOOL_E_EXHAUSTED : MEMPOOL_E_RANGE; // before mempool_init: the former
    }
    (void)pool;
    mempool_fetch_add(&mempool_owners[owner].denied, 1u);
    MEMPOOL_COUNT(pool->denied);
    mempool_trace_record(MEMPOOL_TRACE_FAIL, MEMPOOL_E_QUOTA, MEMPOOL_SIZE_MINUS_1_OF(fields) + 1u, owner);
    return MEMPOOL_E_QUOTA;
}

#endif

// One attempt on one pool. `flags`: 0 or MEMPOOL_FIELD_PYTHON. `floor`: how many blocks must be free, times MEMPOOL_UNIT.
// Whatever is rare is a call at the very end, so that the usual way needs no stack.
static MEMPOOL_HOT inline __attribute__((always_inline)) mempool_handle_t take_from(mempool_pool_t *pool,
    uint32_t size_minus_1, mempool_owner_t owner, uint32_t python, uint32_t floor, bool count) {
    uint32_t fields = MEMPOOL_FIELD_SIZE(size_minus_1) + MEMPOOL_FIELD_OWNER(owner) + python;
    if (!MEMPOOL_IN_USE(fields)) {
        size_minus_1 = 1; // 1 byte, C, no owner: the one request whose fields would be those of a free block
        fields = MEMPOOL_FIELD_SIZE(size_minus_1);
    }
    if (owner > MEMPOOL_OWNERS) {
        return MEMPOOL_E_RANGE;
    }
#if MEMPOOL_OWNERS > 0
    mempool_owner_entry_t *entry = &mempool_owners[owner];
    MEMPOOL_OPAQUE(entry);
    uint32_t left;
    if (!mempool_sub_if(&entry->left, pool->block_size, &left)) {
        return denied(pool, fields);
    }
#endif
    uint32_t state;
#if MEMPOOL_DIAGNOSTICS
    bool ticket = mempool_add_if(&pool->state, (int32_t)floor, size_minus_1 - MEMPOOL_UNIT, &state);
#else
    bool ticket = floor == MEMPOOL_UNIT ? mempool_sub_if(&pool->state, MEMPOOL_UNIT, &state)
                                        : mempool_add_if(&pool->state, (int32_t)floor, 0u - MEMPOOL_UNIT, &state);
#endif
    if (!ticket) {
#if MEMPOOL_OWNERS > 0
        mempool_fetch_add(&entry->left, pool->block_size);
#endif
        return count ? exhausted(pool, fields) : MEMPOOL_E_EXHAUSTED;
    }
#if MEMPOOL_OWNERS > 0
    mempool_at_most(&entry->lowest, left);
#endif
#if MEMPOOL_DIAGNOSTICS
    mempool_at_most(&pool->deepest, state);
    uint32_t turn = mempool_fetch_add(&pool->allocs, 1u);
#else
    uint32_t turn = 0;
#endif
    uint32_t offset;
    if (!claim(pool, turn, &offset)) {
        return fill_in_slowly(pool, fields, state);
    }
    return fill_in(pool, offset, fields, state);
}

#define FLOOR ((MEMPOOL_RESERVE + 1u) * MEMPOOL_UNIT)

MEMPOOL_HOT mempool_handle_t mempool_take(uint32_t size, mempool_owner_t owner) {
    uint32_t size_minus_1 = size - 1u;
    MEMPOOL_OPAQUE(size_minus_1);
    if (size_minus_1 >= MEMPOOL_MAX_BLOCK) {
        return MEMPOOL_E_SIZE;
    }
    mempool_pool_t *pool = mempool_tables.by_size[size_minus_1 / MEMPOOL_MIN_BLOCK];
    MEMPOOL_ENTER();
    mempool_handle_t handle = take_from(pool, size_minus_1, owner, 0u, FLOOR, true);
    MEMPOOL_LEAVE();
    return handle;
}

// The whole request but for waiting; counts nothing where it fails.
static mempool_handle_t take_any(uint32_t size, mempool_owner_t owner, uint32_t flags) {
    uint32_t size_minus_1 = size - 1u;
    mempool_handle_t handle = MEMPOOL_E_SIZE;
    if (size_minus_1 < MEMPOOL_MAX_BLOCK) {
        mempool_pool_t *first = mempool_tables.by_size[size_minus_1 / MEMPOOL_MIN_BLOCK];
        uint32_t python = (flags & MEMPOOL_PYTHON) != 0 ? MEMPOOL_FIELD_PYTHON : 0u;
        uint32_t floor = (flags & MEMPOOL_CRITICAL) != 0 ? MEMPOOL_UNIT : FLOOR;
        unsigned p = 0;
        while (mempool_pool(p) != first) {
            ++p;
        }
        for (unsigned q = p; q < MEMPOOL_POOLS; ++q) {
            handle = take_from(mempool_pool(q), size_minus_1, owner, python, floor, false);
            if (handle > 0 && q != p) {
                MEMPOOL_COUNT(first->spills);
            }
            if (handle != MEMPOOL_E_EXHAUSTED || (flags & MEMPOOL_SPILL) == 0) {
                break;
            }
        }
    }
    return handle;
}

static mempool_handle_t take_once(uint32_t size, mempool_owner_t owner, uint32_t flags) {
    MEMPOOL_ENTER();
    mempool_handle_t handle = take_any(size, owner, flags);
    MEMPOOL_LEAVE();
    if (MEMPOOL_HEAP_FALLBACK && (flags & MEMPOOL_HEAP_OK) != 0 && size != 0 && (handle == MEMPOOL_E_EXHAUSTED || handle == MEMPOOL_E_SIZE)) {
        return mempool_heap_take(size, owner, flags);
    }
    return handle;
}

// What the quick calls leave to others: the count of a failure, and the level of a pool that is beyond its marks.
static mempool_handle_t settle(mempool_handle_t handle, uint32_t size, mempool_owner_t owner) {
    if (handle > 0 && !mempool_handle_is_heap(handle)) {
        mempool_pressure_look_at(mempool_handle_pool(handle));
    }
    if (handle == MEMPOOL_E_EXHAUSTED) {
        uint32_t slot = (size - 1u) / MEMPOOL_MIN_BLOCK;
        MEMPOOL_ENTER();
        (void)owner;
        handle = exhausted(mempool_tables.by_size[slot < 16u ? slot : 15u],
            MEMPOOL_FIELD_SIZE(size - 1u) | MEMPOOL_FIELD_OWNER(owner));
        MEMPOOL_LEAVE();
    }
    return handle;
}

mempool_handle_t mempool_take_flags(uint32_t size, mempool_owner_t owner, uint32_t flags) {
    return settle(take_once(size, owner, flags), size, owner);
}

mempool_handle_t mempool_take_wait(uint32_t size, mempool_owner_t owner, uint32_t flags, uint32_t timeout_ms) {
    mempool_handle_t handle = take_once(size, owner, flags);
    uint32_t waited_ms = 0;
    for (uint32_t slice_ms = 1u; handle == MEMPOOL_E_EXHAUSTED && waited_ms < timeout_ms;) {
        if (slice_ms > timeout_ms - waited_ms) {
            slice_ms = timeout_ms - waited_ms;
        }
        mempool_port_sleep_ms(slice_ms);
        waited_ms += slice_ms;
        slice_ms = slice_ms < 5u ? 2u * slice_ms : 10u;
        handle = take_once(size, owner, flags);
    }
    return settle(handle, size, owner);
}

// Behind the claim of a give: the block is the caller's to put back.
static MEMPOOL_HOT inline __attribute__((always_inline)) uint32_t put_back(mempool_pool_t *pool, mempool_handle_t handle,
    uint32_t bit, uint32_t fields) {
    uint32_t index = mempool_handle_index(handle);
#if MEMPOOL_POISON
    mempool_poison_fill(mempool_handle_pool(handle), index);
#endif
    uint32_t bits = mempool_fetch_or(mempool_leaf(pool, index / 32u), bit);
    (void)bits;
#if MEMPOOL_SUMMARY
    if (bits == 0) {
        mempool_fetch_or(&pool->summary, 1u << (index / 32u));
    }
#endif
#if MEMPOOL_OWNERS > 0
    mempool_fetch_add(&mempool_owners[MEMPOOL_OWNER_OF(fields)].left, pool->block_size);
#endif
    (void)fields;
    uint32_t delta = MEMPOOL_UNIT - (MEMPOOL_DIAGNOSTICS ? MEMPOOL_SIZE_MINUS_1_OF(fields) : 0u);
    return mempool_fetch_add(&pool->state, delta) + delta;
}

MEMPOOL_HOT int mempool_give(mempool_handle_t handle) {
    mempool_pool_t *pool = mempool_by_code[(uint32_t)handle >> 10 & 7u];
    uint32_t index = mempool_handle_index(handle);
    if (index >= pool->count) {
        return mempool_handle_is_heap(handle) ? mempool_heap_give(handle, 0u) : mempool_refuse(handle, MEMPOOL_E_FOREIGN);
    }
    uint32_t bit = 1u << ((uint32_t)handle & 31u);
    MEMPOOL_OPAQUE(bit); // now, so that the handle need not be kept
    uint32_t tag = (uint32_t)handle << 2;
    uint32_t top = MEMPOOL_TOP_OF(handle);
    uint32_t word;
    int status;
    MEMPOOL_ENTER();
    // The whole upper part of the handle is compared, so that a negative number or one beyond 30 bits matches nothing.
    if (!mempool_swap_if(mempool_word(pool, index), MEMPOOL_TOP_SHIFT, top, tag, tag + MEMPOOL_GENERATION_STEP, &word,
            &status)) {
        MEMPOOL_LEAVE();
#if MEMPOOL_DIAGNOSTICS
        return mempool_refuse_stale(handle);
#else
        return top >> (32 - MEMPOOL_TOP_SHIFT) != 0 ? MEMPOOL_E_FOREIGN : MEMPOOL_E_STALE;
#endif
    }
    mempool_trace_record(MEMPOOL_TRACE_GIVE, handle, MEMPOOL_SIZE_MINUS_1_OF(word ^ tag) + 1u,
        MEMPOOL_OWNER_OF(word ^ tag));
    put_back(pool, handle, bit, word ^ tag);
    MEMPOOL_LEAVE();
    return status;
}

int mempool_give_flags(mempool_handle_t handle, uint32_t flags) {
    if (mempool_handle_is_heap(handle)) {
        return mempool_heap_give(handle, flags);
    }
    mempool_pool_t *pool;
    uint32_t fields;
    uint32_t state = 0;
    int status;
    MEMPOOL_ENTER();
    status = mempool_lookup(handle, &pool, &fields);
    if (status == MEMPOOL_OK) {
        uint32_t index = mempool_handle_index(handle);
        uint32_t tag = (uint32_t)handle << 2;
        uint32_t word;
        if ((flags & MEMPOOL_PYTHON) != 0 && (fields & MEMPOOL_FIELD_PYTHON) == 0) {
            status = MEMPOOL_E_FOREIGN;
        } else if (mempool_swap_if(mempool_word(pool, index), MEMPOOL_TOP_SHIFT, MEMPOOL_TOP_OF(handle), tag,
                       tag + MEMPOOL_GENERATION_STEP, &word, &status)) {
            fields = word ^ tag;
            mempool_trace_record((flags & MEMPOOL_RECLAIM) != 0 ? MEMPOOL_TRACE_RECLAIM : MEMPOOL_TRACE_GIVE, handle,
                MEMPOOL_SIZE_MINUS_1_OF(fields) + 1u, MEMPOOL_OWNER_OF(fields));
            if ((flags & MEMPOOL_RECLAIM) != 0) {
                MEMPOOL_COUNT(pool->reclaimed);
            }
            state = put_back(pool, handle, 1u << (index & 31u), fields);
        } else {
            status = MEMPOOL_E_STALE;
        }
    }
    MEMPOOL_LEAVE();
    if (status != MEMPOOL_OK) {
        return (flags & MEMPOOL_RECLAIM) != 0 ? status : mempool_refuse(handle, status);
    }
    if (state >= mempool_peek(&pool->down)) {
        mempool_pressure_look_at(mempool_handle_pool(handle));
        (void)mempool_ring(handle);
    }
    return status;
}
