// stress.h - what the thread programs share: threads, a clock, random numbers, blocks that say whose they are.
//
// A holder writes a stamp that is his alone into every word of his block and finds it there when he gives it
// back: two owners of one block, or a block that was given twice, cannot stay unseen.

#ifndef STRESS_H
#define STRESS_H

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mempool.h"
#include "mempool_config.h"

static const uint32_t block_sizes[MEMPOOL_POOLS] = { 32, 64, 128, 256, 512 };
static const unsigned counts[MEMPOOL_POOLS] = {
    CONFIG_MEMORY_POOL_TINY_COUNT,
    CONFIG_MEMORY_POOL_SMALL_COUNT,
    CONFIG_MEMORY_POOL_MEDIUM_COUNT,
    CONFIG_MEMORY_POOL_LARGE_COUNT,
    CONFIG_MEMORY_POOL_XLARGE_COUNT,
};

// Ends the program at once: the other threads may be in any state.
__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("FAIL: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    fflush(stderr);
    _Exit(1);
}

static inline double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// A program runs for the seconds that it is given, and then until it has seen what it is for: on a busy computer its
// threads may not have met by then. What has not come about after PATIENCE_S never will.
#define PATIENCE_S 180.0
#define ENOUGH 1000u // takes, events: of what comes all the time
#define SOME 100u    // of what comes now and then
static double end_s;

static inline bool goes_on(bool seen) {
    double now = now_s();
    return now < end_s || (!seen && now < end_s + PATIENCE_S);
}

// Waits until something holds, and fails with the words where it never does.
#define WAIT_UNTIL(condition, ...)                   \
    do {                                             \
        double last_s = now_s() + PATIENCE_S;        \
        while (!(condition)) {                       \
            struct timespec pause_ = { 0, 1000000 }; \
            if (now_s() > last_s) {                  \
                fail(__VA_ARGS__);                   \
            }                                        \
            nanosleep(&pause_, NULL);                \
        }                                            \
    } while (0)

// xorshift32: each thread its own, so that the threads share nothing but the pools.
static inline uint32_t random_next(uint32_t *state) {
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

static inline uint32_t random_below(uint32_t *state, uint32_t limit) {
    return (uint32_t)(((uint64_t)random_next(state) * limit) >> 32);
}

// Fills a block with words that only this thread and this handle make.
static inline void stamp(void *data, uint32_t size, uint32_t thread, mempool_handle_t handle) {
    uint32_t *words = data;
    for (uint32_t i = 0; i < size / 4; i++) {
        words[i] = (uint32_t)handle ^ (thread << 24) ^ (i * 0x9e3779b9u);
    }
}

static inline void verify(const void *data, uint32_t size, uint32_t thread, mempool_handle_t handle) {
    const uint32_t *words = data;
    for (uint32_t i = 0; i < size / 4; i++) {
        uint32_t want = (uint32_t)handle ^ (thread << 24) ^ (i * 0x9e3779b9u);
        if (words[i] != want) {
            fail("block %#x of thread %u: word %u is %#x and not %#x: somebody else wrote here",
                (unsigned)handle, thread, i, words[i], want);
        }
    }
}

#ifdef CONFIG_MEMORY_POOL_DIAGNOSTICS
#define PEAK_HOLDS(used, peak) ((used) <= (peak))
#else
#define PEAK_HOLDS(used, peak) ((peak) == 0) // not counted
#endif

// All that must hold of statistics at any instant, whatever runs meanwhile.
static inline void check_stats(void) {
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        mempool_stats_t s;
        if (mempool_pool_stats(pool, &s) != MEMPOOL_OK) {
            fail("pool_stats(%u)", pool);
        }
        uint32_t blocks = s.capacity / block_sizes[pool];
        if (s.capacity % block_sizes[pool] != 0 || blocks < counts[pool] || blocks > counts[pool] + MEMPOOL_GROW ||
            s.used + s.free != s.capacity ||
            !PEAK_HOLDS(s.used, s.peak) || s.peak > s.capacity || s.utilization > 100 || s.level > 2) {
            fail("pool %u: capacity %u used %u free %u peak %u utilization %u level %u", pool, s.capacity,
                s.used, s.free, s.peak, s.utilization, s.level);
        }
        mempool_pool_info_t info;
        if (mempool_pool_info(pool, &info) != MEMPOOL_OK || info.used > info.count || !PEAK_HOLDS(info.used, info.peak)) {
            fail("pool_info(%u): used %u peak %u of %u", pool, info.used, info.peak, info.count);
        }
    }
    mempool_stats_t s;
    mempool_stats(&s);
    if (s.used + s.free != s.capacity || !PEAK_HOLDS(s.used, s.peak) || s.peak > s.capacity || s.utilization > 100) {
        fail("all: capacity %u used %u free %u peak %u", s.capacity, s.used, s.free, s.peak);
    }
}

// What is given back last may be given back by a thread that nobody can join, as the bus's own.
static inline bool mempool_unused(void) {
    mempool_stats_t s;
    mempool_stats(&s);
    return s.used == 0;
}

// Nothing is outstanding, nothing was lost, and every block can be had again.
static inline void check_empty(void) {
    mempool_stats_t s;
    mempool_pressure_look();
    mempool_stats(&s);
    if (s.used || s.free != s.capacity || s.heap_used || s.level || s.requested || s.waste) {
        fail("at the end: used %u free %u of %u, heap %u, level %u, requested %u", s.used, s.free, s.capacity,
            s.heap_used, s.level, s.requested);
    }
    uint32_t broken = mempool_check();
    if (broken) {
        fail("at the end: check() == %u", broken);
    }
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        static mempool_handle_t handles[1025];
        for (unsigned i = 0; i < counts[pool]; i++) {
            handles[i] = mempool_take_flags(block_sizes[pool], MEMPOOL_NO_OWNER, MEMPOOL_CRITICAL);
            if (handles[i] <= 0) {
                fail("pool %u lost a block: take %u of %u is %d", pool, i + 1, counts[pool], (int)handles[i]);
            }
        }
        if (mempool_take_flags(block_sizes[pool], MEMPOOL_NO_OWNER, MEMPOOL_CRITICAL) != MEMPOOL_E_EXHAUSTED) {
            fail("pool %u gained a block", pool);
        }
        for (unsigned i = 0; i < counts[pool]; i++) {
            if (mempool_give(handles[i]) != MEMPOOL_OK) {
                fail("pool %u: handle %u not given back", pool, i);
            }
        }
    }
}

#if MEMPOOL_GROW > 0

// Makes pools larger and smaller, until *stop; leaves them as they were.
static _Atomic bool resizing_ends;
static _Atomic uint64_t grown, shrunk;

static void *resize_pools(void *arg) {
    uint32_t seed = (uint32_t)(uintptr_t)arg;
    while (!resizing_ends) {
        unsigned pool = random_below(&seed, MEMPOOL_POOLS);
        uint32_t blocks = 1 + random_below(&seed, 8);
        if (random_below(&seed, 2)) {
            int added = mempool_grow(pool, blocks);
            if (added != (int)blocks && added != MEMPOOL_E_RANGE && added != MEMPOOL_E_EXHAUSTED) {
                fail("grow(%u, %u) is %d", pool, blocks, added);
            }
            grown += added > 0 ? (unsigned)added : 0;
        } else {
            int removed = mempool_shrink(pool);
            if (removed < 0) {
                fail("shrink(%u) is %d", pool, removed);
            }
            shrunk += (unsigned)removed;
        }
    }
    return NULL;
}

static pthread_t resizing_thread;

static inline void start_resizing(uint32_t seed) {
    pthread_create(&resizing_thread, NULL, resize_pools, (void *)(uintptr_t)(seed * 7919u + 1u));
}

// When all blocks have been given back.
static inline void end_resizing(void) {
    WAIT_UNTIL(grown > SOME, "grown by %llu only", (unsigned long long)grown);
    resizing_ends = true;
    pthread_join(resizing_thread, NULL);
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        for (int removed; (removed = mempool_shrink(pool)) != 0;) {
            shrunk += (unsigned)removed;
        }
    }
    if (grown != shrunk) {
        fail("grown by %llu, shrunk by %llu", (unsigned long long)grown, (unsigned long long)shrunk);
    }
    printf("grown %llu ", (unsigned long long)grown);
}

#else
#define start_resizing(seed) ((void)(seed))
#define end_resizing() ((void)0)
#endif

// Starts `n` threads of `run`, each with its number, and waits for them.
static inline void run_threads(unsigned n, void *(*run)(void *)) {
    pthread_t threads[64];
    for (unsigned i = 0; i < n; i++) {
        if (pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)i)) {
            fail("pthread_create");
        }
    }
    for (unsigned i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
    }
}

#endif // STRESS_H
