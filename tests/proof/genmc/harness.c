// harness.c - a scene for GenMC: threads that take and give blocks of the core as it is shipped, in one file, since GenMC reads
// one. scenes.py writes scene.h, with the threads' steps, and core.h, which includes the core's sources.
//
// Each holder of a block writes its handle into it, without any atomic. Where two hold it, or what one wrote reaches the next
// too late, GenMC reports a race, or an assertion fails.

#include "port_genmc.h"

#include "mempool_core.h"

// They keep a compiler from being clever; the interpreter has no assembly.
#undef MEMPOOL_OPAQUE
#define MEMPOOL_OPAQUE(variable) ((void)0)
#undef MEMPOOL_STAY
#define MEMPOOL_STAY(variable) ((void)0)

#include "core.h"

static uint32_t *content(mempool_handle_t handle) {
    return (uint32_t *)(void *)mempool_payload_of(mempool_handle_pool(handle), mempool_handle_index(handle));
}

static mempool_handle_t take(void) {
    mempool_handle_t handle = mempool_take(32, MEMPOOL_NO_OWNER);
    if (handle > 0) {
        *content(handle) = (uint32_t)handle;
    }
    return handle;
}

static void give(mempool_handle_t handle) {
    assert(*content(handle) == (uint32_t)handle);
    *content(handle) = 0;
    int status = mempool_give(handle);
    assert(status == MEMPOOL_OK);
}

static mempool_handle_t shared; // taken before the threads begin
static int taken_by[3];
static int won_by[3];

// ---- What the steps of a thread are made of: `taken` counts what is held, `won` the gives of `shared` that were obeyed.

// A take that may find nothing, one that has to find something, and the give of what either found.
#define TAKE(name)                  \
    mempool_handle_t name = take(); \
    taken += name > 0;
#define MUST(name) \
    TAKE(name)     \
    assert(name > 0);
#define GIVE(name)  \
    if (name > 0) { \
        give(name); \
        taken--;    \
    }
// The give of `shared`, by the one who holds it, or by one of several that do not know of each other.
#define GIVE_SHARED() \
    give(shared);     \
    taken--;
#define RACE()                                                     \
    {                                                              \
        int status = mempool_give(shared);                         \
        assert(status == MEMPOOL_OK || status == MEMPOOL_E_STALE); \
        if (status == MEMPOOL_OK) {                                \
            taken--;                                               \
            won++;                                                 \
        }                                                          \
    }
#define STATS()                                                        \
    {                                                                  \
        mempool_stats_t stats;                                         \
        mempool_pool_stats(0, &stats);                                 \
        assert(stats.used + stats.free == stats.capacity);             \
        assert(!MEMPOOL_DIAGNOSTICS || stats.used <= stats.peak);      \
        assert(!MEMPOOL_DIAGNOSTICS || stats.requested <= stats.used); \
    }

#include "scene.h"

#define THREAD(number, steps)                \
    static void *thread##number(void *arg) { \
        int taken = 0;                       \
        int won = 0;                         \
        (void)arg;                           \
        steps;                               \
        taken_by[number] = taken;            \
        won_by[number] = won;                \
        return NULL;                         \
    }
THREAD(0, STEPS_0)
THREAD(1, STEPS_1)
#if THREADS > 2
THREAD(2, STEPS_2)
#endif

// Of the pool's blocks only those that the scene names are free. The others are held for good, by nobody.
static void set_up(void) {
    mempool_init();
#ifdef FREE_ONLY
    static const uint32_t blocks[] = { FREE_ONLY };
    mempool_pool_t *pool = mempool_pool(0);
    uint32_t summary = 0;
    for (uint32_t leaf = 0; leaf * 32u < CONFIG_MEMORY_POOL_TINY_COUNT; ++leaf) {
        uint32_t bits = 0;
        for (uint32_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); ++i) {
            bits |= blocks[i] / 32u == leaf ? 1u << (blocks[i] & 31u) : 0u;
        }
        mempool_poke(mempool_leaf(pool, leaf), bits);
        summary |= bits != 0 ? 1u << leaf : 0u;
    }
    (void)summary;
#if MEMPOOL_SUMMARY
    mempool_poke(&pool->summary, summary);
#endif
    mempool_poke(&pool->state, FREE * MEMPOOL_UNIT);
#if MEMPOOL_DIAGNOSTICS
    mempool_poke(&pool->deepest, FREE * MEMPOOL_UNIT);
#endif
#endif
}

int main(void) {
    int taken = 0;
    int won = 0;
    set_up();
#if SHARED
    shared = take();
    assert(shared > 0);
    taken++;
#endif
    pthread_t threads[THREADS];
    pthread_create(&threads[0], NULL, thread0, NULL);
    pthread_create(&threads[1], NULL, thread1, NULL);
#if THREADS > 2
    pthread_create(&threads[2], NULL, thread2, NULL);
#endif
    for (int i = 0; i < THREADS; ++i) {
        pthread_join(threads[i], NULL);
        taken += taken_by[i];
        won += won_by[i];
    }
    assert(won == WON);
    // The counter says what is free, and exactly so many can be taken: no block is lost, and none is there twice.
    mempool_pool_t *pool = mempool_pool(0);
    assert((int)(mempool_load(&pool->state) / MEMPOOL_UNIT) == FREE - taken);
#if MEMPOOL_SUMMARY
    // At rest the summary is right: else the hint would send each later take the slow way.
    for (uint32_t leaf = 0; leaf * 32u < CONFIG_MEMORY_POOL_TINY_COUNT; ++leaf) {
        assert(mempool_load(mempool_leaf(pool, leaf)) == 0 || (mempool_load(&pool->summary) >> leaf & 1u) != 0);
    }
#endif
    for (int left = FREE - taken; left > 0; --left) {
        assert(mempool_take(32, MEMPOOL_NO_OWNER) > 0);
    }
    assert(mempool_take(32, MEMPOOL_NO_OWNER) == MEMPOOL_E_EXHAUSTED);
    return 0;
}
