// Statistics: stats, stats_into, reset_stats, check, uptime_s.

#include "mempool_port.h" // first

#include <string.h>

#include "py/objtuple.h"

#include "mempool_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE

// The core's struct is an array of words in the order of these names: so the two are the same by construction.
static const qstr stats_fields[] = {
    MP_QSTR_capacity,
    MP_QSTR_used,
    MP_QSTR_free,
    MP_QSTR_peak,
    MP_QSTR_utilization,
    MP_QSTR_allocs,
    MP_QSTR_frees,
    MP_QSTR_failures,
    MP_QSTR_spills,
    MP_QSTR_reclaimed,
    MP_QSTR_refused,
    MP_QSTR_denied,
    MP_QSTR_heap_used,
    MP_QSTR_requested,
    MP_QSTR_waste,
    MP_QSTR_largest_free,
    MP_QSTR_level,
};

#define STATS_FIELDS MP_ARRAY_SIZE(stats_fields)

mp_obj_t mempool_stats_tuple(const mempool_stats_t *stats) {
    MP_STATIC_ASSERT(sizeof(mempool_stats_t) == STATS_FIELDS * sizeof(uint32_t));
    uint32_t words[STATS_FIELDS];
    memcpy(words, stats, sizeof(words));
    mp_obj_t items[STATS_FIELDS];
    for (size_t i = 0; i < STATS_FIELDS; i++) {
        items[i] = mp_obj_new_int_from_uint(words[i]);
    }
    return mp_obj_new_attrtuple(stats_fields, STATS_FIELDS, items);
}

static mp_obj_t mempool_stats_(void) {
    mempool_stats_t stats;
    mempool_pressure_look();
    mempool_stats(&stats);
    return mempool_stats_tuple(&stats);
}
MP_DEFINE_CONST_FUN_OBJ_0(mempool_stats_obj, mempool_stats_);

// stats_into(array('I'), pool=None): the same words, of all pools or of one; nothing allocated
static mp_obj_t mempool_stats_into(size_t n_args, const mp_obj_t *args) {
    size_t words;
    uint32_t *out = mempool_get_words(args[0], STATS_FIELDS, &words);
    mempool_stats_t stats;
    mempool_pressure_look();
    if (n_args < 2 || args[1] == mp_const_none) {
        mempool_stats(&stats);
    } else {
        mempool_pool_stats(mempool_pool_get(args[1]), &stats);
    }
    memcpy(out, &stats, sizeof(stats));
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mempool_stats_into_obj, 1, 2, mempool_stats_into);

static mp_obj_t mempool_reset_stats_(void) {
    mempool_reset_stats();
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_0(mempool_reset_stats_obj, mempool_reset_stats_);

static mp_obj_t mempool_check_(void) {
    return mp_obj_new_int_from_uint(mempool_check());
}
MP_DEFINE_CONST_FUN_OBJ_0(mempool_check_obj, mempool_check_);

// uptime_s() -> seconds since boot, without a wrap; on a PC since the first import
static mp_obj_t mempool_uptime_s(void) {
    return mp_obj_new_int_from_uint(mempool_port_uptime_s());
}
MP_DEFINE_CONST_FUN_OBJ_0(mempool_uptime_s_obj, mempool_uptime_s);

#endif // CONFIG_MEMORY_POOL_ENABLE
