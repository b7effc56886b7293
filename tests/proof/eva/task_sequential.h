// task_sequential.h - in place of the bus's port_host_task.h: its task is a call that main makes.

#ifndef TASK_SEQUENTIAL_H
#define TASK_SEQUENTIAL_H

#define EVENTBUS_PORT_HOST_H // port_host_task.h has nothing to say then

#define eventbus_port_us() proof_uint()
#define eventbus_port_ms() proof_uint()
#define eventbus_port_start() (proof_uint() != 0)
#define eventbus_port_wake() ((void)0)
#define eventbus_port_later() ((void)0)
#define eventbus_port_more() ((void)0)
#define eventbus_port_in_task() (proof_uint() != 0)
#define eventbus_port_pause() ((void)0)
#define eventbus_port_vm_is_here() ((void)0)
#define eventbus_port_vm_awake() ((void)0)
#define eventbus_port_wake_vm() ((void)0)

#endif // TASK_SEQUENTIAL_H
