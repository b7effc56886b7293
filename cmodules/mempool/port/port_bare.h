// port_bare.h - one core, no operating system: Cortex-M (v7-M: with LDREX/STREX) and RISC-V with the A extension. Whoever owns
// the timer interrupt adds one to mempool_port_ticks every 10 ms, and one to mempool_port_seconds every second; in our emulated
// boards that is firmware/platform.
// There is no C heap: ALLOW_HEAP_FALLBACK finds none here unless the build supplies mempool_bare_heap_alloc/free.

#ifndef MEMPOOL_PORT_BARE_H
#define MEMPOOL_PORT_BARE_H

#define MEMPOOL_SINGLE_CORE 1
#define MEMPOOL_HOT
#define MEMPOOL_FAST
#define MEMPOOL_FAST_CONST
#define MEMPOOL_PAYLOAD
#define MEMPOOL_NOINIT __attribute__((section(".noinit")))
#define MEMPOOL_PORT_INLINE static inline __attribute__((always_inline))
#define MEMPOOL_TICK_MS 10u

__attribute__((weak)) volatile uint32_t mempool_port_ticks;
__attribute__((weak)) volatile uint32_t mempool_port_seconds;

static inline uint32_t mempool_port_tick(void) {
    return mempool_port_ticks;
}

static inline uint32_t mempool_port_uptime_s(void) {
    return mempool_port_seconds;
}

#if defined(__riscv)

// Newer assemblers count these instructions as an extension that -march=rv32imac does not name.
#define ZICSR(instruction) ".option push\n\t.option arch, +zicsr\n\t" instruction "\n\t.option pop"

static inline uint32_t mempool_port_mask(void) {
    uint32_t state;
    __asm__ volatile(ZICSR("csrrci %0, mstatus, 8")
                     : "=r"(state)
                     :
                     : "memory");
    return state & 8u;
}

static inline void mempool_port_unmask(uint32_t state) {
    __asm__ volatile(ZICSR("csrs mstatus, %0")
                     :
                     : "r"(state)
                     : "memory");
}

#undef ZICSR

#elif defined(__arm__)

static inline uint32_t mempool_port_mask(void) {
    uint32_t state;
    __asm__ volatile("mrs %0, primask\n\tcpsid i"
                     : "=r"(state)
                     :
                     : "memory");
    return state;
}

static inline void mempool_port_unmask(uint32_t state) {
    __asm__ volatile("msr primask, %0"
                     :
                     : "r"(state)
                     : "memory");
}

// rbit and clz.
#define MEMPOOL_PORT_CTZ(v) ((uint32_t)__builtin_ctz(v))

#else
#error "port_bare.h knows ARM and RISC-V"
#endif

#define MEMPOOL_LOCK() uint32_t mempool_lock_state = mempool_port_mask()
#define MEMPOOL_UNLOCK() mempool_port_unmask(mempool_lock_state)

#if MEMPOOL_PORT_MASKED
#include "masked.h"
#elif defined(__riscv)
#include "atomic_riscv.h"
#else
#include "atomic_c11.h"
#endif

// Sleeps in the processor's idle state until enough ticks have come. Needs the timer interrupt.
static inline void mempool_port_sleep_ms(uint32_t ms) {
    uint32_t start = mempool_port_ticks;
    uint32_t ticks = (ms + MEMPOOL_TICK_MS - 1u) / MEMPOOL_TICK_MS;
    while (mempool_port_ticks - start < ticks) {
        __asm__ volatile("wfi");
    }
}

// Why the machine started: the board's to say.
__attribute__((weak)) const char *mempool_bare_reset_cause(void);

static inline const char *mempool_port_reset_cause(void) {
    return mempool_bare_reset_cause == NULL ? "unknown" : mempool_bare_reset_cause();
}

#define mempool_port_must_defer() (false)
#define mempool_port_defer(fn) (false)

__attribute__((weak)) void *mempool_bare_heap_alloc(uint32_t size);
__attribute__((weak)) void mempool_bare_heap_free(void *data);

static inline void *mempool_port_heap_alloc(uint32_t size) {
    return mempool_bare_heap_alloc == NULL ? NULL : mempool_bare_heap_alloc(size);
}

static inline void mempool_port_heap_free(void *data) {
    mempool_bare_heap_free(data);
}

#endif // MEMPOOL_PORT_BARE_H
