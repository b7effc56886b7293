// `import mempool`: for now one function, which shows that the module is in the firmware.

#include "py/runtime.h"
#include "mempool.h"

// version() -> int, major * 10000 + minor * 100 + patch
static mp_obj_t mempool_version(void) {
    return MP_OBJ_NEW_SMALL_INT(MEMPOOL_VERSION);
}
static MP_DEFINE_CONST_FUN_OBJ_0(mempool_version_obj, mempool_version);

static const mp_rom_map_elem_t mempool_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_mempool) },
    { MP_ROM_QSTR(MP_QSTR_version), MP_ROM_PTR(&mempool_version_obj) },
};
static MP_DEFINE_CONST_DICT(mempool_globals, mempool_globals_table);

const mp_obj_module_t mempool_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&mempool_globals,
};

MP_REGISTER_MODULE(MP_QSTR_mempool, mempool_module);
