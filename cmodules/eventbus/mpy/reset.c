// The end of a life of the interpreter, told by mempool's sentinel (its reset.c). It ends Python's subscriptions of the default
// bus, gives back what waited for them and disarms the bell; C's subscribers go on. Other buses, listeners and kept events have
// finalisers of their own.

#include "eventbus_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE

MP_REGISTER_ROOT_POINTER(struct _eventbus_obj_t *eventbus_default_bus);
MP_REGISTER_ROOT_POINTER(struct _eventbus_obj_t *eventbus_listed);

static void end(void) {
    MP_STATE_VM(eventbus_default_bus) = NULL;
    MP_STATE_VM(eventbus_listed) = NULL;
    eventbus_reset_python();
}

// Runs at the first import of each life.
static mp_obj_t eventbus___init__(void) {
    mp_import_name(MP_QSTR_mempool, mp_const_none, MP_OBJ_NEW_SMALL_INT(0)); // which makes the sentinel
    if (eventbus_init() != EVENTBUS_OK) {
        mp_raise_msg_varg(&mp_type_MemoryError, MP_ERROR_TEXT("no memory for the task of the bus (CONFIG_MEMORY_POOL_EVENT_TASK_STACK, %d bytes)"),
            CONFIG_MEMORY_POOL_EVENT_TASK_STACK);
    }
    if (MP_STATE_VM(eventbus_default_bus) == NULL) {
        MP_STATE_VM(eventbus_default_bus) = eventbus_new_default();
        mempool_at_end(end);
        eventbus_port_vm_is_here();
        eventbus_set_bell(eventbus_bell);
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_0(eventbus___init___obj, eventbus___init__);

#endif // CONFIG_MEMORY_POOL_ENABLE
