// Pool: one of the five pools, as a read-only object.

#include "py/objtuple.h"

#include "mempool_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE

const mempool_pool_obj_t mempool_pool_objs[MEMPOOL_POOLS] = {
    { { &mempool_type_Pool }, MEMPOOL_TINY },
    { { &mempool_type_Pool }, MEMPOOL_SMALL },
    { { &mempool_type_Pool }, MEMPOOL_MEDIUM },
    { { &mempool_type_Pool }, MEMPOOL_LARGE },
    { { &mempool_type_Pool }, MEMPOOL_XLARGE },
};

unsigned mempool_pool_get(mp_obj_t pool) {
    if (!mp_obj_is_exact_type(pool, &mempool_type_Pool)) {
        mempool_raise_type(MP_ERROR_TEXT("pool must be a Pool, not %s"), pool);
    }
    return ((const mempool_pool_obj_t *)MP_OBJ_TO_PTR(pool))->pool;
}

static void pool_info(mp_obj_t self_in, mempool_pool_info_t *info) {
    const mempool_pool_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mempool_pool_info(self->pool, info);
}

static void mempool_Pool_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    mempool_pool_info_t info;
    pool_info(self_in, &info);
    mp_printf(print, "Pool(%u, %u, used=%u, peak=%u)", (unsigned)info.block_size, (unsigned)info.count,
        (unsigned)info.used, (unsigned)info.peak);
}

static void mempool_Pool_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    if (dest[0] != MP_OBJ_NULL) {
        return; // nothing can be stored
    }
    mempool_pool_info_t info;
    pool_info(self_in, &info);
    switch (attr) {
        case MP_QSTR_name:
            dest[0] = mp_obj_new_str_from_cstr(info.name);
            break;
        case MP_QSTR_block_size:
            dest[0] = MP_OBJ_NEW_SMALL_INT(info.block_size);
            break;
        case MP_QSTR_count:
            dest[0] = MP_OBJ_NEW_SMALL_INT(info.count);
            break;
        case MP_QSTR_used:
            dest[0] = MP_OBJ_NEW_SMALL_INT(info.used);
            break;
        case MP_QSTR_free:
            dest[0] = MP_OBJ_NEW_SMALL_INT(info.count - info.used);
            break;
        case MP_QSTR_peak:
            dest[0] = MP_OBJ_NEW_SMALL_INT(info.peak);
            break;
        default:
            dest[1] = MP_OBJ_SENTINEL; // a method
    }
}

// alloc() -> Block of the full size
static mp_obj_t mempool_Pool_alloc(mp_obj_t self_in) {
    mempool_pool_info_t info;
    pool_info(self_in, &info);
    mempool_request_t request = { .size = info.block_size, .flags = MEMPOOL_PYTHON };
    mempool_block_obj_t *block = mempool_block_new();
    mempool_block_fill(block, &request);
    return MP_OBJ_FROM_PTR(block);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mempool_Pool_alloc_obj, mempool_Pool_alloc);

static mp_obj_t mempool_Pool_stats(mp_obj_t self_in) {
    const mempool_pool_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mempool_stats_t stats;
    mempool_pressure_look();
    mempool_pool_stats(self->pool, &stats);
    return mempool_stats_tuple(&stats);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mempool_Pool_stats_obj, mempool_Pool_stats);

static const mp_rom_map_elem_t mempool_Pool_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_alloc), MP_ROM_PTR(&mempool_Pool_alloc_obj) },
    { MP_ROM_QSTR(MP_QSTR_stats), MP_ROM_PTR(&mempool_Pool_stats_obj) },
};
static MP_DEFINE_CONST_DICT(mempool_Pool_locals, mempool_Pool_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(mempool_type_Pool, MP_QSTR_Pool, MP_TYPE_FLAG_NONE, print, mempool_Pool_print, attr,
    mempool_Pool_attr, locals_dict, &mempool_Pool_locals);

#define POOL(pool) MP_ROM_PTR(&mempool_pool_objs[pool])
static const mp_rom_obj_tuple_t all_pools = {
    { &mp_type_tuple },
    MEMPOOL_POOLS,
    { POOL(MEMPOOL_TINY), POOL(MEMPOOL_SMALL), POOL(MEMPOOL_MEDIUM), POOL(MEMPOOL_LARGE), POOL(MEMPOOL_XLARGE) },
};

// pools() -> all of them, smallest blocks first; nothing is allocated
static mp_obj_t mempool_pools(void) {
    return MP_OBJ_FROM_PTR(&all_pools);
}
MP_DEFINE_CONST_FUN_OBJ_0(mempool_pools_obj, mempool_pools);

#endif // CONFIG_MEMORY_POOL_ENABLE
