// fake_port.h - the platform as a test plays it, forced in before port_host_task.h: time passes and the task runs when the test
// says so, and what the core asks for is counted.

#ifndef EVENTBUS_PORT_HOST_H
#define EVENTBUS_PORT_HOST_H

#define _GNU_SOURCE // as mempool_port.h has it, which comes later

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t us; // the clock
    uint32_t woken;
    uint32_t later;
    uint32_t more;
    uint32_t rung;
    uint32_t paused; // somebody waits
    bool in_task;
    bool no_task;        // it cannot be made
    bool (*start)(void); // what makes the task, where it is not NULL
} fake_t;

extern fake_t fake;

static inline uint32_t eventbus_port_us(void) {
    return fake.us;
}

static inline uint32_t eventbus_port_ms(void) {
    return fake.us / 1000u;
}

bool fake_start(void);
#define eventbus_port_start() fake_start()
#define eventbus_port_wake() ((void)fake.woken++)
#define eventbus_port_later() ((void)fake.later++)
#define eventbus_port_more() ((void)fake.more++)
#define eventbus_port_in_task() (fake.in_task)
#define eventbus_port_pause() ((void)fake.paused++, (void)sched_yield())
#define eventbus_port_vm_is_here() ((void)0)
#define eventbus_port_vm_awake() ((void)0)
#define eventbus_port_wake_vm() ((void)0)

#endif // EVENTBUS_PORT_HOST_H
