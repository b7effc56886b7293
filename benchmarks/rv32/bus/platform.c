// What the bus's port asks of a machine without an operating system, as little as can be: a clock that is a variable,
// and a task that nobody wakes. On a board these cost what its timer and its interrupt controller cost.

#include <stdbool.h>
#include <stdint.h>

uint32_t eventbus_bare_us(void);
uint32_t eventbus_bare_ms(void);
void eventbus_bare_wake(void);
bool eventbus_bare_in_task(void);

volatile uint32_t eventbus_bare_later;

static volatile uint32_t now;
static volatile uint32_t woken;

uint32_t eventbus_bare_us(void) {
    return now;
}

uint32_t eventbus_bare_ms(void) {
    return now;
}

void eventbus_bare_wake(void) {
    woken = 1;
}

bool eventbus_bare_in_task(void) {
    return false;
}
