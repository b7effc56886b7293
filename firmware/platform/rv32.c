// RV32 of QEMU's virt machine: the CLINT's one timer drives the clock and the test hook, its software interrupt is the bus's
// task, the transmitter of the UART, through the PLIC, is the line that gives edges; and a trap handler of our own
// replaces the port's, whose interrupts do nothing. The bus's task alone is interrupted by the others.

#include "platform.h"

#if defined(__riscv)

#define TEST_FINISHER (*(volatile uint32_t *)0x00100000) // QEMU's: ends or resets the machine

#define MSIP (*(volatile uint32_t *)0x02000000)
#define MTIMECMP_LOW (*(volatile uint32_t *)0x02004000)
#define MTIMECMP_HIGH (*(volatile uint32_t *)0x02004004)
#define MTIME_LOW (*(volatile uint32_t *)0x0200BFF8)
#define MTIME_HIGH (*(volatile uint32_t *)0x0200BFFC)

#define PLIC_PRIORITY(source) (*(volatile uint32_t *)(0x0C000000 + 4u * (source)))
#define PLIC_ENABLE (*(volatile uint32_t *)0x0C002000)    // of sources 0 to 31, for the hart in machine mode
#define PLIC_THRESHOLD (*(volatile uint32_t *)0x0C200000) // the same hart's
#define PLIC_CLAIM (*(volatile uint32_t *)0x0C200004)

#define UART_SOURCE (10u)
#define UART_IER (*(volatile uint8_t *)0x10000001)
#define UART_IIR (*(volatile uint8_t *)0x10000002)
#define UART_IER_TRANSMITTER (2u)

#define MCAUSE_SOFTWARE (0x80000003u)
#define MCAUSE_TIMER (0x80000007u)
#define MCAUSE_EXTERNAL (0x8000000Bu)
#define MI_SOFTWARE (1u << 3) // of mie and mip
#define MI_TIMER (1u << 7)
#define MI_EXTERNAL (1u << 11)

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

static volatile bool in_task;
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

// The transmitter is always empty, so its interrupt comes as soon as it is let through; it is let through once.
static void external_interrupt(void) {
    uint32_t source = PLIC_CLAIM;
    if (source == UART_SOURCE) {
        UART_IER = 0;
        (void)UART_IIR; // takes the interrupt back
    }
    if (source != 0) {
        PLIC_CLAIM = source;
    }
    if (source == UART_SOURCE) {
        platform_edge_run();
    }
}

// RISC-V takes this one before the timer's, and no other within it. So it masks itself and lets the others in: the lowest
// priority of all. What they change, and the return from here needs, is kept.
static void software_interrupt(void) {
    uint32_t pc, status;
    MSIP = 0;
    __asm volatile("csrr %0, mepc \n csrr %1, mstatus \n csrci mie, 8"
                   : "=r"(pc), "=r"(status)
                   :
                   : "memory");
    in_task = true;
    platform_irq_restore(8u);
    platform_task_run();
    platform_irq_save();
    in_task = false;
    __asm volatile("csrsi mie, 8 \n csrw mstatus, %1 \n csrw mepc, %0"
                   :
                   : "r"(pc), "r"(status)
                   : "memory");
}

// What comes from outside goes before what comes often, and both before the task.
static void interrupts(void) {
    uint32_t pending;
    bool in_task_below = in_task;
    in_task = false;
    __asm volatile("csrr %0, mip"
                   : "=r"(pending));
    if (pending & MI_EXTERNAL) {
        external_interrupt();
    }
    if (pending & MI_TIMER) {
        timer_interrupt();
    }
    // They may have woken it; within it, it is masked.
    __asm volatile("csrr %0, mip"
                   : "=r"(pending));
    if ((pending & MI_SOFTWARE) != 0 && !in_task_below) {
        software_interrupt();
    }
    in_task = in_task_below;
}

// The compiler saves every register that this function or its callees may change.
__attribute__((interrupt("machine"), aligned(4))) static void trap(void) {
    uint32_t cause;
    __asm volatile("csrr %0, mcause"
                   : "=r"(cause));
    if (cause == MCAUSE_TIMER || cause == MCAUSE_SOFTWARE || cause == MCAUSE_EXTERNAL) {
        interrupts();
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
    MSIP = 0;
    UART_IER = 0;
    PLIC_PRIORITY(UART_SOURCE) = 1;
    PLIC_ENABLE = 1u << UART_SOURCE;
    PLIC_THRESHOLD = 0;
    __asm volatile("csrw mie, %0"
                   :
                   : "r"(MI_TIMER | MI_SOFTWARE | MI_EXTERNAL));
    platform_irq_restore(8u);
}

void platform_machine_hook(uint32_t period_us) {
    uint32_t state = platform_irq_save();
    hook_counts = period_us * PLATFORM_COUNTS_PER_US;
    next_hook = period_us == 0 ? UINT64_MAX : mtime() + hook_counts;
    set_timer();
    platform_irq_restore(state);
}

static bool edge_on;

void platform_machine_edge(bool on) {
    UART_IER = 0;
    edge_on = on;
}

// The console may still have something to send; two triggers are not one for that.
void platform_edge_raise(void) {
    if (edge_on) {
        UART_IER = UART_IER_TRANSMITTER;
        while (UART_IER != 0) {
        }
    }
}

void platform_machine_reset(void) {
    TEST_FINISHER = 0x7777u;
}

void platform_machine_task_wake(void) {
    MSIP = 1;
}

bool platform_machine_in_task(void) {
    return in_task;
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
