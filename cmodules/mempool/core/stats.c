// stats.c - what the pools did and hold, in numbers that agree with each other.

#include "mempool_core.h"

#define ADD_BYTES(name, size, log2, blocks) +(blocks) * (size)
#define CAPACITY (0u MEMPOOL_CLASSES(ADD_BYTES))
#define ADD_BLOCKS(name, size, log2, blocks) +(blocks)
#define BLOCKS (0u MEMPOOL_CLASSES(ADD_BLOCKS))

#if MEMPOOL_DIAGNOSTICS
static mempool_word_t held_in_all MEMPOOL_FAST; // sum of the pools' `held`
#define HELD_IN_ALL mempool_peek(&held_in_all)
#else
#define HELD_IN_ALL 0u
#endif

// The fewest blocks that were free.
#if MEMPOOL_DIAGNOSTICS
#define DEEPEST(pool) (mempool_peek(&(pool)->deepest) / MEMPOOL_UNIT)
#define PEAK(capacity, fewest_bytes) ((capacity) - (fewest_bytes))
#else
#define DEEPEST(pool) 0u
#define PEAK(capacity, fewest_bytes) 0u
#endif

// `state` is the sum of the state words: they are made so that the sums of their two parts do not meet.
static inline __attribute__((always_inline)) void finish(mempool_stats_t *out, uint32_t capacity, uint32_t blocks,
    uint32_t state, uint32_t free_bytes, uint32_t fewest_bytes, uint32_t allocs, uint32_t held) {
    if (MEMPOOL_GROW > 0 && !MEMPOOL_SINGLE_CORE && free_bytes > capacity) {
        free_bytes = capacity; // whoever makes a pool smaller was stopped in the middle
    }
    uint32_t used_blocks = blocks - state / MEMPOOL_UNIT;
    if (fewest_bytes > free_bytes) {
        fewest_bytes = free_bytes; // a taker is between its ticket and its mark: used <= peak all the same
    }
    out->capacity = capacity;
    out->used = capacity - free_bytes;
    out->free = free_bytes;
    out->peak = PEAK(capacity, fewest_bytes);
    out->utilization = out->used * 100u / capacity;
    out->heap_used = 0;
#if MEMPOOL_DIAGNOSTICS
    uint32_t frees = allocs + held - used_blocks;
    out->allocs = allocs;
    out->frees = (int32_t)frees < 0 ? 0u : frees; // a taker is between its ticket and its count
    out->requested = (state & MEMPOOL_SUM_MASK) + used_blocks;
    out->waste = out->used - out->requested;
#else
    (void)allocs;
    (void)held;
    (void)used_blocks;
    out->allocs = out->frees = out->failures = out->spills = out->reclaimed = out->refused = out->denied = 0;
    out->requested = out->waste = 0;
#endif
}

// One pool after another, written out: every counter is a constant away from one register.
static MEMPOOL_HOT inline __attribute__((always_inline)) void read_all(mempool_stats_t *stats, uint32_t *largest_free) {
    uint32_t capacity = CAPACITY + MEMPOOL_GROWN(bytes);
    uint32_t blocks_in_all = BLOCKS + MEMPOOL_GROWN(blocks);
    uint32_t state = 0;
    uint32_t free_bytes = 0;
    uint32_t fewest_bytes = 0;
    uint32_t largest = 0;
#define ADD_POOL(label, size, log2, blocks)                         \
    {                                                               \
        const mempool_pool_t *pool = &mempool_stores.label.at.pool; \
        uint32_t now = mempool_load(&pool->state);                  \
        uint32_t free = now / MEMPOOL_UNIT;                         \
        state += now;                                               \
        free_bytes += free << (log2);                               \
        fewest_bytes += DEEPEST(pool) << (log2);                    \
        if (free > MEMPOOL_RESERVE) {                               \
            largest = size;                                         \
        }                                                           \
    }
    MEMPOOL_CLASSES(ADD_POOL)
#if MEMPOOL_DIAGNOSTICS
#define ALL(counter) (mempool_peek(&mempool_stores.TINY.at.pool.counter) + mempool_peek(&mempool_stores.SMALL.at.pool.counter) + mempool_peek(&mempool_stores.MEDIUM.at.pool.counter) + mempool_peek(&mempool_stores.LARGE.at.pool.counter) + mempool_peek(&mempool_stores.XLARGE.at.pool.counter))
    stats->failures = ALL(failures);
    stats->spills = ALL(spills);
    stats->reclaimed = ALL(reclaimed);
    stats->refused = ALL(refused) + mempool_peek(&mempool_refused_foreign);
    stats->denied = ALL(denied);
    uint32_t allocs = ALL(allocs);
#else
    uint32_t allocs = 0;
#endif
    finish(stats, capacity, blocks_in_all, state, free_bytes, fewest_bytes, allocs, HELD_IN_ALL);
    *largest_free = largest;
}

MEMPOOL_HOT void mempool_stats(mempool_stats_t *stats) {
    uint32_t largest;
    MEMPOOL_ENTER();
    MEMPOOL_WHOLE(read_all(stats, &largest));
    MEMPOOL_LEAVE();
    stats->largest_free = largest;
    stats->level = mempool_pressure_highest();
    if (MEMPOOL_HEAP_FALLBACK) {
        mempool_heap_stats(stats);
    }
}

static MEMPOOL_HOT void read_one(unsigned p, mempool_stats_t *stats) {
    const mempool_pool_t *pool = mempool_pool(p);
    uint32_t log2_size = mempool_geometry[p].log2_size;
    uint32_t count = mempool_blocks(p);
    uint32_t state = mempool_load(&pool->state);
    uint32_t free = state / MEMPOOL_UNIT;
    uint32_t allocs = 0;
    uint32_t held = 0;
#if MEMPOOL_DIAGNOSTICS
    stats->failures = mempool_peek(&pool->failures);
    stats->spills = mempool_peek(&pool->spills);
    stats->reclaimed = mempool_peek(&pool->reclaimed);
    stats->refused = mempool_peek(&pool->refused);
    stats->denied = mempool_peek(&pool->denied);
    allocs = mempool_peek(&pool->allocs);
    held = mempool_peek(&pool->held);
#endif
    finish(stats, count << log2_size, count, state, free << log2_size, DEEPEST(pool) << log2_size, allocs, held);
    stats->largest_free = free > MEMPOOL_RESERVE ? 1u << log2_size : 0u;
}

MEMPOOL_HOT int mempool_pool_stats(unsigned p, mempool_stats_t *stats) {
    if (p >= MEMPOOL_POOLS) {
        return MEMPOOL_E_RANGE;
    }
    MEMPOOL_ENTER();
    MEMPOOL_WHOLE(read_one(p, stats));
    MEMPOOL_LEAVE();
    stats->level = mempool_pressure_level(p);
    return MEMPOOL_OK;
}

MEMPOOL_HOT int mempool_pool_info(unsigned pool, mempool_pool_info_t *info) {
    if (pool >= MEMPOOL_POOLS) {
        return MEMPOOL_E_RANGE;
    }
    mempool_stats_t stats;
    mempool_pool_stats(pool, &stats);
    uint32_t log2_size = mempool_geometry[pool].log2_size;
    info->name = mempool_geometry[pool].name;
    info->block_size = 1u << log2_size;
    info->count = stats.capacity >> log2_size;
    info->reserve = MEMPOOL_RESERVE;
    info->used = stats.used >> log2_size;
    info->peak = stats.peak >> log2_size;
    return MEMPOOL_OK;
}

MEMPOOL_HOT void mempool_reset_stats(void) {
#if MEMPOOL_DIAGNOSTICS
    uint32_t held = 0;
    for (unsigned p = 0; p < MEMPOOL_POOLS; ++p) {
        mempool_pool_t *pool = mempool_pool(p);
        MEMPOOL_ENTER();
        uint32_t state;
        uint32_t used;
        MEMPOOL_WHOLE((used = mempool_blocks(p), state = mempool_load(&pool->state),
            used -= state / MEMPOOL_UNIT));
        mempool_store(&pool->deepest, state);
        mempool_at_most(&pool->deepest, mempool_load(&pool->state)); // what was taken meanwhile
        held += used;
        mempool_poke(&pool->held, used);
        mempool_poke(&pool->allocs, 0u);
        mempool_poke(&pool->failures, 0u);
        mempool_poke(&pool->spills, 0u);
        mempool_poke(&pool->reclaimed, 0u);
        mempool_poke(&pool->refused, 0u);
        mempool_poke(&pool->denied, 0u);
        MEMPOOL_LEAVE();
    }
    mempool_poke(&held_in_all, held);
    mempool_poke(&mempool_refused_foreign, 0u);
#endif
    mempool_owner_reset_stats();
    if (MEMPOOL_HEAP_FALLBACK) {
        mempool_heap_reset_stats();
    }
}
