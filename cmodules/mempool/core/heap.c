// heap.c - the platform's heaps, and blocks from one of them where STRICT_MODE is off and no pool can serve (ALLOW_HEAP_FALLBACK). They have handles,
// owners and ages like any other, and are counted. Never from an interrupt: heaps take locks.

#include "mempool_core.h"

bool mempool_heap_info(unsigned number, mempool_heap_info_t *info) {
#ifdef MEMPOOL_PORT_HEAPS
    return mempool_port_heap_info(number, info);
#else
    (void)number;
    (void)info;
    return false;
#endif
}

#if MEMPOOL_HEAP_FALLBACK

#define CODE (MEMPOOL_POOLS + 1u)

typedef struct {
    void *data; // NULL: free
    uint32_t size;
    uint32_t generation; // 17 bits
    uint8_t owner;
    bool python;
    bool busy; // being filled or emptied
    mempool_word_t stamp;
} place_t;

static place_t places[MEMPOOL_HEAP_BLOCKS] MEMPOOL_FAST;
static struct {
    uint32_t used; // bytes
    uint32_t allocs;
    uint32_t frees;
    uint32_t reclaimed;
    uint32_t denied;
} counts MEMPOOL_FAST;

static mempool_handle_t handle_at(uint32_t place) {
    return (mempool_handle_t)(places[place].generation << 13 | CODE << 10 | place);
}

static place_t *find(mempool_handle_t handle, int *status) {
    uint32_t place = mempool_handle_index(handle);
    *status = MEMPOOL_E_FOREIGN;
    if (handle <= 0 || (uint32_t)handle >> 30 != 0 || place >= MEMPOOL_HEAP_BLOCKS) {
        return NULL;
    }
    *status = MEMPOOL_E_STALE;
    if (places[place].data == NULL || places[place].busy || handle_at(place) != handle) {
        return NULL;
    }
    *status = MEMPOOL_OK;
    return &places[place];
}

// The owner's quota counts the bytes of a heap block as they are. -> true where it allows them; *balance: as of then.
static bool charge(mempool_owner_t owner, uint32_t size, uint32_t *balance) {
    *balance = 0;
#if MEMPOOL_OWNERS > 0
    if (size > MEMPOOL_CHARGE_MAX || !mempool_charge(&mempool_owners[owner], size, balance)) {
        mempool_fetch_add(&mempool_owners[owner].denied, 1u);
        counts.denied += 1u;
        return false;
    }
#else
    (void)owner;
    (void)size;
#endif
    return true;
}

// Of what was charged and is held now: only that is a peak.
static void tell_peak(mempool_owner_t owner, uint32_t balance) {
#if MEMPOOL_OWNERS > 0
    mempool_at_most(&mempool_owners[owner].lowest, balance);
#else
    (void)owner;
    (void)balance;
#endif
}

static void refund(mempool_owner_t owner, uint32_t size) {
#if MEMPOOL_OWNERS > 0
    mempool_fetch_add(&mempool_owners[owner].balance, size);
#else
    (void)owner;
    (void)size;
#endif
}

static void record(uint32_t what, mempool_handle_t handle, uint32_t size, uint32_t owner) {
    MEMPOOL_ENTER();
    mempool_trace_record(what, handle, size, owner);
    MEMPOOL_LEAVE();
    (void)what, (void)handle, (void)size, (void)owner;
}

// A place for a block of `size` bytes, charged to its owner. -> MEMPOOL_OK, E_QUOTA or E_EXHAUSTED.
static int reserve(uint32_t size, mempool_owner_t owner, place_t **place, uint32_t *balance) {
    int status = MEMPOOL_E_QUOTA;
    MEMPOOL_LOCK();
    if (charge(owner, size, balance)) {
        status = MEMPOOL_E_EXHAUSTED;
        for (uint32_t i = 0; i < MEMPOOL_HEAP_BLOCKS && status != MEMPOOL_OK; ++i) {
            if (places[i].data == NULL && !places[i].busy) {
                *place = &places[i];
                places[i].busy = true;
                status = MEMPOOL_OK;
            }
        }
        if (status != MEMPOOL_OK) {
            refund(owner, size);
        }
    }
    MEMPOOL_UNLOCK();
    return status;
}

mempool_handle_t mempool_heap_take(uint32_t size, mempool_owner_t owner, uint32_t flags) {
    if (!mempool_owner_is_live(owner)) {
        return owner == MEMPOOL_NO_OWNER ? MEMPOOL_E_EXHAUSTED : MEMPOOL_E_RANGE; // before mempool_init: the former
    }
    place_t *place;
    uint32_t balance;
    int status = reserve(size, owner, &place, &balance);
    if (status == MEMPOOL_E_QUOTA) {
        record(MEMPOOL_TRACE_FAIL, MEMPOOL_E_QUOTA, size, owner);
    }
    if (status != MEMPOOL_OK) {
        return status; // the caller counts and traces E_EXHAUSTED
    }
    void *data = mempool_port_heap_alloc(size);
    mempool_handle_t handle = MEMPOOL_E_EXHAUSTED;
    MEMPOOL_LOCK();
    if (data != NULL) {
        place->data = data;
        place->size = size;
        place->owner = owner;
        place->python = (flags & MEMPOOL_PYTHON) != 0;
        mempool_store(&place->stamp, mempool_port_tick());
        counts.used += size;
        counts.allocs += 1u;
        tell_peak(owner, balance);
        handle = handle_at((uint32_t)(place - places));
    } else {
        refund(owner, size);
    }
    place->busy = false;
    MEMPOOL_UNLOCK();
    if (handle > 0) {
        record(MEMPOOL_TRACE_TAKE, handle, size, owner);
    }
    return handle;
}

int mempool_heap_give(mempool_handle_t handle, uint32_t flags) {
    int status;
    void *data = NULL;
    uint32_t size = 0;
    uint32_t owner = 0;
    MEMPOOL_LOCK();
    place_t *place = find(handle, &status);
    if (place != NULL && (flags & MEMPOOL_PYTHON) != 0 && !place->python) {
        status = MEMPOOL_E_FOREIGN;
    } else if (place != NULL) {
        data = place->data;
        size = place->size;
        owner = place->owner;
        refund(place->owner, size);
        place->data = NULL;
        place->generation = (place->generation + 1u) & 0x1ffffu;
        counts.used -= size;
        counts.frees += 1u;
        counts.reclaimed += (flags & MEMPOOL_RECLAIM) != 0 ? 1u : 0u;
    }
    MEMPOOL_UNLOCK();
    if (data != NULL) {
        mempool_port_heap_free(data);
        record((flags & MEMPOOL_RECLAIM) != 0 ? MEMPOOL_TRACE_RECLAIM : MEMPOOL_TRACE_GIVE, handle, size, owner);
        return MEMPOOL_OK;
    }
    return (flags & MEMPOOL_RECLAIM) != 0 ? status : mempool_refuse(handle, status);
}

int mempool_heap_inspect(mempool_handle_t handle, mempool_block_t *block) {
    int status;
    MEMPOOL_LOCK();
    const place_t *place = find(handle, &status);
    if (place != NULL) {
        block->data = place->data;
        block->size = block->capacity = place->size;
        block->pool = MEMPOOL_HEAP;
        block->owner = place->owner;
        block->python = place->python;
    }
    MEMPOOL_UNLOCK();
    return status;
}

int mempool_heap_adopt(mempool_handle_t handle, uint32_t flags) {
    int status;
    MEMPOOL_LOCK();
    place_t *place = find(handle, &status);
    if (place != NULL) {
        place->python = (flags & MEMPOOL_PYTHON) != 0;
    }
    MEMPOOL_UNLOCK();
    return status == MEMPOOL_OK ? status : mempool_refuse(handle, status);
}

mempool_handle_t mempool_heap_handle_of(const void *data) {
    mempool_handle_t handle = MEMPOOL_E_FOREIGN;
    MEMPOOL_LOCK();
    for (uint32_t i = 0; i < MEMPOOL_HEAP_BLOCKS; ++i) {
        if (data != NULL && places[i].data == data && !places[i].busy) {
            handle = handle_at(i);
        }
    }
    MEMPOOL_UNLOCK();
    return handle;
}

// The handle of the block in a place, or 0.
static mempool_handle_t held_at(uint32_t place) {
    mempool_handle_t handle = 0;
    MEMPOOL_LOCK();
    if (places[place].data != NULL && !places[place].busy) {
        handle = handle_at(place);
    }
    MEMPOOL_UNLOCK();
    return handle;
}

size_t mempool_heap_leak(unsigned place, mempool_leak_t *leak) {
    size_t found = 0;
    MEMPOOL_LOCK();
    mempool_handle_t handle = held_at(place);
    if (handle != 0) {
        place_t *held = &places[place];
        *leak = (mempool_leak_t){ (uint32_t)handle, held->owner, held->size,
            MEMPOOL_DIAGNOSTICS ? mempool_age_ms(&held->stamp, NULL) : 0u };
        found = 1;
    }
    MEMPOOL_UNLOCK();
    return found;
}

uint32_t mempool_heap_reclaim_python(void) {
    uint32_t given = 0;
    for (uint32_t i = 0; i < MEMPOOL_HEAP_BLOCKS; ++i) {
        mempool_handle_t handle = held_at(i);
        if (handle != 0 && mempool_heap_give(handle, MEMPOOL_PYTHON | MEMPOOL_RECLAIM) == MEMPOOL_OK) {
            ++given;
        }
    }
    return given;
}

void mempool_heap_stats(mempool_stats_t *stats) {
    MEMPOOL_LOCK();
    stats->heap_used = counts.used;
    if (MEMPOOL_DIAGNOSTICS) {
        stats->allocs += counts.allocs;
        stats->frees += counts.frees;
        stats->reclaimed += counts.reclaimed;
        stats->denied += counts.denied;
    }
    MEMPOOL_UNLOCK();
}

void mempool_heap_reset_stats(void) {
    MEMPOOL_LOCK();
    counts.allocs = counts.frees = counts.reclaimed = counts.denied = 0;
    MEMPOOL_UNLOCK();
}

#else

mempool_handle_t mempool_heap_take(uint32_t size, mempool_owner_t owner, uint32_t flags) {
    (void)size;
    (void)owner;
    (void)flags;
    return MEMPOOL_E_EXHAUSTED;
}

#endif
