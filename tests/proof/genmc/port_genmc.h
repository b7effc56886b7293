// port_genmc.h - in place of port_host.h: what GenMC's interpreter can run. The word operations are a port's own, as shipped.

#ifndef PORT_GENMC_H
#define PORT_GENMC_H

#define MEMPOOL_PORT_HOST_H // port_host.h has nothing to say then

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "mempool.h"

#define MEMPOOL_SINGLE_CORE 0
#define MEMPOOL_HOT
#define MEMPOOL_FAST
#define MEMPOOL_FAST_CONST
#define MEMPOOL_PAYLOAD
#define MEMPOOL_NOINIT
#define MEMPOOL_PORT_INLINE static inline __attribute__((always_inline))
#define MEMPOOL_TICK_MS 10u

static pthread_mutex_t genmc_mutex = PTHREAD_MUTEX_INITIALIZER;
#define MEMPOOL_LOCK() pthread_mutex_lock(&genmc_mutex)
#define MEMPOOL_UNLOCK() pthread_mutex_unlock(&genmc_mutex)

#include "atomic_c11.h"
// No MEMPOOL_PORT_CTZ: the interpreter does not know the intrinsic, and the table does.

static inline uint32_t mempool_port_tick(void) {
    return 7u;
}

static inline uint32_t mempool_port_uptime_s(void) {
    return 0u;
}

static inline void mempool_port_sleep_ms(uint32_t ms) {
    (void)ms;
}

#define mempool_port_reset_cause() "power-on"
#define mempool_port_must_defer() (false)
#define mempool_port_defer(fn) (false)

static inline void *mempool_port_heap_alloc(uint32_t size) {
    return malloc(size);
}

static inline void mempool_port_heap_free(void *data) {
    free(data);
}

#endif // PORT_GENMC_H
