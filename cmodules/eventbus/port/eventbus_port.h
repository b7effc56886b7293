// eventbus_port.h - what the bus needs of a platform beyond the pools' port header (lock, placement of code and data, word
// operations): a clock, and a task of its own.
//
//      eventbus_port_us()        a free-running clock in microseconds that wraps at 2^32. Any context.
//      eventbus_port_ms()        time.ticks_ms() of this machine's MicroPython, before it wraps. Any context.
//      eventbus_port_start()     makes the bus's task, false where it cannot; called by eventbus_init
//      eventbus_port_wake()      the task runs eventbus_task_run() soon. Any context, also under the lock.
//      eventbus_port_later()     it runs it 1 to 20 ms from now. Any context, also under the lock.
//      eventbus_port_more()      the task has more to do: at once, or later where it is an interrupt. In the task.
//      eventbus_port_in_task()   whether the caller is the bus's task
//      eventbus_port_vm_is_here() the caller is MicroPython's main thread
//      eventbus_port_wake_vm()   it looks at its scheduler's queue soon, also where it sleeps. From the bus's task.
//      eventbus_port_vm_awake()  it does
//      eventbus_port_pause()     lets others run, about 1 ms (eventbus_unsubscribe waits by it)
//
// The bus's lock is MEMPOOL_LOCK() of the pools' port: interrupts masked (ESP32: and a spinlock), on the host a mutex.

#ifndef EVENTBUS_PORT_H
#define EVENTBUS_PORT_H

#include "mempool_port.h" // first

#if defined(ESP_PLATFORM)
#include "port_esp32_task.h"
#elif defined(__unix__) || defined(__APPLE__)
#include "port_host_task.h"
#else
#include "port_bare_task.h"
#endif

#endif // EVENTBUS_PORT_H
