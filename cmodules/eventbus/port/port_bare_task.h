// port_bare_task.h - one core, no operating system. The bus's task is an interrupt of the lowest priority, which whoever owns the
// interrupt controller raises (Cortex-M: PendSV; RISC-V: the machine software interrupt) and which calls
// eventbus_task_run(); and a timer interrupt calls it for what eventbus_port_later() asked for. In our emulated boards all
// of these are in firmware/platform.

#ifndef EVENTBUS_PORT_BARE_H
#define EVENTBUS_PORT_BARE_H

uint32_t eventbus_bare_us(void);
uint32_t eventbus_bare_ms(void);
void eventbus_bare_wake(void);
bool eventbus_bare_in_task(void);

// Set here, taken back by the platform's timer interrupt, which then calls eventbus_bare_wake().
extern volatile uint32_t eventbus_bare_later;

#define eventbus_port_us() eventbus_bare_us()
#define eventbus_port_ms() eventbus_bare_ms()
#define eventbus_port_start() (true)
#define eventbus_port_wake() eventbus_bare_wake()
#define eventbus_port_later() ((void)(eventbus_bare_later = 1u))
#define eventbus_port_more() eventbus_port_later() // the program gets its turn
#define eventbus_port_in_task() eventbus_bare_in_task()
#define eventbus_port_pause() ((void)0) // an interrupt is over before anyone can wait for it

#define eventbus_port_vm_is_here() ((void)0)
#define eventbus_port_vm_awake() ((void)0)
#define eventbus_port_wake_vm() ((void)0) // the interrupt that rings has woken it

#endif // EVENTBUS_PORT_BARE_H
