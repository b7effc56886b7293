// What lies beside the pools, and how they take from it: heaps(), heaps_into(), grow(), shrink().

#include "py/gc.h"
#include "py/mpthread.h"
#include "py/objtuple.h"

#include "mempool_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE

static const qstr heap_fields[] = {
    MP_QSTR_name,
    MP_QSTR_total,
    MP_QSTR_free,
    MP_QSTR_largest,
    MP_QSTR_minimum_ever,
};

static mp_obj_t heap_tuple(const mempool_heap_info_t *info) {
    mp_obj_t items[MP_ARRAY_SIZE(heap_fields)] = {
        mp_obj_new_str_from_cstr(info->name),
        mp_obj_new_int_from_uint(info->total),
        mp_obj_new_int_from_uint(info->free),
        mp_obj_new_int_from_uint(info->largest),
        mp_obj_new_int_from_uint(info->minimum_ever),
    };
    return mp_obj_new_attrtuple(heap_fields, MP_ARRAY_SIZE(heap_fields), items);
}

// The collector keeps no mark of its least: it is the least that was seen here, since boot.
static uint32_t gc_least = UINT32_MAX;

static void gc_heap_info(mempool_heap_info_t *info) {
    gc_info_t gc;
    gc_info(&gc);
    gc_least = gc.free < gc_least ? (uint32_t)gc.free : gc_least;
    *info = (mempool_heap_info_t){ "gc", (uint32_t)gc.total, (uint32_t)gc.free,
        (uint32_t)(gc.max_free * MICROPY_BYTES_PER_GC_BLOCK), gc_least };
}

// heaps() -> ((name, total, free, largest, minimum_ever), ...): the platform's by capability, then the GC heap
static mp_obj_t mempool_heaps(void) {
    mempool_heap_info_t info;
    unsigned count = 0;
    while (mempool_heap_info(count, &info)) {
        count++;
    }
    mp_obj_tuple_t *heaps = MP_OBJ_TO_PTR(mp_obj_new_tuple(count + 1, NULL));
    for (unsigned i = 0; i < count && mempool_heap_info(i, &info); i++) {
        heaps->items[i] = heap_tuple(&info);
    }
    gc_heap_info(&info);
    heaps->items[count] = heap_tuple(&info);
    return MP_OBJ_FROM_PTR(heaps);
}
MP_DEFINE_CONST_FUN_OBJ_0(mempool_heaps_obj, mempool_heaps);

// heaps_into(array('I')) -> heaps; each is 4 words: total, free, largest, minimum_ever. Nothing is allocated.
static mp_obj_t mempool_heaps_into(mp_obj_t array) {
    mempool_heap_info_t info;
    unsigned count = 0;
    while (mempool_heap_info(count, &info)) {
        count++;
    }
    size_t words;
    uint32_t *out = mempool_get_words(array, 4 * (count + 1), &words);
    for (unsigned i = 0; i <= count; i++) {
        if (i == count) {
            gc_heap_info(&info);
        } else {
            mempool_heap_info(i, &info);
        }
        *out++ = info.total;
        *out++ = info.free;
        *out++ = info.largest;
        *out++ = info.minimum_ever;
    }
    return MP_OBJ_NEW_SMALL_INT(count + 1);
}
MP_DEFINE_CONST_FUN_OBJ_1(mempool_heaps_into_obj, mempool_heaps_into);

#if CONFIG_MEMORY_POOL_GROW_BLOCKS
#define GROW_BLOCKS CONFIG_MEMORY_POOL_GROW_BLOCKS
#else
#define GROW_BLOCKS 0
#define mempool_grow(pool, blocks) MEMPOOL_E_RANGE
#define mempool_shrink(pool) 0
#define mempool_growable(pool) 0u
#endif

// Both keep the GIL, also for the millisecond (on ESP32 a tick of FreeRTOS) that shrinking waits: a soft reset of ESP32 deletes
// the threads that have not got it, and one deleted in here would leave the pools locked for good.

// grow(pool, blocks) -> blocks added: all, or an error and none
static mp_obj_t mempool_grow_(mp_obj_t pool_in, mp_obj_t blocks_in) {
    unsigned pool = mempool_pool_get(pool_in);
    int32_t blocks = mempool_get_clamped(blocks_in, MP_QSTR_blocks);
    int added = MEMPOOL_E_RANGE;
    if (blocks > 0) {
        added = mempool_grow(pool, (uint32_t)blocks);
    }
    mempool_pool_info_t info;
    mempool_pool_info(pool, &info);
    if (added == MEMPOOL_E_RANGE && mempool_growable(pool) == 0) {
        mp_raise_msg_varg(&mp_type_ValueError,
            MP_ERROR_TEXT("%s cannot grow any more (CONFIG_MEMORY_POOL_GROW_BLOCKS=%u, in at most %u pieces)"), info.name,
            (unsigned)GROW_BLOCKS, (unsigned)MEMPOOL_EXTENTS);
    }
    if (added == MEMPOOL_E_RANGE) {
        mp_raise_msg_varg(&mp_type_ValueError,
            MP_ERROR_TEXT("blocks must be 1..%u for %s, not %d (CONFIG_MEMORY_POOL_GROW_BLOCKS=%u)"),
            (unsigned)mempool_growable(pool), info.name, (int)blocks, (unsigned)GROW_BLOCKS);
    }
    if (added < 0) {
        mp_raise_msg_varg(&mp_type_MemoryError, MP_ERROR_TEXT("no memory for %d blocks more of %s"), (int)blocks, info.name);
    }
    return MP_OBJ_NEW_SMALL_INT(added);
}
MP_DEFINE_CONST_FUN_OBJ_2(mempool_grow_obj, mempool_grow_);

// shrink(pool) -> blocks removed; 0: the extent is in use, or there is none
static mp_obj_t mempool_shrink_(mp_obj_t pool_in) {
    unsigned pool = mempool_pool_get(pool_in);
    int removed = mempool_shrink(pool);
    (void)pool;
    MP_THREAD_GIL_EXIT(); // who waited meanwhile goes first
    MP_THREAD_GIL_ENTER();
    return MP_OBJ_NEW_SMALL_INT(removed);
}
MP_DEFINE_CONST_FUN_OBJ_1(mempool_shrink_obj, mempool_shrink_);

#endif // CONFIG_MEMORY_POOL_ENABLE
