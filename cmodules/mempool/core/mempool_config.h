// mempool_config.h - the numbers this build was configured with (Kconfig writes sdkconfig.h), checked.

#ifndef MEMPOOL_CONFIG_H
#define MEMPOOL_CONFIG_H

#include "sdkconfig.h"

// X(NAME, block size in bytes, log2 of it, blocks), smallest first.
#define MEMPOOL_CLASSES(X)                             \
    X(TINY, 32, 5, CONFIG_MEMORY_POOL_TINY_COUNT)      \
    X(SMALL, 64, 6, CONFIG_MEMORY_POOL_SMALL_COUNT)    \
    X(MEDIUM, 128, 7, CONFIG_MEMORY_POOL_MEDIUM_COUNT) \
    X(LARGE, 256, 8, CONFIG_MEMORY_POOL_LARGE_COUNT)   \
    X(XLARGE, 512, 9, CONFIG_MEMORY_POOL_XLARGE_COUNT)

#define MEMPOOL_LEAVES(count) (((count) + 31u) / 32u)

#if defined(CONFIG_MEMORY_POOL_DIAGNOSTICS) && CONFIG_MEMORY_POOL_DIAGNOSTICS
#define MEMPOOL_DIAGNOSTICS 1
#else
#define MEMPOOL_DIAGNOSTICS 0
#endif

#if MEMPOOL_DIAGNOSTICS && defined(CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS) && CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS
#define MEMPOOL_TRACE 1
#ifndef CONFIG_MEMORY_POOL_TRACE_DEPTH
#error "CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS needs CONFIG_MEMORY_POOL_TRACE_DEPTH"
#endif
#else
#define MEMPOOL_TRACE 0
#endif

#if defined(CONFIG_MEMORY_POOL_POISON_FREED) && CONFIG_MEMORY_POOL_POISON_FREED
#define MEMPOOL_POISON 1
#else
#define MEMPOOL_POISON 0
#endif

#if defined(CONFIG_MEMORY_POOL_ALLOW_HEAP_FALLBACK) && CONFIG_MEMORY_POOL_ALLOW_HEAP_FALLBACK
#if defined(CONFIG_MEMORY_POOL_STRICT_MODE) && CONFIG_MEMORY_POOL_STRICT_MODE
#error "CONFIG_MEMORY_POOL_ALLOW_HEAP_FALLBACK needs CONFIG_MEMORY_POOL_STRICT_MODE=n"
#endif
#define MEMPOOL_HEAP_FALLBACK 1
#else
#define MEMPOOL_HEAP_FALLBACK 0
#endif

#ifdef CONFIG_MEMORY_POOL_EMERGENCY_RESERVE
#define MEMPOOL_RESERVE (CONFIG_MEMORY_POOL_EMERGENCY_RESERVE)
#else
#define MEMPOOL_RESERVE 0
#endif

#ifdef CONFIG_MEMORY_POOL_OWNERS
#define MEMPOOL_OWNERS (CONFIG_MEMORY_POOL_OWNERS)
#else
#define MEMPOOL_OWNERS 0
#endif

#ifdef CONFIG_MEMORY_POOL_GROW_BLOCKS
#define MEMPOOL_GROW (CONFIG_MEMORY_POOL_GROW_BLOCKS)
#else
#define MEMPOOL_GROW 0
#endif

#define MEMPOOL_LOW_PERCENT (CONFIG_MEMORY_POOL_LOW_THRESHOLD)
#define MEMPOOL_CRITICAL_PERCENT (CONFIG_MEMORY_POOL_CRITICAL_THRESHOLD)

// The most blocks a handle, the state word and two levels of 32 bits can tell apart.
#define MEMPOOL_MAX_COUNT 1024

#define MEMPOOL_CHECK_CLASS(name, size, log2, count)                                       \
    _Static_assert((count) >= 1 && (count) + MEMPOOL_GROW <= MEMPOOL_MAX_COUNT,            \
        "CONFIG_MEMORY_POOL_" #name "_COUNT must be 1 to 1024, with what it may grow by"); \
    _Static_assert(MEMPOOL_RESERVE >= 0 && MEMPOOL_RESERVE * 2 <= (count),                 \
        "CONFIG_MEMORY_POOL_EMERGENCY_RESERVE must be at most half of CONFIG_MEMORY_POOL_" #name "_COUNT");
MEMPOOL_CLASSES(MEMPOOL_CHECK_CLASS)

#define MEMPOOL_ADD_COUNT(name, size, log2, count) +(count)
_Static_assert((0 MEMPOOL_CLASSES(MEMPOOL_ADD_COUNT)) + 5 * MEMPOOL_GROW < 4096,
    "the pools must have fewer than 4096 blocks together");
_Static_assert(MEMPOOL_GROW >= 0, "CONFIG_MEMORY_POOL_GROW_BLOCKS must not be negative");
_Static_assert(MEMPOOL_OWNERS >= 0 && MEMPOOL_OWNERS <= 31, "CONFIG_MEMORY_POOL_OWNERS must be 0 to 31");
_Static_assert(MEMPOOL_LOW_PERCENT >= 1 && MEMPOOL_LOW_PERCENT < MEMPOOL_CRITICAL_PERCENT,
    "CONFIG_MEMORY_POOL_CRITICAL_THRESHOLD must be above CONFIG_MEMORY_POOL_LOW_THRESHOLD");
_Static_assert(MEMPOOL_CRITICAL_PERCENT <= 100, "CONFIG_MEMORY_POOL_CRITICAL_THRESHOLD must be at most 100");

#endif // MEMPOOL_CONFIG_H
