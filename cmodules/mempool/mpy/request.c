// A request for a block: its arguments, the wait for it, and what is said when there is none.

#include "py/mphal.h"
#include "py/mpthread.h"

#include "mempool_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE

#define WAIT_SLICE_MAX_MS (10)

#if MEMPOOL_HEAP_FALLBACK
#define SIZE_MAX_REQUEST (MEMPOOL_INT_MAX)
#else
#define SIZE_MAX_REQUEST ((int32_t)MEMPOOL_MAX_BLOCK)
#endif

// ---- Arguments -----------------------------------------------------------------------------------------

void mempool_request_size(mempool_request_t *request, mp_obj_t size) {
    request->size = (uint32_t)mempool_get_between(size, MP_QSTR_size, 1, SIZE_MAX_REQUEST);
}

void mempool_request_parse(mempool_request_t *request, unsigned which, size_t n_args, const mp_obj_t *args,
    mp_map_t *kw_args) {
    enum { ARG_size,
        ARG_critical,
        ARG_spill,
        ARG_timeout_ms,
        ARG_owner,
        ARGS };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_size, MP_ARG_REQUIRED | MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
        { MP_QSTR_critical, MP_ARG_KW_ONLY | MP_ARG_BOOL, { .u_bool = false } },
        { MP_QSTR_spill, MP_ARG_KW_ONLY | MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
        { MP_QSTR_timeout_ms, MP_ARG_KW_ONLY | MP_ARG_OBJ, { .u_rom_obj = MP_ROM_INT(0) } },
        { MP_QSTR_owner, MP_ARG_KW_ONLY | MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
    };
    mp_arg_val_t values[ARGS];
    size_t first = which & MEMPOOL_ARG_SIZE ? ARG_size : ARG_critical;
    size_t end = which & MEMPOOL_ARG_OWNER ? ARGS : ARG_owner;
    mp_arg_parse_all(n_args, args, kw_args, end - first, allowed + first, values + first);

    *request = (mempool_request_t){ .flags = MEMPOOL_PYTHON | MEMPOOL_HEAP_OK };
    if (which & MEMPOOL_ARG_SIZE) {
        mempool_request_size(request, values[ARG_size].u_obj);
    }
    if (values[ARG_critical].u_bool) {
        request->flags |= MEMPOOL_CRITICAL;
    }
    mp_obj_t spill = values[ARG_spill].u_obj;
    if (spill == mp_const_none) {
        request->flags |= MEMPOOL_SPILL_DEFAULT;
    } else if (mp_obj_is_true(spill)) {
        request->flags |= MEMPOOL_SPILL;
    }
    request->timeout_ms = (uint32_t)mempool_get_between(values[ARG_timeout_ms].u_obj, MP_QSTR_timeout_ms, 0, MEMPOOL_INT_MAX);
    if (which & MEMPOOL_ARG_OWNER) {
        request->owner = mempool_owner_get(values[ARG_owner].u_obj);
    }
}

// ---- Refusals ------------------------------------------------------------------------------------------

// The bytes that a block must have for a request.
static uint32_t span_of(const mempool_request_t *request) {
    return request->size + MEMPOOL_ROOM_OF(request->flags);
}

// The smallest class that holds `size` bytes; the largest one for what none holds.
static unsigned class_of(uint32_t size, mempool_pool_info_t *info) {
    unsigned pool = MEMPOOL_TINY;
    for (;; pool++) {
        mempool_pool_info(pool, info);
        if (size <= info->block_size || pool == MEMPOOL_XLARGE) {
            return pool;
        }
    }
}

static MEMPOOL_MPY_NORETURN void raise_exhausted(const mempool_request_t *request) {
    mempool_pool_info_t info;
    class_of(span_of(request), &info);
    if (MEMPOOL_HEAP_FALLBACK && request->size > info.block_size) {
        mp_raise_msg_varg(&mp_type_MemoryError, MP_ERROR_TEXT("the heap has no %d bytes, and no pool has such blocks"),
            (int)request->size);
    }
    const char *also = request->flags & MEMPOOL_SPILL && info.block_size < MEMPOOL_MAX_BLOCK ? ", and all larger" : "";
    if (MEMPOOL_RESERVE > 0 && !(request->flags & MEMPOOL_CRITICAL)) {
        mp_raise_msg_varg(&mp_type_MemoryError,
            MP_ERROR_TEXT("%s exhausted: %d of %d blocks of %d bytes in use, %d kept for critical%s"), info.name,
            (int)info.used, (int)info.count, (int)info.block_size, (int)MEMPOOL_RESERVE, also);
    }
    mp_raise_msg_varg(&mp_type_MemoryError, MP_ERROR_TEXT("%s exhausted: %d of %d blocks of %d bytes in use%s"),
        info.name, (int)info.used, (int)info.count, (int)info.block_size, also);
}

static MEMPOOL_MPY_NORETURN void raise_quota(const mempool_request_t *request) {
    mempool_pool_info_t pool;
    class_of(span_of(request), &pool);
    mempool_owner_info_t owner;
    if (mempool_owner_info(request->owner, &owner) != MEMPOOL_OK) {
        mp_raise_ValueError(MP_ERROR_TEXT("owner is closed"));
    }
    uint32_t asked = MEMPOOL_HEAP_FALLBACK && request->size > pool.block_size ? request->size : pool.block_size;
    mp_raise_msg_varg(&mp_type_MemoryError, MP_ERROR_TEXT("owner '%s': quota %u bytes reached (%u used, %u asked)"),
        owner.name, (unsigned)owner.quota, (unsigned)owner.used, (unsigned)asked);
}

static MEMPOOL_MPY_NORETURN void raise_refused(const mempool_request_t *request, int status) {
    switch (status) {
        case MEMPOOL_E_EXHAUSTED:
            raise_exhausted(request);
        case MEMPOOL_E_QUOTA:
            raise_quota(request);
        case MEMPOOL_E_SIZE:
            mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("size must be 1..%d, not %d"),
                (int)MEMPOOL_MAX_BLOCK, (int)request->size);
        default:
            mp_raise_ValueError(MP_ERROR_TEXT("owner is closed"));
    }
}

// ---- The wait ------------------------------------------------------------------------------------------

static bool quota_allows(mempool_owner_t owner, uint32_t bytes) {
    mempool_owner_info_t info;
    if (owner == MEMPOOL_NO_OWNER || mempool_owner_info(owner, &info) != MEMPOOL_OK) {
        return true;
    }
    return info.quota == 0 || info.used + bytes <= info.quota;
}

// Whether an attempt may succeed now. Attempts are counted as failures and denials, and made by a waiter they
// would count its patience, not its needs: so it looks first.
static bool worth_a_try(const mempool_request_t *request) {
    mempool_pool_info_t info;
    unsigned first = class_of(span_of(request), &info);
    if (MEMPOOL_HEAP_FALLBACK && request->size > info.block_size) {
        return true; // the heap decides
    }
    for (unsigned pool = first; pool < MEMPOOL_POOLS; pool++) {
        mempool_pool_info(pool, &info);
        uint32_t limit = info.count - (request->flags & MEMPOOL_CRITICAL ? 0 : info.reserve);
        if (info.used < limit) {
            return quota_allows(request->owner, info.block_size);
        }
        if (!(request->flags & MEMPOOL_SPILL)) {
            break;
        }
    }
    return false;
}

// Inside a callback of the scheduler nobody else's callbacks run: whoever is to give a block back may be among
// them, so nothing is waited for there.
static bool may_wait(void) {
#if MICROPY_PY_THREAD && !MICROPY_PY_THREAD_GIL
    if (!mp_thread_is_main_thread()) {
        return true;
    }
#endif
    return MP_STATE_VM(sched_state) >= 0;
}

mempool_handle_t mempool_request_take(const mempool_request_t *request) {
    mp_uint_t start = request->timeout_ms > 0 ? mp_hal_ticks_ms() : 0;
    uint32_t slice = 1;
    for (;;) {
        uint32_t left = 0;
        if (request->timeout_ms > 0 && may_wait()) {
            uint32_t waited = (uint32_t)(mp_hal_ticks_ms() - start);
            left = waited < request->timeout_ms ? request->timeout_ms - waited : 0;
        }
        if (left == 0 || worth_a_try(request)) {
            mempool_handle_t handle = mempool_take_flags(request->size, request->owner, request->flags);
            if (handle > 0) {
                return handle;
            }
            if (left == 0 || handle == MEMPOOL_E_SIZE || handle == MEMPOOL_E_RANGE) {
                raise_refused(request, handle);
            }
        }
        // Gives the GIL away, runs what is pending, and raises KeyboardInterrupt: nothing is held here.
        mp_hal_delay_ms(slice < left ? slice : left);
        mp_handle_pending(true);
        slice = slice * 2 < WAIT_SLICE_MAX_MS ? slice * 2 : WAIT_SLICE_MAX_MS;
    }
}

#endif // CONFIG_MEMORY_POOL_ENABLE
