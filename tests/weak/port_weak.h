// port_weak.h - the platform of the checker, forced in before every source (-include) in place of port_host.h and
// port_host_task.h: the lock is the machine's, time stands still, and the word operations are a port's own header as shipped.
//
//      WEAK_PORT   words                  machine
//      0 c11       atomic_c11.h           threads on cores
//      1 single    atomic_c11.h, as MEMPOOL_SINGLE_CORE    one hart: signal fences hold (options.hart)
//      2 cas       atomic_cas.h on a compare-and-set of our own; its words are volatile
//      3 riscv     standin_riscv.h        one hart, sequentially consistent (options.newest)
//      4 masked    masked.h               the same; the mask is the lock (options.mask)
//
// docs/internals.md says which chips each stands for.

#ifndef PORT_WEAK_H
#define PORT_WEAK_H

#define MEMPOOL_PORT_HOST_H
#define EVENTBUS_PORT_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mempool.h"
#include "weak.h"

#define MEMPOOL_HOT
#define MEMPOOL_FAST
#define MEMPOOL_FAST_CONST
#define MEMPOOL_PAYLOAD
#define MEMPOOL_NOINIT
#define MEMPOOL_PORT_INLINE static inline __attribute__((always_inline))
#define MEMPOOL_TICK_MS 10u

#define MEMPOOL_LOCK() weak_lock()
#define MEMPOOL_UNLOCK() weak_unlock()

#if WEAK_PORT == 1
#define MEMPOOL_SINGLE_CORE 1
#else
#define MEMPOOL_SINGLE_CORE 0
#endif

#if WEAK_PORT <= 1
#include "atomic_c11.h"
#elif WEAK_PORT == 2
// What IDF's compare-and-set does: the processor does not run ahead of one that stores.
static inline __attribute__((always_inline)) bool esp_cpu_compare_and_set(volatile uint32_t *w, uint32_t expected, uint32_t desired) {
    return __atomic_compare_exchange_n(w, &expected, desired, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}
#include "atomic_cas.h"
#elif WEAK_PORT == 3
#include "standin_riscv.h"
#else
static inline uint32_t mempool_port_mask(void) {
    weak_lock();
    return 0;
}
static inline void mempool_port_unmask(uint32_t state) {
    (void)state;
    weak_unlock();
}
#define MEMPOOL_PORT_CHECK_MASK() weak_check_lock()
#include "masked.h"
#endif

// Left out with masked.h, so that the table that small chips search by is tested too.
#if WEAK_PORT != 4
#define MEMPOOL_PORT_CTZ(v) ((uint32_t)__builtin_ctz(v))
#endif

static inline uint32_t mempool_port_tick(void) {
    return 1000u;
}

static inline uint32_t mempool_port_uptime_s(void) {
    return 10u;
}

static inline void mempool_port_sleep_ms(uint32_t ms) {
    (void)ms;
    weak_sleep();
}

#define mempool_port_reset_cause() "power-on"
#define mempool_port_must_defer() (false)
#define mempool_port_defer(fn) (false)

void *unit_heap_alloc(uint32_t size); // of the unit's own memory: it begins anew with each execution
void unit_heap_free(void *data);
#define mempool_port_heap_alloc(size) unit_heap_alloc(size)
#define mempool_port_heap_free(data) unit_heap_free(data)

// The bus's task: a thread of the scene calls eventbus_task_run.
void unit_wake(void);
bool unit_in_task(void);
#define eventbus_port_us() (5000u)
#define eventbus_port_ms() (5u)
#define eventbus_port_start() (true)
#define eventbus_port_wake() unit_wake()
#define eventbus_port_later() unit_wake()
#define eventbus_port_more() unit_wake()
#define eventbus_port_in_task() unit_in_task()
#define eventbus_port_pause() weak_sleep()
#define eventbus_port_vm_is_here() ((void)0)
#define eventbus_port_vm_awake() ((void)0)
#define eventbus_port_wake_vm() ((void)0)

#endif // PORT_WEAK_H
