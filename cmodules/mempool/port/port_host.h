// port_host.h - a PC: MicroPython's unix port, and the tests of core/ alone. Threads, no interrupts.
//
// MEMPOOL_PORT_MASKED=1 builds the single-core make with a mutex for a mask. A signal handler must not take or give
// there; with the atomic make it may.

#ifndef MEMPOOL_PORT_HOST_H
#define MEMPOOL_PORT_HOST_H

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define MEMPOOL_SINGLE_CORE 0
#define MEMPOOL_HOT
#define MEMPOOL_FAST
#define MEMPOOL_FAST_CONST
#define MEMPOOL_PAYLOAD
#define MEMPOOL_NOINIT
#define MEMPOOL_PORT_INLINE static inline __attribute__((always_inline))
#define MEMPOOL_TICK_MS 10u

// One object a program, whichever files include this. Recursive: a locked table may take a block.
__attribute__((weak)) pthread_mutex_t mempool_port_mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

// The clock of the tests: where it is not 0 it is the tick.
__attribute__((weak)) volatile uint32_t mempool_port_host_tick;

// How often this thread has locked it. A mutex cannot be asked, and a chip has no thread that would see the mask missing. Who
// unlocks what he has not locked ends the program.
__attribute__((weak)) _Thread_local unsigned mempool_port_depth;

#ifndef MEMPOOL_PORT_CHECK_LOCK // a test that runs several threads in one knows better
#define MEMPOOL_PORT_CHECK_LOCK() (mempool_port_depth != 0 ? (void)0 : __builtin_trap())
#endif

static inline uint32_t mempool_port_mask(void) {
    pthread_mutex_lock(&mempool_port_mutex);
    mempool_port_depth += 1u;
    return 0;
}

static inline void mempool_port_unmask(uint32_t state) {
    (void)state;
    MEMPOOL_PORT_CHECK_LOCK();
    mempool_port_depth -= 1u;
    pthread_mutex_unlock(&mempool_port_mutex);
}

#define MEMPOOL_PORT_CHECK_MASK() (mempool_port_depth != 0 ? (void)0 : __builtin_trap())

#define MEMPOOL_LOCK() ((void)mempool_port_mask())
#define MEMPOOL_UNLOCK() mempool_port_unmask(0)

#if MEMPOOL_PORT_MASKED
#include "masked.h"
// Left out, so that the table that small chips search by is tested here too: #define MEMPOOL_PORT_CTZ
#else
#include "atomic_c11.h"
#define MEMPOOL_PORT_CTZ(v) ((uint32_t)__builtin_ctz(v))
#endif

#ifdef CLOCK_MONOTONIC_COARSE
#define MEMPOOL_PORT_CLOCK CLOCK_MONOTONIC_COARSE
#else
#define MEMPOOL_PORT_CLOCK CLOCK_MONOTONIC
#endif

static inline uint32_t mempool_port_tick(void) {
    if (mempool_port_host_tick != 0) {
        return mempool_port_host_tick;
    }
    struct timespec now;
    clock_gettime(MEMPOOL_PORT_CLOCK, &now);
    return (uint32_t)now.tv_sec * 100u + (uint32_t)now.tv_nsec / 10000000u;
}

// A program starts when this is first called.
__attribute__((weak)) time_t mempool_port_started;

static inline uint32_t mempool_port_uptime_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (mempool_port_started == 0) {
        mempool_port_started = now.tv_sec;
    }
    return (uint32_t)(now.tv_sec - mempool_port_started);
}

static inline void mempool_port_sleep_ms(uint32_t ms) {
    struct timespec time = { 0, (long)ms * 1000000L };
    nanosleep(&time, NULL);
}

#define mempool_port_reset_cause() "power-on" // a process that starts
#define mempool_port_must_defer() (false)
#define mempool_port_defer(fn) (false)

static inline void *mempool_port_heap_alloc(uint32_t size) {
    return malloc(size);
}

static inline void mempool_port_heap_free(void *data) {
    free(data);
}

#endif // MEMPOOL_PORT_HOST_H
