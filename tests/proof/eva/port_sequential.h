// port_sequential.h - in place of port_host.h, before everything (gcc -include): a machine that does one thing at a time, for
// Frama-C's Eva. The word operations are masked.h's, with a mask that does nothing.
//
// What Eva does not know is written out: volatile (it would take each read for any number at all) and the compiler's atomics.
// noinit.c keeps its volatile: what a reset leaves behind is any number.

#ifndef PORT_SEQUENTIAL_H
#define PORT_SEQUENTIAL_H

#define MEMPOOL_PORT_HOST_H // port_host.h has nothing to say then

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "any.h"
#include "mempool.h"
#include "task_sequential.h"

#ifndef KEEP_VOLATILE
#define volatile
#endif

#define MEMPOOL_SINGLE_CORE 1
#define MEMPOOL_HOT
#define MEMPOOL_FAST
#define MEMPOOL_FAST_CONST
#define MEMPOOL_PAYLOAD
#define MEMPOOL_NOINIT
#define MEMPOOL_PORT_INLINE static inline
#define MEMPOOL_TICK_MS 10u
#define MEMPOOL_LOCK() ((void)0)
#define MEMPOOL_UNLOCK() ((void)0)

#define __atomic_load_n(address, order) (*(address))
#define __atomic_store_n(address, value, order) (*(address) = (value))
#define __atomic_signal_fence(order) ((void)0)
#define __asm__(...)
#define _Alignas(bytes) __attribute__((aligned(bytes)))

static inline uint32_t mempool_port_mask(void) {
    return 0;
}

static inline void mempool_port_unmask(uint32_t state) {
    (void)state;
}

#include "masked.h"
// MEMPOOL_PORT_CTZ is left out: the table is looked at too.

static inline uint32_t mempool_port_tick(void) {
    return proof_uint();
}

static inline uint32_t mempool_port_uptime_s(void) {
    return proof_uint();
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

#endif // PORT_SEQUENTIAL_H
