// RV32 of QEMU's virt machine: the CLINT's one timer drives the clock and the test hook, and a
// trap handler of our own replaces the port's, whose interrupts do nothing.

#include "platform.h"

#if defined(__riscv)

#define MTIMECMP_LOW (*(volatile uint32_t *)0x02004000)
#define MTIMECMP_HIGH (*(volatile uint32_t *)0x02004004)
#define MTIME_LOW (*(volatile uint32_t *)0x0200BFF8)
#define MTIME_HIGH (*(volatile uint32_t *)0x0200BFFC)

#define MCAUSE_TIMER (0x80000007u)
#define MIE_TIMER (1u << 7)

static const char *const causes[16] = {
    [0] = "instruction address misaligned",
    [1] = "instruction access fault",
    [2] = "illegal instruction",
    [3] = "breakpoint",
    [4] = "load address misaligned",
    [5] = "load access fault",
    [6] = "store address misaligned",
    [7] = "store access fault",
    [11] = "environment call",
};

static uint64_t next_tick;
static uint64_t next_hook; // UINT64_MAX: no hook
static uint32_t hook_counts;

static uint64_t mtime(void) {
    uint32_t high, low;
    do {
        high = MTIME_HIGH;
        low = MTIME_LOW;
    } while (high != MTIME_HIGH);
    return (uint64_t)high << 32 | low;
}

// Interrupts are masked. The high half goes to its maximum first, so that no value between the
// old and the new one fires.
static void set_timer(void) {
    uint64_t next = next_tick < next_hook ? next_tick : next_hook;
    MTIMECMP_HIGH = UINT32_MAX;
    MTIMECMP_LOW = (uint32_t)next;
    MTIMECMP_HIGH = (uint32_t)(next >> 32);
}

static void timer_interrupt(void) {
    if (mtime() >= next_tick) {
        platform_clock_tick();
        platform_console_poll();
        // A late tick is not made up for: the clock counts by the counter, not by ticks.
        next_tick = mtime() + PLATFORM_COUNTS_PER_MS;
    }
    if (mtime() >= next_hook) {
        platform_hook_run();
        next_hook += hook_counts;
        // Where the hook cannot keep up, the program still gets its turn between two of them.
        uint64_t earliest = mtime() + hook_counts / 4;
        if (next_hook < earliest) {
            next_hook = earliest;
        }
    }
    set_timer();
}

// The compiler saves every register that this function or its callees may change.
__attribute__((interrupt("machine"), aligned(4))) static void trap(void) {
    uint32_t cause;
    __asm volatile("csrr %0, mcause"
                   : "=r"(cause));
    if (cause == MCAUSE_TIMER) {
        timer_interrupt();
        return;
    }
    uint32_t pc, value;
    __asm volatile("csrr %0, mepc"
                   : "=r"(pc));
    __asm volatile("csrr %0, mtval"
                   : "=r"(value));
    const char *what = cause < 16 ? causes[cause] : "unexpected interrupt";
    platform_fault(what != NULL ? what : "unknown trap", pc, cause, value);
}

void platform_machine_init(void) {
    platform_irq_save();
    next_tick = mtime() + PLATFORM_COUNTS_PER_MS;
    next_hook = UINT64_MAX;
    set_timer();
    __asm volatile("csrw mtvec, %0"
                   :
                   : "r"(&trap));
    __asm volatile("csrw mie, %0"
                   :
                   : "r"(MIE_TIMER));
    platform_irq_restore(8u);
}

void platform_machine_hook(uint32_t period_us) {
    uint32_t state = platform_irq_save();
    hook_counts = period_us * PLATFORM_COUNTS_PER_US;
    next_hook = period_us == 0 ? UINT64_MAX : mtime() + hook_counts;
    set_timer();
    platform_irq_restore(state);
}

uint32_t platform_counter(void) {
    return MTIME_LOW;
}

uint32_t platform_cycles(void) {
    uint32_t cycles;
    __asm volatile("csrr %0, mcycle"
                   : "=r"(cycles));
    return cycles;
}

#endif
