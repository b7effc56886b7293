// `import _eventbus`: the names that the frozen package eventbus takes over, all but _default.

#include "eventbus_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE

// _default() -> the bus that C reaches, too
static mp_obj_t eventbus_default_(void) {
    return MP_OBJ_FROM_PTR(MP_STATE_VM(eventbus_default_bus));
}
static MP_DEFINE_CONST_FUN_OBJ_0(eventbus_default_obj, eventbus_default_);

static const mp_rom_map_elem_t eventbus_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__eventbus) },
    { MP_ROM_QSTR(MP_QSTR___init__), MP_ROM_PTR(&eventbus___init___obj) },
    { MP_ROM_QSTR(MP_QSTR__default), MP_ROM_PTR(&eventbus_default_obj) },
    { MP_ROM_QSTR(MP_QSTR_EventBus), MP_ROM_PTR(&eventbus_type_EventBus) },
    { MP_ROM_QSTR(MP_QSTR_Event), MP_ROM_PTR(&eventbus_type_Event) },
    { MP_ROM_QSTR(MP_QSTR_Subscription), MP_ROM_PTR(&eventbus_type_Subscription) },
    { MP_ROM_QSTR(MP_QSTR_Listener), MP_ROM_PTR(&eventbus_type_Listener) },

    { MP_ROM_QSTR(MP_QSTR_CRITICAL), MP_ROM_INT(EVENTBUS_CRITICAL) },
    { MP_ROM_QSTR(MP_QSTR_HIGH), MP_ROM_INT(EVENTBUS_HIGH) },
    { MP_ROM_QSTR(MP_QSTR_NORMAL), MP_ROM_INT(EVENTBUS_NORMAL) },
    { MP_ROM_QSTR(MP_QSTR_LOW), MP_ROM_INT(EVENTBUS_LOW) },

    { MP_ROM_QSTR(MP_QSTR_DROP_NEWEST), MP_ROM_INT(EVENTBUS_DROP_NEWEST) },
    { MP_ROM_QSTR(MP_QSTR_DROP_OLDEST), MP_ROM_INT(EVENTBUS_DROP_OLDEST) },
    { MP_ROM_QSTR(MP_QSTR_LATEST), MP_ROM_INT(EVENTBUS_LATEST) },
};
static MP_DEFINE_CONST_DICT(eventbus_globals, eventbus_globals_table);

const mp_obj_module_t eventbus_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&eventbus_globals,
};

MP_REGISTER_MODULE(MP_QSTR__eventbus, eventbus_module);

#endif // CONFIG_MEMORY_POOL_ENABLE
