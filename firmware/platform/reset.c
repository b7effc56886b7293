// Why the emulated board started: a word that a reset leaves alone tells a reset of our own from a power-on.

#include "platform.h"

#define MARK 0x52534554u

static volatile uint32_t mark __attribute__((section(".noinit")));
static const char *cause = "power-on";

const char *mempool_bare_reset_cause(void);

const char *mempool_bare_reset_cause(void) {
    return cause;
}

void platform_reset_init(void) {
    if (mark == MARK) {
        cause = "software";
    }
    mark = 0;
}

void platform_reset(void) {
    platform_irq_save();
    mark = MARK;
    platform_machine_reset();
    for (;;) {
    }
}
