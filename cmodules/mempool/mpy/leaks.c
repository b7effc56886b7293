// Who holds what, and what happened last: leaks, leaks_into, map_into, trace, trace_into. Without diagnostics they say so.

#include "mempool_port.h" // first

#include "py/objlist.h"
#include "py/objtuple.h"

#include "mempool_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE

#define MIN_AGE_DEFAULT_MS (60000)

#if MEMPOOL_DIAGNOSTICS

static size_t blocks_in_use(void) {
    size_t used = 0;
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        mempool_pool_info_t info;
        mempool_pool_info(pool, &info);
        used += info.used;
    }
    return used;
}

// leaks(min_age_ms=60000) -> list of (handle, owner, size, age_ms), oldest first
static mp_obj_t mempool_leaks_(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    static const mp_arg_t allowed[] = {
        { MP_QSTR_min_age_ms, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_INT(MIN_AGE_DEFAULT_MS) } },
    };
    mp_arg_val_t values[1];
    mp_arg_parse_all(n_args, args, kw_args, 1, allowed, values);
    int32_t min_age_ms = mempool_get_between(values[0].u_obj, MP_QSTR_min_age_ms, 0, MEMPOOL_INT_MAX);

    // Room for a few more: blocks of the heap, and what is taken meanwhile.
    size_t room = blocks_in_use() + 8;
    mempool_leak_t *leaks = m_new(mempool_leak_t, room);
    size_t n = mempool_leaks((uint32_t)min_age_ms, leaks, room);
    while (n == room) {
        leaks = m_renew(mempool_leak_t, leaks, room, 2 * room);
        room *= 2;
        n = mempool_leaks((uint32_t)min_age_ms, leaks, room);
    }
    mp_obj_t list = mp_obj_new_list(0, NULL);
    for (size_t i = 0; i < n; i++) {
        mp_obj_t items[] = {
            mp_obj_new_int_from_uint(leaks[i].handle),
            mempool_owner_from((mempool_owner_t)leaks[i].owner),
            mp_obj_new_int_from_uint(leaks[i].size),
            mp_obj_new_int_from_uint(leaks[i].age_ms),
        };
        mp_obj_list_append(list, mp_obj_new_tuple(MP_ARRAY_SIZE(items), items));
    }
    m_del(mempool_leak_t, leaks, room);
    return list;
}

// leaks_into(array('I'), min_age_ms=60000) -> entries; each is 4 words: handle, owner's number, size, age_ms
static mp_obj_t mempool_leaks_into(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    static const mp_arg_t allowed[] = {
        { MP_QSTR_array, MP_ARG_REQUIRED | MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
        { MP_QSTR_min_age_ms, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_INT(MIN_AGE_DEFAULT_MS) } },
    };
    mp_arg_val_t values[2];
    mp_arg_parse_all(n_args, args, kw_args, 2, allowed, values);
    size_t words;
    MP_STATIC_ASSERT(sizeof(mempool_leak_t) == 4 * sizeof(uint32_t));
    uint32_t *out = mempool_get_words(values[0].u_obj, 0, &words);
    int32_t min_age_ms = mempool_get_between(values[1].u_obj, MP_QSTR_min_age_ms, 0, MEMPOOL_INT_MAX);
    return MP_OBJ_NEW_SMALL_INT(mempool_leaks((uint32_t)min_age_ms, (mempool_leak_t *)out, words / 4));
}

// map_into(pool, bytearray) -> bytes written, one a block: 0 free, 1 nobody's, 1 + the owner's number. Nothing is allocated.
static mp_obj_t mempool_map_into(mp_obj_t pool, mp_obj_t buf) {
    mp_buffer_info_t buffer;
    unsigned number = mempool_pool_get(pool);
    mp_get_buffer_raise(buf, &buffer, MP_BUFFER_WRITE);
    return MP_OBJ_NEW_SMALL_INT(mempool_map(number, buffer.buf, buffer.len));
}

#else

static mp_obj_t mempool_leaks_(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    (void)n_args;
    (void)args;
    (void)kw_args;
    mp_raise_NotImplementedError(MP_ERROR_TEXT("CONFIG_MEMORY_POOL_DIAGNOSTICS is off"));
}
#define mempool_leaks_into mempool_leaks_

static mp_obj_t mempool_map_into(mp_obj_t pool, mp_obj_t buf) {
    (void)pool;
    (void)buf;
    return mempool_leaks_(0, NULL, NULL);
}

#endif

MP_DEFINE_CONST_FUN_OBJ_KW(mempool_leaks_obj, 0, mempool_leaks_);
MP_DEFINE_CONST_FUN_OBJ_KW(mempool_leaks_into_obj, 0, mempool_leaks_into);
MP_DEFINE_CONST_FUN_OBJ_2(mempool_map_into_obj, mempool_map_into);

#if MEMPOOL_TRACE

// trace(n=None) -> list of (what, handle, size, owner, ticks), oldest first
static mp_obj_t mempool_trace_(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    static const mp_arg_t allowed[] = {
        { MP_QSTR_n, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
    };
    static const qstr what[] = {
        MP_QSTR_,
        MP_QSTR_take,
        MP_QSTR_give,
        MP_QSTR_reclaim,
        MP_QSTR_fail,
        MP_QSTR_refuse,
        MP_QSTR_poison,
    };
    mp_arg_val_t values[1];
    mp_arg_parse_all(n_args, args, kw_args, 1, allowed, values);
    size_t room = CONFIG_MEMORY_POOL_TRACE_DEPTH;
    if (values[0].u_obj != mp_const_none) {
        int32_t wanted = mempool_get_between(values[0].u_obj, MP_QSTR_n, 0, MEMPOOL_INT_MAX);
        room = (size_t)wanted < room ? (size_t)wanted : room;
    }
    mempool_trace_t *entries = m_new(mempool_trace_t, room + 1);
    size_t n = mempool_trace(entries, room);
    mp_obj_t list = mp_obj_new_list(0, NULL);
    for (size_t i = 0; i < n; i++) {
        const mempool_trace_t *entry = &entries[i];
        mp_obj_t items[] = {
            MP_OBJ_NEW_QSTR(what[entry->what < MP_ARRAY_SIZE(what) ? entry->what : 0]),
            mp_obj_new_int(entry->handle),
            mp_obj_new_int_from_uint(entry->size),
            mempool_owner_from((mempool_owner_t)entry->owner),
            mp_obj_new_int_from_uint(entry->ticks),
        };
        mp_obj_list_append(list, mp_obj_new_tuple(MP_ARRAY_SIZE(items), items));
    }
    m_del(mempool_trace_t, entries, room + 1);
    return list;
}

#define INTO_MAX (32) // they pass through the stack

// trace_into(array('I')) -> entries, oldest first, as many as fit, at most 32; each is 2 words: the handle, and from the
// highest bit what (3 bits) owner (5) size (10) age in ticks of 10 ms (14); size and age saturate
static mp_obj_t mempool_trace_into(mp_obj_t array) {
    size_t words;
    uint32_t *out = mempool_get_words(array, 0, &words);
    mempool_trace_t entries[INTO_MAX];
    size_t n = mempool_trace(entries, MIN(words / 2, INTO_MAX));
    uint32_t now = mempool_port_tick();
    for (size_t i = 0; i < n; i++) {
        const mempool_trace_t *entry = &entries[i];
        uint32_t age = (now - entry->ticks) * MEMPOOL_TICK_MS / 10u;
        *out++ = (uint32_t)entry->handle;
        *out++ = entry->what << 29 | (entry->owner & 31u) << 24 | MIN(entry->size, 1023u) << 14 | MIN(age, 16383u);
    }
    return MP_OBJ_NEW_SMALL_INT(n);
}
MP_DEFINE_CONST_FUN_OBJ_1(mempool_trace_into_obj, mempool_trace_into);

#else

static mp_obj_t mempool_trace_(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    (void)n_args;
    (void)args;
    (void)kw_args;
    mp_raise_NotImplementedError(MP_ERROR_TEXT("CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS is off"));
}

static mp_obj_t mempool_trace_into(mp_obj_t array) {
    return mempool_trace_(1, &array, NULL);
}
MP_DEFINE_CONST_FUN_OBJ_1(mempool_trace_into_obj, mempool_trace_into);

#endif

MP_DEFINE_CONST_FUN_OBJ_KW(mempool_trace_obj, 0, mempool_trace_);

#endif // CONFIG_MEMORY_POOL_ENABLE
