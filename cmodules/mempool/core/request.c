// request.c - the full calls: spill, reserve, the heap, waiting, whose a block is. They also look at the pressure of the pool,
// so that its level is exact for whoever uses only these.

#include "path.h"

// The whole request but for waiting; counts nothing where it fails.
static MEMPOOL_HOT mempool_handle_t take_any(uint32_t size, mempool_owner_t owner, uint32_t flags) {
    uint32_t size_minus_1 = size - 1u;
    uint32_t last = size_minus_1 + MEMPOOL_ROOM_OF(flags);
    mempool_handle_t handle = MEMPOOL_E_SIZE;
    if (size_minus_1 < MEMPOOL_MAX_BLOCK && last < MEMPOOL_MAX_BLOCK) {
        mempool_word_t *first = mempool_tables.by_size[last / MEMPOOL_MIN_BLOCK].middle;
        uint32_t python = (flags & MEMPOOL_PYTHON) != 0 ? MEMPOOL_FIELD_PYTHON : 0u;
        uint32_t floor = (flags & MEMPOOL_CRITICAL) != 0 ? MEMPOOL_UNIT : MEMPOOL_FLOOR;
        unsigned p = 0;
        while (mempool_by_code[p + 1u] != first) {
            ++p;
        }
        for (unsigned q = p; q < MEMPOOL_POOLS; ++q) {
            handle = take_from(mempool_by_code[q + 1u], MEMPOOL_MIN_BLOCK << q, size_minus_1, owner, python, floor, false);
            if (handle > 0 && q != p) {
                MEMPOOL_COUNT(MEMPOOL_OF_MIDDLE(first)->spills);
            }
            if (handle != MEMPOOL_E_EXHAUSTED || (flags & MEMPOOL_SPILL) == 0) {
                break;
            }
        }
    }
    return handle;
}

static MEMPOOL_HOT mempool_handle_t take_once(uint32_t size, mempool_owner_t owner, uint32_t flags) {
    MEMPOOL_ENTER();
    mempool_handle_t handle = take_any(size, owner, flags);
    MEMPOOL_LEAVE();
    if (MEMPOOL_HEAP_FALLBACK && (flags & MEMPOOL_HEAP_OK) != 0 && size != 0 && (handle == MEMPOOL_E_EXHAUSTED || handle == MEMPOOL_E_SIZE)) {
        return mempool_heap_take(size, owner, flags);
    }
    return handle;
}

// What the quick calls leave to others: the count of a failure, and the level of a pool that is beyond its marks.
static MEMPOOL_HOT mempool_handle_t settle(mempool_handle_t handle, uint32_t size, mempool_owner_t owner) {
    if (handle > 0 && !mempool_handle_is_heap(handle)) {
        mempool_pressure_look_at(mempool_handle_pool(handle));
    }
    if (handle == MEMPOOL_E_EXHAUSTED) {
        uint32_t slot = (size - 1u) / MEMPOOL_MIN_BLOCK;
        MEMPOOL_ENTER();
        (void)owner;
        handle = mempool_exhausted(mempool_tables.by_size[slot < 16u ? slot : 15u].middle,
            MEMPOOL_FIELD_SIZE(size - 1u) | MEMPOOL_FIELD_OWNER(owner));
        MEMPOOL_LEAVE();
    }
    return handle;
}

MEMPOOL_HOT mempool_handle_t mempool_take_flags(uint32_t size, mempool_owner_t owner, uint32_t flags) {
    return settle(take_once(size, owner, flags), size + MEMPOOL_ROOM_OF(flags), owner);
}

mempool_handle_t mempool_take_wait(uint32_t size, mempool_owner_t owner, uint32_t flags, uint32_t timeout_ms) {
    mempool_handle_t handle = take_once(size, owner, flags);
    uint32_t waited_ms = 0;
    for (uint32_t slice_ms = 1u; handle == MEMPOOL_E_EXHAUSTED && waited_ms < timeout_ms;) {
        if (slice_ms > timeout_ms - waited_ms) {
            slice_ms = timeout_ms - waited_ms;
        }
        mempool_port_sleep_ms(slice_ms);
        waited_ms += slice_ms;
        slice_ms = slice_ms < 5u ? 2u * slice_ms : 10u;
        handle = take_once(size, owner, flags);
    }
    return settle(handle, size + MEMPOOL_ROOM_OF(flags), owner);
}

MEMPOOL_HOT int mempool_give_flags(mempool_handle_t handle, uint32_t flags) {
    if (mempool_handle_is_heap(handle)) {
        return mempool_heap_give(handle, flags);
    }
    mempool_pool_t *pool;
    uint32_t fields;
    uint32_t state = 0;
    uint32_t index = mempool_handle_index(handle);
    int status;
    MEMPOOL_ENTER();
    // Whose it is, is part of what is swapped: C may adopt it meanwhile, and then it is not Python's to give back.
    do {
        status = mempool_lookup(handle, &pool, &fields);
        if (status == MEMPOOL_OK && (flags & MEMPOOL_PYTHON) != 0 && (fields & MEMPOOL_FIELD_PYTHON) == 0) {
            status = MEMPOOL_E_FOREIGN;
        }
    } while (status == MEMPOOL_OK && !mempool_cas(mempool_word(pool, index), MEMPOOL_HELD(handle) ^ fields,
                                         ((uint32_t)handle << 2) + MEMPOOL_GENERATION_STEP));
    if (status == MEMPOOL_OK) {
        mempool_trace_record((flags & MEMPOOL_RECLAIM) != 0 ? MEMPOOL_TRACE_RECLAIM : MEMPOOL_TRACE_GIVE, handle,
            MEMPOOL_SIZE_MINUS_1_OF(fields) + 1u, MEMPOOL_OWNER_OF(fields));
        if ((flags & MEMPOOL_RECLAIM) != 0) {
            MEMPOOL_COUNT(pool->reclaimed);
        }
        state = put_back(MEMPOOL_MIDDLE(pool), handle, ~(int32_t)index, 1u << (index & 31u), fields, &status);
    }
    MEMPOOL_LEAVE();
    if (status != MEMPOOL_OK) {
        return (flags & MEMPOOL_RECLAIM) != 0 ? status : mempool_refuse(handle, status);
    }
    if (state >= mempool_peek(&pool->down)) {
        mempool_pressure_look_at(mempool_handle_pool(handle));
        (void)mempool_ring(handle);
    }
    return status;
}
