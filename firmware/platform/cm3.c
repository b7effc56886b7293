// Cortex-M3 of QEMU's mps2-an385: SysTick for the clock, CMSDK timer 0 for the test hook, CMSDK
// timer 1 as the free-running counter, the transmitter of UART 1 as the line that gives edges, PendSV for the bus's task,
// vectors in RAM, and faults that end the emulation.

#include "platform.h"

#if defined(__ARM_ARCH_7M__)

#include <string.h>

#define REG(address) (*(volatile uint32_t *)(address))

#define SYSTICK_CSR REG(0xE000E010)
#define SYSTICK_RVR REG(0xE000E014)
#define SYSTICK_CVR REG(0xE000E018)
#define SYSTICK_ON (7u) // processor clock, interrupt, enable
#define NVIC_ISER0 REG(0xE000E100)
#define SCB_ICSR REG(0xE000ED04)
#define SCB_ICSR_PENDSVSET (1u << 28)
#define SCB_VTOR REG(0xE000ED08)
#define SCB_AIRCR REG(0xE000ED0C)
#define SCB_SHPR3 REG(0xE000ED20)
#define SCB_SHPR3_PENDSV_LOWEST (0xffu << 16) // all others have the highest
#define SCB_CFSR REG(0xE000ED28)

#define TIMER0 (0x40000000u)
#define TIMER1 (0x40001000u)
#define TIMER_CTRL(timer) REG((timer) + 0x0)
#define TIMER_VALUE(timer) REG((timer) + 0x4)
#define TIMER_RELOAD(timer) REG((timer) + 0x8)
#define TIMER_INTCLEAR(timer) REG((timer) + 0xC)
#define TIMER_ENABLE (1u)
#define TIMER_INTERRUPT (8u)
#define TIMER0_IRQ (8u)

#define UART1 (0x40005000u)
#define UART_DATA(uart) REG((uart) + 0x0)
#define UART_CTRL(uart) REG((uart) + 0x8)
#define UART_INTCLEAR(uart) REG((uart) + 0xC)
#define UART_BAUDDIV(uart) REG((uart) + 0x10)
#define UART_TX_ENABLE (1u)
#define UART_TX_INTERRUPT (4u)
#define UART_INT_TX (1u)
#define UART1_TX_IRQ (3u)

#define EXCEPTIONS (16u)
#define INTERRUPTS (32u)
#define VECTOR_NMI (2u)
#define VECTOR_USAGE_FAULT (6u)
#define VECTOR_PENDSV (14u)
#define VECTOR_SYSTICK (15u)

extern const uint32_t isr_vector[EXCEPTIONS];

// VTOR wants the table aligned to its size, rounded up to a power of two.
static uint32_t vectors[EXCEPTIONS + INTERRUPTS] __attribute__((aligned(256)));

static void systick_interrupt(void) {
    platform_clock_tick();
    platform_console_poll();
}

static void timer0_interrupt(void) {
    TIMER_INTCLEAR(TIMER0) = 1;
    platform_hook_run();
}

static void uart1_tx_interrupt(void) {
    UART_INTCLEAR(UART1) = UART_INT_TX;
    platform_edge_run();
}

static void pendsv_interrupt(void) {
    platform_task_run();
}

// frame: what the processor pushed, r0-r3 r12 lr pc xpsr.
__attribute__((used)) static void fault(const uint32_t *frame) {
    platform_fault("processor fault", frame[6], frame[5], SCB_CFSR);
}

__attribute__((naked)) static void fault_entry(void) {
    __asm volatile("mov r0, sp \n b %0"
                   :
                   : "i"(fault));
}

void platform_machine_init(void) {
    memcpy(vectors, isr_vector, EXCEPTIONS * sizeof(vectors[0]));
    for (uint32_t i = VECTOR_NMI; i <= VECTOR_USAGE_FAULT; ++i) {
        vectors[i] = (uint32_t)&fault_entry;
    }
    for (uint32_t i = 0; i < INTERRUPTS; ++i) {
        vectors[EXCEPTIONS + i] = (uint32_t)&fault_entry;
    }
    vectors[VECTOR_SYSTICK] = (uint32_t)&systick_interrupt;
    vectors[VECTOR_PENDSV] = (uint32_t)&pendsv_interrupt;
    vectors[EXCEPTIONS + TIMER0_IRQ] = (uint32_t)&timer0_interrupt;
    vectors[EXCEPTIONS + UART1_TX_IRQ] = (uint32_t)&uart1_tx_interrupt;

    uint32_t state = platform_irq_save();
    SCB_VTOR = (uint32_t)vectors;
    __asm volatile("dsb \n isb"
                   :
                   :
                   : "memory");
    TIMER_RELOAD(TIMER1) = UINT32_MAX;
    TIMER_VALUE(TIMER1) = UINT32_MAX;
    TIMER_CTRL(TIMER1) = TIMER_ENABLE;
    SCB_SHPR3 = SCB_SHPR3_PENDSV_LOWEST;
    UART_BAUDDIV(UART1) = 16;
    SYSTICK_RVR = PLATFORM_COUNTS_PER_MS - 1;
    SYSTICK_CVR = 0;
    SYSTICK_CSR = SYSTICK_ON;
    NVIC_ISER0 = 1u << TIMER0_IRQ | 1u << UART1_TX_IRQ;
    platform_irq_restore(state & ~1u);
}

void platform_machine_hook(uint32_t period_us) {
    TIMER_CTRL(TIMER0) = 0;
    TIMER_INTCLEAR(TIMER0) = 1;
    if (period_us != 0) {
        TIMER_RELOAD(TIMER0) = period_us * PLATFORM_COUNTS_PER_US;
        TIMER_VALUE(TIMER0) = period_us * PLATFORM_COUNTS_PER_US;
        TIMER_CTRL(TIMER0) = TIMER_ENABLE | TIMER_INTERRUPT;
    }
}

void platform_machine_edge(bool on) {
    UART_CTRL(UART1) = on ? UART_TX_ENABLE | UART_TX_INTERRUPT : 0u;
    UART_INTCLEAR(UART1) = UART_INT_TX;
}

// Nobody is at the other end: the byte is sent at once, and the transmitter says so. While it is off a byte would stay in it.
void platform_edge_raise(void) {
    if (UART_CTRL(UART1) != 0) {
        UART_DATA(UART1) = 0;
    }
}

void platform_machine_reset(void) {
    SCB_AIRCR = 0x05FA0004u; // the key, and the request
}

void platform_machine_task_wake(void) {
    SCB_ICSR = SCB_ICSR_PENDSVSET;
}

bool platform_machine_in_task(void) {
    uint32_t ipsr;
    __asm volatile("mrs %0, ipsr"
                   : "=r"(ipsr));
    return (ipsr & 0x1ffu) == VECTOR_PENDSV;
}

uint32_t platform_counter(void) {
    return ~TIMER_VALUE(TIMER1);
}

uint32_t platform_cycles(void) {
    return platform_counter();
}

#endif
