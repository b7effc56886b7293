// mempool_mpy.h - what the files of the Python binding share. Nothing here is for other modules:
// they use mempool.h.

#ifndef MEMPOOL_MPY_H
#define MEMPOOL_MPY_H

#include "py/obj.h"
#include "py/runtime.h"

#include "mempool.h"
#include "mempool_blocks.h"
#include "mempool_config.h"

#define MEMPOOL_MPY_NORETURN __attribute__((noreturn))

#if CONFIG_MEMORY_POOL_ENABLE &&                                                               \
    (!MICROPY_ENABLE_FINALISER || !MICROPY_MODULE_BUILTIN_INIT || !MICROPY_ENABLE_SCHEDULER || \
        !MICROPY_SCHEDULER_STATIC_NODES)
#error "mempool needs MICROPY_ENABLE_FINALISER, MODULE_BUILTIN_INIT, ENABLE_SCHEDULER and SCHEDULER_STATIC_NODES"
#endif

// ---- Numbers (arguments.c) -----------------------------------------------------------------------------

// The largest number that any argument of this module takes: what a small int holds everywhere.
#define MEMPOOL_INT_MAX (0x3fffffff)

// ---- Requests for a block (request.c) ------------------------------------------------------------------

// Where nothing is said of it: Kconfig's SPILL.
#if defined(CONFIG_MEMORY_POOL_SPILL) && CONFIG_MEMORY_POOL_SPILL
#define MEMPOOL_SPILL_DEFAULT MEMPOOL_SPILL
#else
#define MEMPOOL_SPILL_DEFAULT 0u
#endif

typedef struct {
    uint32_t size;
    uint32_t flags; // MEMPOOL_SPILL ..., MEMPOOL_PYTHON always, MEMPOOL_ROOM
    uint32_t timeout_ms;
    mempool_owner_t owner;
} mempool_request_t;

// size, *, critical=False, spill=None, timeout_ms=0, owner=None: every way to a block parses these, some
// without the first or without the last.
enum { MEMPOOL_ARG_SIZE = 1,
    MEMPOOL_ARG_OWNER = 2 };
void mempool_request_parse(mempool_request_t *request, unsigned which, size_t n_args, const mp_obj_t *args,
    mp_map_t *kw_args);

// The largest size that alloc takes, and ValueError for what is larger or none.
void mempool_request_size(mempool_request_t *request, mp_obj_t size);

// Takes a block, waiting as the request says. -> handle, or MemoryError that says what is out. A wait can
// raise what any wait can (KeyboardInterrupt): nothing is held then.
mempool_handle_t mempool_request_take(const mempool_request_t *request);

// ---- Blocks (obj_block.c) ------------------------------------------------------------------------------

// A Block owns a block of a pool, a view is a window on a Block. Both are of the Python type Block.
typedef struct _mempool_block_obj_t {
    mp_obj_base_t base;
    // Block: what it holds, MEMPOOL_BLOCK_EMPTY or MEMPOOL_BLOCK_FREED; only mempool_block_swap writes it.
    // View: what its Block held when the view was cut.
    volatile mempool_handle_t handle;
    struct _mempool_block_obj_t *parent; // NULL: this is a Block
    uint32_t epoch;                      // Block: life of the interpreter that it belongs to
} mempool_block_obj_t;

#define MEMPOOL_BLOCK_EMPTY (0)
#define MEMPOOL_BLOCK_FREED (MEMPOOL_E_STALE)

extern const mp_obj_type_t mempool_type_Block;

// An empty Block. Made first, filled second: so that no MemoryError of the GC heap can lose a block.
mempool_block_obj_t *mempool_block_new(void);

// A Block that is an argument; TypeError for anything else.
mempool_block_obj_t *mempool_block_get(mp_obj_t block);

// Fills an empty Block; ValueError for a full one, and what mempool_request_take raises.
void mempool_block_fill(mempool_block_obj_t *self, const mempool_request_t *request);

// What stands behind a Block or view (of a view: its own part); false where it was given back.
bool mempool_block_look(const mempool_block_obj_t *self, mempool_block_t *block);

// Prints "100 of MEDIUM #17".
void mempool_block_print_place(const mp_print_t *print, mempool_handle_t handle, const mempool_block_t *block);

MEMPOOL_MPY_NORETURN void mempool_raise_freed(void);

// ---- Handles (handles.c) -------------------------------------------------------------------------------

// Which blocks are held by a Block object, so that attach can refuse a second one.
bool mempool_held_claim(mempool_handle_t handle); // false: was held
void mempool_held_drop(mempool_handle_t handle);
void mempool_held_clear_all(void);

// take() for an owner.
mp_obj_t mempool_take_for(mp_obj_t size, mempool_owner_t owner);

MP_DECLARE_CONST_FUN_OBJ_1(mempool_take_obj);
MP_DECLARE_CONST_FUN_OBJ_1(mempool_give_obj);
MP_DECLARE_CONST_FUN_OBJ_3(mempool_write_obj);
MP_DECLARE_CONST_FUN_OBJ_3(mempool_read_obj);

// ---- Pools (obj_pool.c) --------------------------------------------------------------------------------

typedef struct {
    mp_obj_base_t base;
    uint8_t pool; // MEMPOOL_TINY ...
} mempool_pool_obj_t;

extern const mp_obj_type_t mempool_type_Pool;
extern const mempool_pool_obj_t mempool_pool_objs[MEMPOOL_POOLS];

#define MEMPOOL_POOL_OBJ(pool) MP_OBJ_FROM_PTR(&mempool_pool_objs[pool])

// The number of a Pool that is an argument; TypeError for anything else.
unsigned mempool_pool_get(mp_obj_t pool);

MP_DECLARE_CONST_FUN_OBJ_0(mempool_pools_obj);

// ---- Owners (obj_owner.c) ------------------------------------------------------------------------------

typedef struct _mempool_owner_obj_t {
    mp_obj_base_t base;
    mempool_owner_t owner;
    struct _mempool_owner_obj_t *next;
} mempool_owner_obj_t;

extern const mp_obj_type_t mempool_type_Owner;

// The Owner of a number, None for MEMPOOL_NO_OWNER.
mp_obj_t mempool_owner_from(mempool_owner_t owner);

// The number of an Owner or None; TypeError for anything else.
mempool_owner_t mempool_owner_get(mp_obj_t owner);

MP_DECLARE_CONST_FUN_OBJ_0(mempool_owners_obj);
MP_DECLARE_CONST_FUN_OBJ_1(mempool_owners_into_obj);

// ---- The rest ------------------------------------------------------------------------------------------

extern const mp_obj_type_t mempool_type_Struct; // obj_struct.c

typedef struct {
    mp_obj_base_t base;
    uint32_t offset; // of a slice
    uint32_t length;
} mempool_noinit_obj_t;

extern const mempool_noinit_obj_t mempool_noinit_obj; // obj_noinit.c

mp_obj_t mempool_stats_tuple(const mempool_stats_t *stats); // stats.c
MP_DECLARE_CONST_FUN_OBJ_0(mempool_stats_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(mempool_stats_into_obj);
MP_DECLARE_CONST_FUN_OBJ_0(mempool_uptime_s_obj);
MP_DECLARE_CONST_FUN_OBJ_0(mempool_reset_stats_obj);
MP_DECLARE_CONST_FUN_OBJ_0(mempool_check_obj);

// ---- Heaps, and pools that grow (heaps.c) --------------------------------------------------------------

MP_DECLARE_CONST_FUN_OBJ_0(mempool_heaps_obj);
MP_DECLARE_CONST_FUN_OBJ_1(mempool_heaps_into_obj);
MP_DECLARE_CONST_FUN_OBJ_2(mempool_grow_obj);
MP_DECLARE_CONST_FUN_OBJ_1(mempool_shrink_obj);

MP_DECLARE_CONST_FUN_OBJ_KW(mempool_leaks_obj); // leaks.c
MP_DECLARE_CONST_FUN_OBJ_KW(mempool_leaks_into_obj);
MP_DECLARE_CONST_FUN_OBJ_2(mempool_map_into_obj);
MP_DECLARE_CONST_FUN_OBJ_KW(mempool_trace_obj);
MP_DECLARE_CONST_FUN_OBJ_1(mempool_trace_into_obj);

MP_DECLARE_CONST_FUN_OBJ_1(mempool_on_pressure_obj); // pressure.c
void mempool_pressure_forget(void);

MP_DECLARE_CONST_FUN_OBJ_0(mempool_benchmark_obj); // benchmark.c

extern uint32_t mempool_epoch; // reset.c: moves at every soft reset
MP_DECLARE_CONST_FUN_OBJ_0(mempool___init___obj);

#endif // MEMPOOL_MPY_H
