// stats.c - what the pools did and hold, in numbers that agree with each other.

#include "mempool_core.h"

#define ADD_BYTES(name, size, log2, blocks) +(blocks) * (size)
#define CAPACITY (0u MEMPOOL_CLASSES(ADD_BYTES))
#define ADD_BLOCKS(name, size, log2, blocks) +(blocks)
#define BLOCKS (0u MEMPOOL_CLASSES(ADD_BLOCKS))

#if MEMPOOL_DIAGNOSTICS
static mempool_word_t held_in_all MEMPOOL_FAST; // sum of the pools' `held`
#define HELD_IN_ALL mempool_peek(&held_in_all)

#define IN_ALL MEMPOOL_POOLS                // beside the pools' numbers
static mempool_word_t rounded MEMPOOL_FAST; // a bit a pool, and one for all: frees were seen beyond 2^31 since reset_stats

// Frees that look negative. They are that where a taker is between its ticket and its count, and little was taken so far: none yet.
// They are not from 2^31 on, nor when they have come round.
static MEMPOOL_HOT __attribute__((noinline)) void settle_frees(unsigned p, mempool_stats_t *stats) {
    MEMPOOL_ENTER();
    if (stats->allocs >= 1u << 30) {
        mempool_fetch_or(&rounded, 1u << p);
    } else if ((mempool_load(&rounded) >> p & 1u) == 0) {
        stats->frees = 0;
    }
    MEMPOOL_LEAVE();
}
#define SETTLE_FREES(p, stats) ((int32_t)(stats)->frees < 0 ? settle_frees(p, stats) : (void)0)
#else
#define HELD_IN_ALL 0u
#define SETTLE_FREES(p, stats) ((void)0)
#endif

// The fewest blocks that were free.
#if MEMPOOL_DIAGNOSTICS
#define DEEPEST(pool) (mempool_load(&(pool)->deepest) / MEMPOOL_UNIT)
#define PEAK(capacity, fewest_bytes) ((capacity) - (fewest_bytes))
#else
#define DEEPEST(pool) 0u
#define PEAK(capacity, fewest_bytes) 0u
#endif

// `state` is the sum of the state words: they are made so that the sums of their two parts do not meet.
static inline __attribute__((always_inline)) void finish(mempool_stats_t *out, uint32_t capacity, uint32_t blocks,
    uint32_t state, uint32_t free_bytes, uint32_t fewest_bytes, uint32_t allocs, uint32_t held) {
    uint32_t used_blocks = blocks - state / MEMPOOL_UNIT;
    if (MEMPOOL_GROW > 0 && !MEMPOOL_SINGLE_CORE) {
        // Whoever resizes a pool was stopped in the middle: more may be free than there are.
        free_bytes = free_bytes > capacity ? capacity : free_bytes;
        used_blocks = (int32_t)used_blocks < 0 ? 0u : used_blocks;
    }
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
    out->allocs = allocs;
    out->frees = allocs + held - used_blocks;
    uint32_t requested = (state & MEMPOOL_SUM_MASK) + used_blocks;
    out->requested = requested < out->used ? requested : out->used; // where adopt has met give: its byte is in the sum
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
#define ADD_POOL(label, size, log2, blocks)                      \
    {                                                            \
        const mempool_pool_t *pool = &mempool_stores.label.pool; \
        uint32_t now = mempool_load(&pool->state);               \
        uint32_t free = now / MEMPOOL_UNIT;                      \
        state += now;                                            \
        free_bytes += free << (log2);                            \
        fewest_bytes += DEEPEST(pool) << (log2);                 \
        if (free > MEMPOOL_RESERVE) {                            \
            largest = size;                                      \
        }                                                        \
    }
    MEMPOOL_CLASSES(ADD_POOL)
#if MEMPOOL_DIAGNOSTICS
#define ALL(counter) (mempool_peek(&mempool_stores.TINY.pool.counter) + mempool_peek(&mempool_stores.SMALL.pool.counter) + mempool_peek(&mempool_stores.MEDIUM.pool.counter) + mempool_peek(&mempool_stores.LARGE.pool.counter) + mempool_peek(&mempool_stores.XLARGE.pool.counter))
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
    SETTLE_FREES(IN_ALL, stats);
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
    SETTLE_FREES(p, stats);
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

#if MEMPOOL_DIAGNOSTICS

// What is added meanwhile stays.
static void count_anew(mempool_word_t *counter) {
    uint32_t counted = mempool_load(counter);
    if (counted != 0) {
        mempool_fetch_add(counter, 0u - counted);
    }
}

// Under the lock.
static void reset_pool(unsigned p) {
    mempool_pool_t *pool = mempool_pool(p);
    // At once, and `held` after it: who reads between the two finds too few frees, never too many. A take that has its ticket and is
    // not counted yet is held, and counted later: that one shows as given back.
    uint32_t state = mempool_load(&pool->state);
    count_anew(&pool->allocs);
    uint32_t held = mempool_blocks(p) - state / MEMPOOL_UNIT;
    mempool_at_least(&pool->deepest, state);
    // What was taken meanwhile is either seen here or finds the new mark: for that this look is a read-modify-write, as a take's is.
    int zero;
    mempool_at_most(&pool->deepest, mempool_add(&pool->state, 0u, &zero));
    uint32_t more = held - mempool_peek(&pool->held);
    if (more != 0) {
        mempool_poke(&pool->held, held);
        mempool_fetch_add(&held_in_all, more);
    }
    count_anew(&pool->failures);
    count_anew(&pool->spills);
    count_anew(&pool->reclaimed);
    count_anew(&pool->refused);
    count_anew(&pool->denied);
}

#endif

void mempool_reset_stats(void) {
    if (!mempool_is_ready()) {
        return;
    }
#if MEMPOOL_DIAGNOSTICS
    for (unsigned p = 0; p < MEMPOOL_POOLS; ++p) {
        MEMPOOL_LOCK(); // two resets, or one and a pool that grows, would count the same twice
        reset_pool(p);
        MEMPOOL_UNLOCK();
    }
    MEMPOOL_LOCK();
    count_anew(&mempool_refused_foreign);
    mempool_fetch_and(&rounded, 0u);
    MEMPOOL_UNLOCK();
#endif
    mempool_owner_reset_stats();
    if (MEMPOOL_HEAP_FALLBACK) {
        mempool_heap_reset_stats();
    }
}
