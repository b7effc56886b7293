// What the event bus needs of the emulated boards (cmodules/eventbus/port/port_bare_task.h): clocks, and its task, an interrupt of
// the lowest priority that the machine raises and that calls eventbus_task_run().

#include "platform.h"
#include "sdkconfig.h"

#if CONFIG_MEMORY_POOL_ENABLE

#include "eventbus_port.h"

void eventbus_task_run(void);

volatile uint32_t eventbus_bare_later;

uint32_t eventbus_bare_us(void) {
    return platform_us();
}

uint32_t eventbus_bare_ms(void) {
    return platform_now_ms();
}

void eventbus_bare_wake(void) {
    platform_machine_task_wake();
}

bool eventbus_bare_in_task(void) {
    return platform_machine_in_task();
}

// The next tick is 0 to 1 ms away, so the first one only starts the wait. Who asks again meanwhile does not start it anew.
void platform_task_tick(void) {
    static bool started;
    if (eventbus_bare_later != 0 && started) {
        eventbus_bare_later = 0;
        platform_machine_task_wake();
        started = false;
    } else {
        started = eventbus_bare_later != 0;
    }
}

void platform_task_run(void) {
    eventbus_task_run();
}

#else

void platform_task_tick(void) {
}

void platform_task_run(void) {
}

#endif // CONFIG_MEMORY_POOL_ENABLE
