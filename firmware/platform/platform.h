// The emulated boards' platform: a clock from a real timer interrupt, interrupt masking, a
// console that can be interrupted, and a periodic interrupt for tests. MicroPython's qemu port
// has none of these; the linker's --wrap puts them under its names (see micropython.mk), so
// that MicroPython itself stays as it comes.
//
// MicroPython's configuration header includes this file, so it includes nothing of MicroPython.
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__riscv)
#define PLATFORM_COUNTS_PER_US (10u) // the CLINT's mtime
#else
#define PLATFORM_COUNTS_PER_US (25u) // a CMSDK timer on the 25 MHz peripheral clock
#endif
#define PLATFORM_COUNTS_PER_MS (PLATFORM_COUNTS_PER_US * 1000u)

// Written by the timer interrupt alone; any context may read them. They wrap at 2^32. The pools
// read the second, which counts every 10 ms (cmodules/mempool/port/port_bare.h).
extern volatile uint32_t platform_ms;
extern volatile uint32_t mempool_port_ticks;
// Timer interrupts since boot: proof that they run.
extern volatile uint32_t platform_timer_interrupts;

// Masks interrupts and returns what platform_irq_restore wants: nests. Constant time, any context.
static inline uint32_t platform_irq_save(void) {
    uint32_t state;
#if defined(__riscv)
    __asm volatile("csrrci %0, mstatus, 8"
                   : "=r"(state)
                   :
                   : "memory");
#else
    __asm volatile("mrs %0, primask \n cpsid i"
                   : "=r"(state)
                   :
                   : "memory");
#endif
    return state;
}

static inline void platform_irq_restore(uint32_t state) {
#if defined(__riscv)
    __asm volatile("csrs mstatus, %0"
                   :
                   : "r"(state & 8u)
                   : "memory");
#else
    __asm volatile("msr primask, %0"
                   :
                   : "r"(state)
                   : "memory");
#endif
}

// Sleeps until the next interrupt, at most about 1 ms.
static inline void platform_wait(void) {
    __asm volatile("wfi"
                   :
                   :
                   : "memory");
}

// Starts the clock and the interrupts. MicroPython calls it at boot and at each soft reset;
// after a soft reset the clock runs on.
void platform_init(void);

// A free-running counter, PLATFORM_COUNTS_PER_US to the microsecond. Any context.
uint32_t platform_counter(void);

// Microseconds and milliseconds since boot, which wrap at 2^32; the latter are what time.ticks_ms() is made of. Any context.
uint32_t platform_us(void);
uint32_t platform_now_ms(void);

// Processor cycles: mcycle on RISC-V (instructions, under QEMU's -icount shift=0), elsewhere the
// counter above. Any context.
uint32_t platform_cycles(void);

// Calls fn(ctx) from a timer interrupt every period_us (at least 20) microseconds; fn NULL stops
// it, and when this returns the old one no longer runs. Not from an interrupt.
void platform_set_tick_hook(void (*fn)(void *), void *ctx, uint32_t period_us);

// A line that raises an interrupt of its own, by a UART that is not the console's input: platform_edge_raise() triggers it once,
// and its interrupt calls fn(ctx). fn NULL disarms it. Not from an interrupt.
void platform_set_edge_hook(void (*fn)(void *), void *ctx);
void platform_edge_raise(void);

// Resets the machine, as if by its software; start-up clears all but .noinit.
void platform_reset(void) __attribute__((noreturn));

// Between the parts of the platform.
void platform_clock_tick(void);                 // timer interrupt, at least every millisecond
void platform_console_poll(void);               // the same: takes what the UART has, sees Ctrl-C
void platform_machine_init(void);               // timers, vectors; interrupts are on when it returns
void platform_machine_hook(uint32_t period_us); // 0 stops
void platform_hook_run(void);                   // timer interrupt, every period
void platform_machine_edge(bool on);            // the line's interrupt, masked or not
void platform_edge_run(void);                   // that interrupt
void platform_machine_task_wake(void);          // raises the interrupt of the lowest priority; any context
bool platform_machine_in_task(void);            // whether the caller is in it
void platform_task_run(void);                   // that interrupt
void platform_task_tick(void);                  // timer interrupt, every millisecond
void platform_machine_reset(void);              // the machine's own way
void platform_reset_init(void);                 // at the start: why there is one
// Prints what happened and ends the emulation with status 1.
void platform_fault(const char *what, uint32_t pc, uint32_t return_address, uint32_t detail)
    __attribute__((noreturn));

#endif // PLATFORM_H
