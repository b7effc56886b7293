// The end of a life of the interpreter, as in mempool's reset.c: a sentinel, made at the first import, whose finaliser runs when
// a soft reset sweeps the heap. It ends Python's subscriptions of the default bus, gives back what waited for them and disarms
// the bell; C's subscribers go on. Other buses, listeners and kept events have finalisers of their own.

#include "eventbus_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE

MP_REGISTER_ROOT_POINTER(void *eventbus_sentinel);
MP_REGISTER_ROOT_POINTER(struct _eventbus_obj_t *eventbus_default_bus);
MP_REGISTER_ROOT_POINTER(struct _eventbus_obj_t *eventbus_listed);

static mp_obj_t sentinel___del__(mp_obj_t self_in) {
    if (MP_STATE_VM(eventbus_sentinel) != MP_OBJ_TO_PTR(self_in)) {
        return mp_const_none;
    }
    MP_STATE_VM(eventbus_sentinel) = NULL;
    MP_STATE_VM(eventbus_default_bus) = NULL;
    MP_STATE_VM(eventbus_listed) = NULL;
    eventbus_reset_python();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(sentinel___del___obj, sentinel___del__);

static const mp_rom_map_elem_t sentinel_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&sentinel___del___obj) },
};
static MP_DEFINE_CONST_DICT(sentinel_locals, sentinel_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(sentinel_type, MP_QSTR__eventbus, MP_TYPE_FLAG_NONE, locals_dict, &sentinel_locals);

// Runs at the first import of each life.
static mp_obj_t eventbus___init__(void) {
    mp_import_name(MP_QSTR_mempool, mp_const_none, MP_OBJ_NEW_SMALL_INT(0)); // its Blocks need its own sentinel
    if (eventbus_init() != EVENTBUS_OK) {
        mp_raise_msg_varg(&mp_type_MemoryError, MP_ERROR_TEXT("no memory for the task of the bus (CONFIG_MEMORY_POOL_EVENT_TASK_STACK, %d bytes)"),
            CONFIG_MEMORY_POOL_EVENT_TASK_STACK);
    }
    if (MP_STATE_VM(eventbus_sentinel) == NULL) {
        MP_STATE_VM(eventbus_default_bus) = eventbus_new_default();
        MP_STATE_VM(eventbus_sentinel) = mp_obj_malloc_with_finaliser(mp_obj_base_t, &sentinel_type);
        eventbus_port_vm_is_here();
        eventbus_set_bell(eventbus_bell);
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_0(eventbus___init___obj, eventbus___init__);

#endif // CONFIG_MEMORY_POOL_ENABLE
