// block.c - what a handle or an address stands for: looking up, copying in and out, handing over, pointers.

#include "mempool_core.h"

#include <string.h>

MEMPOOL_HOT int mempool_lookup(mempool_handle_t handle, mempool_pool_t **pool, uint32_t *fields) {
    *pool = mempool_pool_of(handle);
    uint32_t index = mempool_handle_index(handle);
    if ((uint32_t)handle >> 30 != 0 || index >= mempool_count(*pool)) {
        return MEMPOOL_E_FOREIGN;
    }
    *fields = mempool_load(mempool_word(*pool, index)) ^ MEMPOOL_HELD(handle);
    return MEMPOOL_IN_USE(*fields) ? MEMPOOL_OK : MEMPOOL_E_STALE;
}

#if MEMPOOL_DIAGNOSTICS

mempool_word_t mempool_refused_foreign MEMPOOL_FAST;

static MEMPOOL_HOT int count_refusal(mempool_handle_t handle, mempool_word_t *counter, int status) {
    MEMPOOL_ENTER();
    (void)mempool_fetch_add(counter, 1u);
    (void)handle;
    mempool_trace_record(MEMPOOL_TRACE_REFUSE, handle, 0u, MEMPOOL_NO_OWNER);
    MEMPOOL_LEAVE();
    return status;
}

MEMPOOL_HOT __attribute__((noinline)) int mempool_refuse_stale(mempool_handle_t handle, mempool_word_t *middle) {
    if ((uint32_t)handle >> 30 != 0) {
        return count_refusal(handle, &mempool_refused_foreign, MEMPOOL_E_FOREIGN);
    }
    return count_refusal(handle, &MEMPOOL_OF_MIDDLE(middle)->refused, MEMPOOL_E_STALE);
}

MEMPOOL_HOT int mempool_refuse(mempool_handle_t handle, int status) {
    if (status == MEMPOOL_E_STALE && !mempool_handle_is_heap(handle)) {
        return mempool_refuse_stale(handle, MEMPOOL_MIDDLE(mempool_pool_of(handle)));
    }
    return count_refusal(handle, &mempool_refused_foreign, status);
}

#endif

MEMPOOL_HOT void *mempool_data(mempool_handle_t handle) {
    mempool_pool_t *pool;
    uint32_t fields;
    mempool_block_t block;
    if (mempool_handle_is_heap(handle)) {
        return mempool_heap_inspect(handle, &block) == MEMPOOL_OK ? block.data : NULL;
    }
    if (mempool_lookup(handle, &pool, &fields) != MEMPOOL_OK) {
        return NULL;
    }
    return mempool_payload_of(mempool_handle_pool(handle), mempool_handle_index(handle));
}

MEMPOOL_HOT int mempool_inspect(mempool_handle_t handle, mempool_block_t *block) {
    if (mempool_handle_is_heap(handle)) {
        return mempool_heap_inspect(handle, block);
    }
    mempool_pool_t *pool;
    uint32_t fields;
    int status = mempool_lookup(handle, &pool, &fields);
    if (status == MEMPOOL_OK) {
        block->pool = (uint8_t)mempool_handle_pool(handle);
        block->data = mempool_payload_of(block->pool, mempool_handle_index(handle));
        block->size = MEMPOOL_SIZE_MINUS_1_OF(fields) + 1u;
        block->capacity = pool->block_size;
        block->owner = (uint8_t)MEMPOOL_OWNER_OF(fields);
        block->python = (fields & MEMPOOL_FIELD_PYTHON) != 0;
    }
    return status;
}

// The address of `length` bytes at `offset` of a block; NULL, with a counted error in *status, where there are none.
static MEMPOOL_HOT uint8_t *span(mempool_handle_t handle, uint32_t offset, uint32_t length, uint32_t flags, int *status) {
    mempool_block_t block;
    *status = mempool_inspect(handle, &block);
    if (*status == MEMPOOL_OK && (flags & MEMPOOL_PYTHON) != 0 && !block.python) {
        *status = MEMPOOL_E_FOREIGN;
    }
    if (*status != MEMPOOL_OK) {
        *status = mempool_refuse(handle, *status);
        return NULL;
    }
    if (offset > block.size || length > block.size - offset) {
        *status = MEMPOOL_E_RANGE;
        return NULL;
    }
    *status = (int)length;
    return (uint8_t *)block.data + offset;
}

MEMPOOL_HOT int mempool_write_flags(mempool_handle_t handle, uint32_t offset, const void *from, uint32_t length,
    uint32_t flags) {
    int status;
    uint8_t *to = span(handle, offset, length, flags, &status);
    if (to != NULL && length != 0) {
        memmove(to, from, length);
    }
    return status;
}

MEMPOOL_HOT int mempool_read_flags(mempool_handle_t handle, uint32_t offset, void *to, uint32_t length, uint32_t flags) {
    int status;
    const uint8_t *from = span(handle, offset, length, flags, &status);
    if (from != NULL && length != 0) {
        memmove(to, from, length);
    }
    return status;
}

MEMPOOL_HOT int mempool_write(mempool_handle_t handle, uint32_t offset, const void *from, uint32_t length) {
    return mempool_write_flags(handle, offset, from, length, 0u);
}

MEMPOOL_HOT int mempool_read(mempool_handle_t handle, uint32_t offset, void *to, uint32_t length) {
    return mempool_read_flags(handle, offset, to, length, 0u);
}

MEMPOOL_HOT int mempool_adopt(mempool_handle_t handle, uint32_t flags) {
    if (mempool_handle_is_heap(handle)) {
        return mempool_heap_adopt(handle, flags);
    }
    mempool_pool_t *pool;
    uint32_t fields;
    int status;
    MEMPOOL_ENTER();
    for (;;) {
        status = mempool_lookup(handle, &pool, &fields);
        if (status != MEMPOOL_OK) {
            break;
        }
        uint32_t wanted = (flags & MEMPOOL_PYTHON) != 0 ? fields | MEMPOOL_FIELD_PYTHON : fields & ~MEMPOOL_FIELD_PYTHON;
        if (!MEMPOOL_FIELDS_TELL(wanted)) {
            wanted = MEMPOOL_FIELD_SIZE(1u); // as in take: 1 byte, C, no owner
        }
        uint32_t held = MEMPOOL_HELD(handle);
        // The sum grows before the word does, and back where that fails: a give between the two never takes off more than it has.
        bool larger = MEMPOOL_DIAGNOSTICS && MEMPOOL_SIZE_MINUS_1_OF(wanted) != MEMPOOL_SIZE_MINUS_1_OF(fields);
        int zero;
        if (larger) {
            (void)mempool_add(&pool->state, 1u, &zero);
        }
        if (mempool_cas(mempool_word(pool, mempool_handle_index(handle)), held ^ fields, held ^ wanted)) {
            break;
        }
        if (larger) {
            (void)mempool_add(&pool->state, 0u - 1u, &zero);
        }
    }
    MEMPOOL_LEAVE();
    return status == MEMPOOL_OK ? status : mempool_refuse(handle, status);
}

MEMPOOL_HOT void *mempool_alloc(uint32_t size) {
    mempool_handle_t handle = MEMPOOL_HEAP_FALLBACK ? mempool_take_flags(size, MEMPOOL_NO_OWNER, MEMPOOL_HEAP_OK)
                                                    : mempool_take(size, MEMPOOL_NO_OWNER);
    return handle > 0 ? mempool_data(handle) : NULL;
}

// The pool and index of the block that starts at `data`, where it is one of those that were there from the beginning.
static MEMPOOL_HOT bool find_built(const void *data, unsigned *p, uint32_t *index) {
    // The payload is one piece, pool after pool: five compares with constants at most.
    uintptr_t address = (uintptr_t)data;
    *p = MEMPOOL_POOLS;
    while (*p > 0 && address < (uintptr_t)mempool_geometry[*p - 1u].payload) {
        --*p;
    }
    if (*p == 0) {
        return false;
    }
    const mempool_geometry_t *geometry = &mempool_geometry[--*p];
    uintptr_t offset = address - (uintptr_t)geometry->payload;
    *index = (uint32_t)(offset >> geometry->log2_size);
    return offset >> geometry->log2_size < geometry->blocks && (offset & ((1u << geometry->log2_size) - 1u)) == 0;
}

// The handle by which the block that starts at `data` is held, or would be next; *is_free tells which. 0: no block of a pool.
static MEMPOOL_HOT mempool_handle_t locate(const void *data, bool *is_free) {
    unsigned p;
    uint32_t index;
    bool found = find_built(data, &p, &index);
#if MEMPOOL_GROW > 0
    found = found || mempool_extent_locate(data, &p, &index);
#endif
    if (!found) {
        return 0;
    }
    // Before mempool_init, and while a larger pool is being filled, its word is not there.
    if (index >= mempool_count(mempool_pool(p))) {
        return 0;
    }
    uint32_t word = mempool_load(mempool_word(mempool_pool(p++), index));
    uint32_t number = p << 10 | index;
    *is_free = mempool_word_is_free(word, number);
    return mempool_word_handle(word, number);
}

MEMPOOL_HOT mempool_handle_t mempool_handle_of(const void *data) {
    bool is_free;
    mempool_handle_t handle = locate(data, &is_free);
    if (handle != 0) {
        return is_free ? MEMPOOL_E_STALE : handle;
    }
    return MEMPOOL_HEAP_FALLBACK ? mempool_heap_handle_of(data) : MEMPOOL_E_FOREIGN;
}

MEMPOOL_HOT int mempool_free(void *data) {
    if (data == NULL) {
        return MEMPOOL_OK;
    }
    bool is_free;
    mempool_handle_t handle = locate(data, &is_free);
    if (handle != 0) {
        return is_free ? mempool_refuse(handle, MEMPOOL_E_STALE) : mempool_give(handle);
    }
    handle = mempool_handle_of(data);
    return handle > 0 ? mempool_give(handle) : mempool_refuse(0, MEMPOOL_E_FOREIGN);
}
