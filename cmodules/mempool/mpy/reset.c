// The end of a life of the interpreter. MicroPython has no reset hook for C modules, it does not clear their root
// pointers, and what is armed in the scheduler stays armed: so the first import makes a sentinel, an object whose
// finaliser runs when a soft reset sweeps the heap. It gives back what Python owned and disarms what would fire
// into the next program. Finalisers run in any order: a Block that comes after it sees that the epoch moved.

#include "mempool_port.h" // first

#include "mempool_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE

uint32_t mempool_epoch;
static void (*at_end)(void);

void mempool_at_end(void (*fn)(void)) {
    at_end = fn;
}

MP_REGISTER_ROOT_POINTER(void *mempool_sentinel);

static mp_obj_t sentinel___del__(mp_obj_t self_in) {
    if (MP_STATE_VM(mempool_sentinel) != MP_OBJ_TO_PTR(self_in)) {
        return mp_const_none; // not the one that is kept: it stands for nothing
    }
    if (at_end != NULL) {
        at_end();
        at_end = NULL;
    }
    mempool_epoch += 1;
    mempool_pressure_forget();
    MP_STATE_VM(mempool_sentinel) = NULL;
    MP_STATE_VM(mempool_owner_list) = NULL;
    mempool_held_clear_all();
    mempool_reclaim_python();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(sentinel___del___obj, sentinel___del__);

static const mp_rom_map_elem_t sentinel_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&sentinel___del___obj) },
};
static MP_DEFINE_CONST_DICT(sentinel_locals, sentinel_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(sentinel_type, MP_QSTR_mempool, MP_TYPE_FLAG_NONE, locals_dict, &sentinel_locals);

// Runs at the first import of each life.
static mp_obj_t mempool___init__(void) {
    mempool_init();
    (void)mempool_port_uptime_s(); // on a PC it begins to count
    if (MP_STATE_VM(mempool_sentinel) == NULL) {
        MP_STATE_VM(mempool_sentinel) = mp_obj_malloc_with_finaliser(mp_obj_base_t, &sentinel_type);
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_0(mempool___init___obj, mempool___init__);

#endif // CONFIG_MEMORY_POOL_ENABLE
