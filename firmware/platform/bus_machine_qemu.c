// Event sources of the emulated boards: the timer's hook and the line of platform.h, both real interrupts.

#include "bus_sources.h"
#include "platform.h"

static void (*timer_fn)(void);
static void (*line_fn)(int level);

static void run_timer(void *ctx) {
    (void)ctx;
    timer_fn();
}

static void run_line(void *ctx) {
    (void)ctx;
    line_fn(-1);
}

bool bus_machine_timer(void (*fn)(void), uint32_t period_us) {
    platform_set_tick_hook(NULL, NULL, 0);
    if (period_us != 0) {
        timer_fn = fn;
        platform_set_tick_hook(run_timer, NULL, period_us);
    }
    return true;
}

bool bus_machine_line(void (*fn)(int level), int pin) {
    platform_set_edge_hook(NULL, NULL);
    if (pin != BUS_MACHINE_NO_PIN) {
        return false;
    }
    if (fn != NULL) {
        line_fn = fn;
        platform_set_edge_hook(run_line, NULL);
    }
    return true;
}

void bus_machine_trigger(void) {
    platform_edge_raise();
}

uint32_t bus_machine_us(void) {
    return platform_us();
}
