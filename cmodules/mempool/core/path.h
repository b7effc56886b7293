// path.h - what take and give are made of, inlined into the quick calls (pool.c) and the full ones (request.c). See
// mempool_core.h for the state that they move.
//
// Why nobody gets a block that another holds: the claim is one fetch_and of the block's own bit, and who sees the bit set
// in the old value has it, alone. Why a block is given back once: the word moves to the next generation by one
// compare-and-swap. Why a ticket holder finds a block: every set bit beyond the tickets handed out was there first.
// The summary may lag behind, so who finds nothing through it looks at the leaves themselves.

#ifndef MEMPOOL_PATH_H
#define MEMPOOL_PATH_H

#include "mempool_core.h"

// How many blocks must be free for a request that is not critical, in units of the state.
#define MEMPOOL_FLOOR ((MEMPOOL_RESERVE + 1u) * MEMPOOL_UNIT)

// What is rare, in pool.c.
mempool_handle_t mempool_fill_in_slowly(mempool_word_t *middle, uint32_t fields, uint32_t state);
#if MEMPOOL_DIAGNOSTICS
mempool_handle_t mempool_exhausted(mempool_word_t *middle, uint32_t fields); // counts it
#else
#define mempool_exhausted(middle, fields) ((void)(middle), (void)(fields), MEMPOOL_E_EXHAUSTED)
#endif
mempool_handle_t mempool_denied(mempool_word_t *middle, uint32_t fields); // counts it

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
        LOOK(2u)
        LOOK(1u)
        LOOK(0u)
    } else {
        LOOK(0u)
        LOOK(1u)
        LOOK(2u)
        LOOK(3u)
    }
#undef LOOK
    return false;
}

#endif

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
    // A plain store, although others try to compare and set this word: each of them refuses a word that is free.
    mempool_handle_t handle = (mempool_handle_t)(free_word >> 2);
    mempool_store(word, (MEMPOOL_NARROW ? MEMPOOL_HELD(handle) : free_word) ^ fields);
#if MEMPOOL_POISON
    mempool_poison_verify(mempool_handle_pool(handle), mempool_handle_index(handle), handle);
#endif
    mempool_trace_record(MEMPOOL_TRACE_TAKE, handle, MEMPOOL_SIZE_MINUS_1_OF(fields) + 1u, MEMPOOL_OWNER_OF(fields));
    if ((state < mempool_peek(&pool->up) || state >= mempool_peek(&pool->down)) && MEMPOOL_POINTER_PEEK(mempool_bell) != NULL) {
        return mempool_ring(handle);
    }
    return handle;
}

// One attempt on one pool. `flags`: 0 or MEMPOOL_FIELD_PYTHON. `floor`: how many blocks must be free, times MEMPOOL_UNIT.
// Whatever is rare is a call at the very end, so that the usual way needs no stack.
//
// The size of a block comes from constants: before mempool_init, and while it runs elsewhere, the quota or the ticket refuses, and
// what was charged is what is given back.
static MEMPOOL_HOT inline __attribute__((always_inline)) mempool_handle_t take_from(mempool_word_t *middle,
    uint32_t block_size, uint32_t size_minus_1, mempool_owner_t owner, uint32_t python, uint32_t floor, bool count) {
    mempool_pool_t *pool = MEMPOOL_OF_MIDDLE(middle);
    uint32_t fields = MEMPOOL_FIELD_SIZE(size_minus_1) + MEMPOOL_FIELD_OWNER(owner) + python;
    uint32_t asked = fields;
    (void)asked;
    (void)block_size;
    if (!MEMPOOL_FIELDS_TELL(fields)) {
        size_minus_1 = 1; // 1 byte, C, no owner: the one request whose fields would be those of a free block
        fields = MEMPOOL_FIELD_SIZE(size_minus_1);
    }
    if (owner > MEMPOOL_OWNERS) {
        return MEMPOOL_E_RANGE;
    }
#if MEMPOOL_OWNERS > 0
    mempool_owner_entry_t *entry = &mempool_owners[owner];
    MEMPOOL_OPAQUE(entry);
    uint32_t balance;
    if (!mempool_charge(entry, block_size, &balance)) {
        return mempool_denied(middle, asked);
    }
#endif
    uint32_t state;
#if MEMPOOL_DIAGNOSTICS
    bool ticket = mempool_add_if(middle, (int32_t)floor, size_minus_1 - MEMPOOL_UNIT, &state);
#else
    bool ticket = floor == MEMPOOL_UNIT ? mempool_sub_if(middle, MEMPOOL_UNIT, &state)
                                        : mempool_add_if(middle, (int32_t)floor, 0u - MEMPOOL_UNIT, &state);
#endif
    if (!ticket) {
#if MEMPOOL_OWNERS > 0
        mempool_fetch_add(&entry->balance, block_size);
#endif
        return count ? mempool_exhausted(middle, asked) : MEMPOOL_E_EXHAUSTED;
    }
#if MEMPOOL_OWNERS > 0
    mempool_at_most(&entry->lowest, balance);
#endif
#if MEMPOOL_DIAGNOSTICS
    mempool_at_most(&pool->deepest, state);
    uint32_t turn = mempool_fetch_add(&pool->allocs, 1u);
#else
    uint32_t turn = 0;
#endif
    uint32_t offset;
    if (!claim(pool, turn, &offset)) {
        return mempool_fill_in_slowly(middle, fields, state);
    }
    return fill_in(pool, offset, fields, state);
}

// A block's word and its leaf, from the complement of its index, which serves both.
static MEMPOOL_HOT inline __attribute__((always_inline)) mempool_word_t *word_at(mempool_word_t *middle, int32_t complement) {
    return (mempool_word_t *)((char *)middle - (intptr_t)complement * (intptr_t)(4u * MEMPOOL_STRIDE));
}

static MEMPOOL_HOT inline __attribute__((always_inline)) mempool_word_t *leaf_at(mempool_word_t *middle, int32_t complement) {
    return (mempool_word_t *)((char *)middle + (intptr_t)(complement >> 5) * 4);
}

// Behind the claim of a give: the block is the caller's to put back. -> the state; *zero becomes 0.
static MEMPOOL_HOT inline __attribute__((always_inline)) uint32_t put_back(mempool_word_t *middle, mempool_handle_t handle,
    int32_t complement, uint32_t bit, uint32_t fields, int *zero) {
    mempool_pool_t *pool = MEMPOOL_OF_MIDDLE(middle);
    (void)handle;
    (void)pool;
#if MEMPOOL_POISON
    mempool_poison_fill(mempool_handle_pool(handle), mempool_handle_index(handle));
#endif
    uint32_t bits = mempool_fetch_or(leaf_at(middle, complement), bit);
    (void)bits;
#if MEMPOOL_SUMMARY
    if (bits == 0) {
        mempool_fetch_or(&pool->summary, 1u << (mempool_handle_index(handle) / 32u));
    }
#endif
#if MEMPOOL_OWNERS > 0
    mempool_fetch_add(&mempool_owners[MEMPOOL_OWNER_OF(fields)].balance, pool->block_size);
#endif
    (void)fields;
    return mempool_add(middle, MEMPOOL_UNIT - (MEMPOOL_DIAGNOSTICS ? MEMPOOL_SIZE_MINUS_1_OF(fields) : 0u), zero);
}

#endif // MEMPOOL_PATH_H
