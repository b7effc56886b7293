// Time on the emulated boards: MicroPython's ticks, delays and time(), and the hook for tests.
//
// The truth is a free-running hardware counter. The timer interrupt turns it into milliseconds,
// so a tick that comes late (masked, or the host was busy) delays the clock but never loses time.

#include "py/mphal.h"
#include "py/runtime.h"
#include "platform.h"

volatile uint32_t platform_ms;
volatile uint32_t mempool_port_ticks;
volatile uint32_t mempool_port_seconds;
volatile uint32_t platform_timer_interrupts;

static uint32_t counter_at_ms; // what the counter read when platform_ms became what it is
static uint32_t until_10ms = 10;
static uint32_t until_1s = 100;
static uint32_t ms_high; // upper half of the milliseconds

static void (*volatile hook_fn)(void *);
static void *volatile hook_ctx;
static void (*volatile edge_fn)(void *);
static void *volatile edge_ctx;

void platform_init(void) {
    static bool running;
    if (!running) {
        platform_reset_init();
        counter_at_ms = platform_counter();
        platform_machine_init();
        running = true;
    }
    // Hooks belong to the program that set them.
    platform_set_tick_hook(NULL, NULL, 0);
    platform_set_edge_hook(NULL, NULL);
}

void platform_clock_tick(void) {
    platform_timer_interrupts += 1;
    while (platform_counter() - counter_at_ms >= PLATFORM_COUNTS_PER_MS) {
        counter_at_ms += PLATFORM_COUNTS_PER_MS;
        platform_ms += 1;
        if (platform_ms == 0) {
            ms_high += 1;
        }
        until_10ms -= 1;
        if (until_10ms == 0) {
            until_10ms = 10;
            mempool_port_ticks += 1;
            until_1s -= 1;
            if (until_1s == 0) {
                until_1s = 100;
                mempool_port_seconds += 1;
            }
        }
    }
    platform_task_tick();
}

void platform_set_tick_hook(void (*fn)(void *), void *ctx, uint32_t period_us) {
    platform_machine_hook(0);
    hook_fn = fn;
    hook_ctx = ctx;
    if (fn != NULL) {
        platform_machine_hook(period_us < 20 ? 20 : period_us);
    }
}

void platform_hook_run(void) {
    void (*fn)(void *) = hook_fn;
    if (fn != NULL) {
        fn(hook_ctx);
    }
}

void platform_set_edge_hook(void (*fn)(void *), void *ctx) {
    platform_machine_edge(false);
    edge_fn = fn;
    edge_ctx = ctx;
    if (fn != NULL) {
        platform_machine_edge(true);
    }
}

void platform_edge_run(void) {
    void (*fn)(void *) = edge_fn;
    if (fn != NULL) {
        fn(edge_ctx);
    }
}

// MicroPython's names, by the linker's --wrap: newer versions of its qemu port have some of them.

// An emulator delivers its interrupts late when the host is busy. So what Python reads is the last
// tick and what the counter says has passed since.
static uint64_t uptime_us(void) {
    uint32_t state = platform_irq_save();
    uint64_t ms = (uint64_t)ms_high << 32 | platform_ms;
    uint32_t part = platform_counter() - counter_at_ms;
    platform_irq_restore(state);
    return ms * 1000 + part / PLATFORM_COUNTS_PER_US;
}

uint32_t platform_now_ms(void) {
    uint32_t state = platform_irq_save();
    uint32_t ms = platform_ms;
    uint32_t part = platform_counter() - counter_at_ms;
    platform_irq_restore(state);
    return ms + part / PLATFORM_COUNTS_PER_MS;
}

uint32_t platform_us(void) {
    uint32_t state = platform_irq_save();
    uint32_t ms = platform_ms;
    uint32_t part = platform_counter() - counter_at_ms;
    platform_irq_restore(state);
    return ms * 1000u + part / PLATFORM_COUNTS_PER_US; // the whole wraps where ms * 1000 does
}

mp_uint_t __wrap_mp_hal_ticks_ms(void) {
    return platform_now_ms();
}

mp_uint_t __wrap_mp_hal_ticks_us(void) {
    return platform_us();
}

mp_uint_t __wrap_mp_hal_ticks_cpu(void) {
    return platform_cycles();
}

// Since boot: the emulated boards have no calendar.
uint64_t __wrap_mp_hal_time_ns(void) {
    return uptime_us() * 1000;
}

static void delay(uint64_t us) {
    uint64_t end = uptime_us() + us;
    mp_event_handle_nowait();
    while (uptime_us() < end) {
        // Waiting is in ticks; the last one is not slept through.
        if (end - uptime_us() > 1000) {
            platform_wait();
        }
        mp_event_handle_nowait();
    }
}

void __wrap_mp_hal_delay_ms(mp_uint_t ms) {
    delay((uint64_t)ms * 1000);
}

// Short waits run no callbacks, as on other ports.
void __wrap_mp_hal_delay_us(mp_uint_t us) {
    if (us >= 10000) {
        delay(us);
        return;
    }
    uint32_t start = platform_counter();
    while (platform_counter() - start < us * PLATFORM_COUNTS_PER_US) {
    }
}
