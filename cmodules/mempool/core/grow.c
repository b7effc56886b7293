// grow.c - pools that become larger while the program runs, and smaller again: extents, pieces of memory that are added to a
// pool's blocks and taken away as a whole (CONFIG_MEMORY_POOL_GROW_BLOCKS).
//
//      blocks of a pool:   0 ............ built-1 | extent 0 ... | extent 1 ... |        grows and shrinks here
//
// An extent is payload alone. Its blocks' words and bits lie with those of the pool, which has room for all it may grow
// by: so take and give know nothing of extents, a handle looks like any other, and its generation goes on where it was when
// a block comes again after it had gone. Only who wants the payload's address asks here.
//
// Without GROW_BLOCKS nothing of this is there, and a pool's count is a constant.
//
// A larger pool:   the bits of the new blocks are set, then their tickets are added to the state: give's order.
// A smaller one:   tickets for all blocks of the last extent are taken, then exactly these blocks' bits are claimed: take's
//                  order. Where one of them is in use, all goes back. Whoever holds a ticket meanwhile still finds a block.

#include "mempool_core.h"

#if MEMPOOL_GROW > 0

typedef struct {
    uint8_t *payload;
    mempool_word_t blocks; // 0: no extent here
} extent_t;

// Stored before `blocks` and read after it. Who looks at a block that was given back meanwhile may read it while it changes,
// and then makes no use of it.
#define PAYLOAD(extent) MEMPOOL_POINTER_PEEK((extent)->payload)
#define SET_PAYLOAD(extent, data) MEMPOOL_POINTER_STORE((extent)->payload, data)

static extent_t extents[MEMPOOL_POOLS][MEMPOOL_EXTENTS] MEMPOOL_FAST;
mempool_word_t mempool_resizing MEMPOOL_FAST;
struct mempool_grown mempool_grown MEMPOOL_FAST;
static mempool_word_t busy MEMPOOL_FAST; // 1: somebody is growing or shrinking a pool

MEMPOOL_HOT uint8_t *mempool_extent_payload(unsigned pool, uint32_t index) {
    index -= mempool_geometry[pool].blocks;
    for (unsigned e = 0; e < MEMPOOL_EXTENTS; ++e) {
        uint32_t blocks = mempool_load(&extents[pool][e].blocks);
        if (index < blocks) {
            return PAYLOAD(&extents[pool][e]) + ((size_t)index << mempool_geometry[pool].log2_size);
        }
        index -= blocks;
    }
    return NULL; // it went while the caller was looking at it
}

static uint32_t blocks_of(unsigned pool, unsigned extent) {
    return mempool_load(&extents[pool][extent].blocks);
}

MEMPOOL_HOT bool mempool_extent_locate(const void *data, unsigned *pool, uint32_t *index) {
    bool found = false;
    MEMPOOL_LOCK(); // an extent that is half there must not be believed
    for (unsigned p = 0; p < MEMPOOL_POOLS && !found; ++p) {
        uint32_t log2_size = mempool_geometry[p].log2_size;
        uint32_t first = mempool_geometry[p].blocks;
        for (unsigned e = 0; e < MEMPOOL_EXTENTS && !found; ++e) {
            uintptr_t offset = (uintptr_t)data - (uintptr_t)PAYLOAD(&extents[p][e]);
            *pool = p;
            *index = first + (uint32_t)(offset >> log2_size);
            found = offset >> log2_size < blocks_of(p, e) && (offset & ((1u << log2_size) - 1u)) == 0;
            first += blocks_of(p, e);
        }
    }
    MEMPOOL_UNLOCK();
    return found;
}

static unsigned extents_of(unsigned pool) {
    unsigned n = 0;
    while (n < MEMPOOL_EXTENTS && blocks_of(pool, n) != 0) {
        ++n;
    }
    return n;
}

// ---- Where the payload comes from ----------------------------------------------------------------------

#ifdef MEMPOOL_PORT_EXTENT_ALLOC

#define obtain(bytes) MEMPOOL_PORT_EXTENT_ALLOC(bytes)
#define release(payload) MEMPOOL_PORT_EXTENT_FREE(payload)

#else

#define ARENA_BYTES (CONFIG_MEMORY_POOL_GROW_ARENA)

static MEMPOOL_PAYLOAD _Alignas(MEMPOOL_ALIGN) uint8_t arena[ARENA_BYTES];

// The end of the extent that `bytes` at `start` of the arena would meet, or `start` where there is room.
static uint8_t *beyond(uint8_t *start, uint32_t bytes) {
    for (unsigned p = 0; p < MEMPOOL_POOLS; ++p) {
        for (unsigned e = 0; e < extents_of(p); ++e) {
            uint8_t *first = PAYLOAD(&extents[p][e]);
            uint8_t *end = first + ((size_t)blocks_of(p, e) << mempool_geometry[p].log2_size);
            if (start < end && first < start + bytes) {
                return end;
            }
        }
    }
    return start;
}

// First fit. The extents themselves say what is taken.
static void *obtain(uint32_t bytes) {
    uint8_t *at = arena;
    while (bytes <= (size_t)(arena + ARENA_BYTES - at)) {
        uint8_t *next = beyond(at, bytes);
        if (next == at) {
            return at;
        }
        at = next;
    }
    return NULL;
}

#define release(payload) ((void)(payload))

#endif

// ---- Growing -------------------------------------------------------------------------------------------

static void begin(void) {
    while (!mempool_begin(&busy)) {
        mempool_port_sleep_ms(1u);
    }
}

static void end(unsigned pool) {
    mempool_pressure_resized(pool);
    mempool_end(&busy, 0u);
}

// A handle beyond the count is none; what was a block once stays known, so that its old handles are stale.
static void raise_count(mempool_pool_t *pool, uint32_t count) {
    if (count > mempool_count(pool)) {
        mempool_store(&pool->count, count);
    }
}

// Nobody else writes these.
static void add_to(mempool_word_t *word, uint32_t amount) {
    mempool_store(word, mempool_load(word) + amount);
}

// `blocks` more, modulo 2^32.
static void change_blocks(unsigned p, uint32_t blocks) {
    uint32_t count = mempool_blocks(p) + blocks;
    const uint32_t marks[] = MEMPOOL_MARKS(count);
    mempool_store(&mempool_marks[p].low, marks[0]);
    mempool_store(&mempool_marks[p].low_left, marks[1]);
    mempool_store(&mempool_marks[p].critical, marks[2]);
    add_to(&mempool_grown.of[p], blocks);
    add_to(&mempool_grown.blocks, blocks);
    add_to(&mempool_grown.bytes, blocks << mempool_geometry[p].log2_size);
}

// The bits of leaf `leaf` that are blocks first to first + blocks - 1.
static uint32_t bits_of(uint32_t leaf, uint32_t first, uint32_t blocks) {
    uint32_t bits = 0;
    for (uint32_t i = 0; i < 32u; ++i) {
        bits |= 32u * leaf + i - first < blocks ? 1u << i : 0u;
    }
    return bits;
}

static void put_bits(mempool_pool_t *pool, uint32_t leaf, uint32_t bits) {
    mempool_fetch_or(mempool_leaf(pool, leaf), bits);
#if MEMPOOL_SUMMARY
    if (bits != 0) {
        mempool_fetch_or(&pool->summary, 1u << leaf);
    }
#endif
}

// The fewest free blocks that there were, in terms of the new count. What is free now is never less.
static void move_deepest(mempool_pool_t *pool, uint32_t delta) {
#if MEMPOOL_DIAGNOSTICS
    mempool_fetch_add(&pool->deepest, delta);
    mempool_at_least(&pool->deepest, 0u);
    int zero;
    mempool_at_most(&pool->deepest, mempool_add(&pool->state, 0u, &zero)); // a read-modify-write: see reset_pool
#else
    (void)pool;
    (void)delta;
#endif
}

// Under the lock: who asks whose an address is finds both, or neither.
static void set_extent(extent_t *extent, uint8_t *payload, uint32_t blocks) {
    MEMPOOL_LOCK();
    SET_PAYLOAD(extent, payload);
    mempool_store(&extent->blocks, blocks);
    MEMPOOL_UNLOCK();
}

static void add(unsigned p, uint8_t *payload, uint32_t blocks) {
    mempool_pool_t *pool = mempool_pool(p);
    uint32_t first = mempool_blocks(p);
    extent_t *extent = &extents[p][extents_of(p)];
    set_extent(extent, payload, blocks);
    for (uint32_t i = first; i < first + blocks; ++i) {
        if (mempool_peek(mempool_word(pool, i)) == 0) { // it never was there
            mempool_store(mempool_word(pool, i), ((p + 1u) << 10 | i) << 2);
        }
#if MEMPOOL_POISON
        mempool_poison_fill(p, i);
#endif
    }
    // Nobody has been able to take any of this, or to know a handle of it. Now:
    MEMPOOL_LOCK();
    MEMPOOL_ENTER();
    mempool_fetch_add(&mempool_resizing, 1u);
    raise_count(pool, first + blocks);
    for (uint32_t leaf = first / 32u; leaf * 32u < first + blocks; ++leaf) {
        put_bits(pool, leaf, bits_of(leaf, first, blocks));
    }
    int zero;
    (void)mempool_add(&pool->state, blocks * MEMPOOL_UNIT, &zero);
    move_deepest(pool, blocks * MEMPOOL_UNIT);
    change_blocks(p, blocks);
    mempool_fetch_add(&mempool_resizing, 1u);
    MEMPOOL_LEAVE();
    MEMPOOL_UNLOCK();
}

int mempool_grow(unsigned pool, uint32_t blocks) {
    if (pool >= MEMPOOL_POOLS || blocks < 1 || blocks > mempool_growable(pool)) {
        return MEMPOOL_E_RANGE;
    }
    int added = MEMPOOL_E_RANGE;
    begin();
    if (blocks <= mempool_growable(pool)) { // still
        uint8_t *payload = obtain(blocks << mempool_geometry[pool].log2_size);
        added = payload == NULL ? MEMPOOL_E_EXHAUSTED : (int)blocks;
        if (payload != NULL) {
            add(pool, payload, blocks);
        }
    }
    end(pool);
    return added;
}

uint32_t mempool_growable(unsigned pool) {
    if (pool >= MEMPOOL_POOLS || !mempool_is_ready() || extents_of(pool) == MEMPOOL_EXTENTS) {
        return 0;
    }
    return mempool_geometry[pool].blocks + MEMPOOL_GROW - mempool_blocks(pool);
}

// ---- Shrinking -----------------------------------------------------------------------------------------

// Claims exactly these blocks, of which the caller has the tickets; or none, where one of them is in use.
static bool claim(mempool_pool_t *pool, uint32_t first, uint32_t blocks) {
    for (uint32_t leaf = first / 32u; leaf * 32u < first + blocks; ++leaf) {
        uint32_t bits = bits_of(leaf, first, blocks);
        uint32_t got = mempool_fetch_and(mempool_leaf(pool, leaf), ~bits) & bits;
        if (got != bits) {
            put_bits(pool, leaf, got);
            while (leaf-- > first / 32u) {
                put_bits(pool, leaf, bits_of(leaf, first, blocks));
            }
            return false;
        }
    }
    return true;
}

// -> whether the blocks from `first` on are the pool's no more.
static bool remove_blocks(unsigned p, unsigned e, uint32_t first, uint32_t blocks) {
    mempool_pool_t *pool = mempool_pool(p);
    uint32_t state;
    bool gone;
    MEMPOOL_LOCK();
    MEMPOOL_ENTER();
    mempool_fetch_add(&mempool_resizing, 1u);
    gone = mempool_add_if(&pool->state, (int32_t)((MEMPOOL_RESERVE + blocks) * MEMPOOL_UNIT), 0u - blocks * MEMPOOL_UNIT,
        &state);
    if (gone) {
        gone = claim(pool, first, blocks);
        if (gone) {
            move_deepest(pool, 0u - blocks * MEMPOOL_UNIT);
            mempool_store(&extents[p][e].blocks, 0u);
            change_blocks(p, 0u - blocks);
        } else {
            int zero;
            (void)mempool_add(&pool->state, blocks * MEMPOOL_UNIT, &zero);
        }
    }
    mempool_fetch_add(&mempool_resizing, 1u);
    MEMPOOL_LEAVE();
    MEMPOOL_UNLOCK();
    return gone;
}

int mempool_shrink(unsigned p) {
    if (p >= MEMPOOL_POOLS) {
        return MEMPOOL_E_RANGE;
    }
    int removed = 0;
    begin();
    unsigned n = extents_of(p);
    if (n != 0) {
        uint32_t blocks = blocks_of(p, n - 1u);
        uint8_t *payload = PAYLOAD(&extents[p][n - 1u]);
        if (remove_blocks(p, n - 1u, mempool_blocks(p) - blocks, blocks)) {
            // Who looked a handle up just before its block was given back may still be copying: that takes a few us.
            mempool_port_sleep_ms(1u);
            release(payload);
            removed = (int)blocks;
        }
    }
    end(p);
    return removed;
}

#endif
