// `import mempool`: the module's table of names, and the functions that make Blocks.

#include "mempool_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE

static void fill(mempool_block_obj_t *block, size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    mempool_request_t request;
    mempool_request_parse(&request, MEMPOOL_ARG_SIZE | MEMPOOL_ARG_OWNER, n_args, args, kw_args);
    mempool_block_fill(block, &request);
}

// alloc(size, *, critical=False, spill=None, timeout_ms=0, owner=None) -> Block
static mp_obj_t mempool_alloc_(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    mempool_block_obj_t *block = mempool_block_new();
    fill(block, n_args, args, kw_args);
    return MP_OBJ_FROM_PTR(block);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(mempool_alloc_obj, 0, mempool_alloc_);

// alloc_into(block, size, *, critical=False, spill=None, timeout_ms=0, owner=None)
static mp_obj_t mempool_alloc_into(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    fill(mempool_block_get(args[0]), n_args - 1, args + 1, kw_args);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(mempool_alloc_into_obj, 1, mempool_alloc_into);

static const mp_rom_map_elem_t mempool_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_mempool) },
    { MP_ROM_QSTR(MP_QSTR___init__), MP_ROM_PTR(&mempool___init___obj) },

    // Pools
    { MP_ROM_QSTR(MP_QSTR_TINY), MP_ROM_PTR(&mempool_pool_objs[MEMPOOL_TINY]) },
    { MP_ROM_QSTR(MP_QSTR_SMALL), MP_ROM_PTR(&mempool_pool_objs[MEMPOOL_SMALL]) },
    { MP_ROM_QSTR(MP_QSTR_MEDIUM), MP_ROM_PTR(&mempool_pool_objs[MEMPOOL_MEDIUM]) },
    { MP_ROM_QSTR(MP_QSTR_LARGE), MP_ROM_PTR(&mempool_pool_objs[MEMPOOL_LARGE]) },
    { MP_ROM_QSTR(MP_QSTR_XLARGE), MP_ROM_PTR(&mempool_pool_objs[MEMPOOL_XLARGE]) },
    { MP_ROM_QSTR(MP_QSTR_pools), MP_ROM_PTR(&mempool_pools_obj) },
    { MP_ROM_QSTR(MP_QSTR_grow), MP_ROM_PTR(&mempool_grow_obj) },
    { MP_ROM_QSTR(MP_QSTR_shrink), MP_ROM_PTR(&mempool_shrink_obj) },

    // Blocks
    { MP_ROM_QSTR(MP_QSTR_alloc), MP_ROM_PTR(&mempool_alloc_obj) },
    { MP_ROM_QSTR(MP_QSTR_alloc_into), MP_ROM_PTR(&mempool_alloc_into_obj) },
    { MP_ROM_QSTR(MP_QSTR_Block), MP_ROM_PTR(&mempool_type_Block) },
#if MICROPY_PY_UCTYPES
    { MP_ROM_QSTR(MP_QSTR_Struct), MP_ROM_PTR(&mempool_type_Struct) },
#endif
    { MP_ROM_QSTR(MP_QSTR_Owner), MP_ROM_PTR(&mempool_type_Owner) },
    { MP_ROM_QSTR(MP_QSTR_owners), MP_ROM_PTR(&mempool_owners_obj) },
    { MP_ROM_QSTR(MP_QSTR_owners_into), MP_ROM_PTR(&mempool_owners_into_obj) },

#if MEMPOOL_NOINIT_BYTES > 0
    { MP_ROM_QSTR(MP_QSTR_noinit), MP_ROM_PTR(&mempool_noinit_obj) },
#endif

    // Handles
    { MP_ROM_QSTR(MP_QSTR_take), MP_ROM_PTR(&mempool_take_obj) },
    { MP_ROM_QSTR(MP_QSTR_give), MP_ROM_PTR(&mempool_give_obj) },
    { MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&mempool_write_obj) },
    { MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&mempool_read_obj) },
    { MP_ROM_QSTR(MP_QSTR_E_EXHAUSTED), MP_ROM_INT(MEMPOOL_E_EXHAUSTED) },
    { MP_ROM_QSTR(MP_QSTR_E_SIZE), MP_ROM_INT(MEMPOOL_E_SIZE) },
    { MP_ROM_QSTR(MP_QSTR_E_QUOTA), MP_ROM_INT(MEMPOOL_E_QUOTA) },
    { MP_ROM_QSTR(MP_QSTR_E_STALE), MP_ROM_INT(MEMPOOL_E_STALE) },
    { MP_ROM_QSTR(MP_QSTR_E_FOREIGN), MP_ROM_INT(MEMPOOL_E_FOREIGN) },
    { MP_ROM_QSTR(MP_QSTR_E_RANGE), MP_ROM_INT(MEMPOOL_E_RANGE) },

    // Seeing
    { MP_ROM_QSTR(MP_QSTR_stats), MP_ROM_PTR(&mempool_stats_obj) },
    { MP_ROM_QSTR(MP_QSTR_stats_into), MP_ROM_PTR(&mempool_stats_into_obj) },
    { MP_ROM_QSTR(MP_QSTR_map_into), MP_ROM_PTR(&mempool_map_into_obj) },
    { MP_ROM_QSTR(MP_QSTR_reset_stats), MP_ROM_PTR(&mempool_reset_stats_obj) },
    { MP_ROM_QSTR(MP_QSTR_check), MP_ROM_PTR(&mempool_check_obj) },
    { MP_ROM_QSTR(MP_QSTR_heaps), MP_ROM_PTR(&mempool_heaps_obj) },
    { MP_ROM_QSTR(MP_QSTR_heaps_into), MP_ROM_PTR(&mempool_heaps_into_obj) },
    { MP_ROM_QSTR(MP_QSTR_uptime_s), MP_ROM_PTR(&mempool_uptime_s_obj) },
    { MP_ROM_QSTR(MP_QSTR_leaks), MP_ROM_PTR(&mempool_leaks_obj) },
    { MP_ROM_QSTR(MP_QSTR_leaks_into), MP_ROM_PTR(&mempool_leaks_into_obj) },
    { MP_ROM_QSTR(MP_QSTR_trace), MP_ROM_PTR(&mempool_trace_obj) },
    { MP_ROM_QSTR(MP_QSTR_trace_into), MP_ROM_PTR(&mempool_trace_into_obj) },
    { MP_ROM_QSTR(MP_QSTR_benchmark), MP_ROM_PTR(&mempool_benchmark_obj) },
    { MP_ROM_QSTR(MP_QSTR_on_pressure), MP_ROM_PTR(&mempool_on_pressure_obj) },
    { MP_ROM_QSTR(MP_QSTR_LEVEL_NORMAL), MP_ROM_INT(MEMPOOL_LEVEL_NORMAL) },
    { MP_ROM_QSTR(MP_QSTR_LEVEL_LOW), MP_ROM_INT(MEMPOOL_LEVEL_LOW) },
    { MP_ROM_QSTR(MP_QSTR_LEVEL_CRITICAL), MP_ROM_INT(MEMPOOL_LEVEL_CRITICAL) },
};
static MP_DEFINE_CONST_DICT(mempool_globals, mempool_globals_table);

const mp_obj_module_t mempool_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&mempool_globals,
};

MP_REGISTER_MODULE(MP_QSTR_mempool, mempool_module);

#endif // CONFIG_MEMORY_POOL_ENABLE
