// ops.c - the operations of a scene: each calls the core, and looks at what it answers.
//
// Who takes a block signs it, and finds the signature when it gives it back: plain data, so that a race or a second holder shows.

#include <string.h>

#include "ops.h"

world_t world;
mempool_handle_t shared[HANDLES];
void *shared_data[HANDLES];
mempool_owner_t owner;
uint32_t quota = UINT32_MAX;
bool quota_moves, hook_moves, full_only = true;
bool sees_counts, sees_stamps, sees_owners;
mempool_handle_t known[HANDLES];
bool known_owned[HANDLES];
unsigned known_count;
unsigned shared_count;
model_t before = { .ready = true };

unsigned number_of(mempool_handle_t handle) {
    for (unsigned i = 0; i < known_count; i++) {
        if (known[i] == handle) {
            return i;
        }
    }
    if (known_count == HANDLES) {
        weak_fail("more than %d handles", HANDLES);
    }
    known[known_count] = handle;
    known_owned[known_count] = false;
    return known_count++;
}

bool is_take(enum verb verb) {
    return verb >= TAKE && verb <= ALLOC;
}

bool is_give(enum verb verb) {
    return verb >= GIVE && verb <= GUESS;
}

uint32_t most_used(void) {
    uint32_t most = 0;
    for (unsigned p = 0; p < MEMPOOL_POOLS; p++) {
        most += (counts[p] + (p == 0 ? (uint32_t)MEMPOOL_GROW : 0u)) * (32u << p);
    }
    return most;
}

// ---- Signatures ----------------------------------------------------------------------------------------

static uint32_t *bytes_of(mempool_handle_t handle) {
    unsigned p = pool_of(handle);
    uint32_t index = mempool_handle_index(handle);
    const mempool_geometry_t *geometry = &mempool_geometry[p];
    return index < geometry->blocks ? (uint32_t *)(void *)(geometry->payload + ((size_t)index << geometry->log2_size))
                                    : mempool_data(handle);
}

void sign(mempool_handle_t handle) {
    uint32_t *bytes = bytes_of(handle);
    weak_write(bytes, 4);
    *bytes = (uint32_t)handle;
}

void check_signature(mempool_handle_t handle) {
    uint32_t *bytes = bytes_of(handle);
    weak_read(bytes, 4);
    if (*bytes != (uint32_t)handle) {
        weak_fail("block %#x has the signature %#x", (unsigned)handle, *bytes);
    }
}

// ---- What memory a unit has besides --------------------------------------------------------------------

static _Alignas(8) uint8_t heap[4][512];
static bool heap_used[4];

void *unit_heap_alloc(uint32_t size) {
    for (unsigned i = 0; i < 4 && size <= sizeof(heap[0]); i++) {
        if (!heap_used[i]) {
            heap_used[i] = true;
            return heap[i];
        }
    }
    return NULL;
}

void unit_heap_free(void *data) {
    heap_used[((uint8_t *)data - heap[0]) / sizeof(heap[0])] = false;
}

// ---- Single operations ---------------------------------------------------------------------------------

static mempool_handle_t took(op_t *op, unsigned thread, mempool_handle_t handle) {
    op->handle = handle;
    if (handle > 0) {
        sign(handle);
        world.held[thread][world.holds[thread]++] = handle;
    }
    return handle;
}

static int32_t take(op_t *op) {
    uint32_t size = 32u << op->argument;
    void *data;
    switch (op->what->verb) {
        case TAKE:
            return mempool_take(size, MEMPOOL_NO_OWNER);
        case TAKE_CRITICAL:
            return mempool_take_flags(size, MEMPOOL_NO_OWNER, MEMPOOL_CRITICAL);
        case TAKE_OWNED:
            return mempool_take(size, owner);
        case TAKE_FULL:
            return mempool_take_flags(size, MEMPOOL_NO_OWNER, 0u);
        case TAKE_SPILL:
            return mempool_take_flags(size, MEMPOOL_NO_OWNER, MEMPOOL_SPILL);
        case TAKE_WAIT:
            return mempool_take_wait(size, MEMPOOL_NO_OWNER, 0u, 2u);
        default:
            data = mempool_alloc(size);
            return data ? mempool_handle_of(data) : MEMPOOL_E_EXHAUSTED;
    }
}

static int32_t give_by(enum verb verb, mempool_handle_t handle, void *data) {
    switch (verb) {
        case GIVE_FULL:
        case PUT_FULL:
            return mempool_give_flags(handle, 0u);
        case FREE:
        case RACE_FREE:
            return mempool_free(data);
        case RACE_PYTHON:
            return mempool_give_flags(handle, MEMPOOL_PYTHON);
        default:
            return mempool_give(handle);
    }
}

static int32_t give(op_t *op, unsigned thread) {
    enum verb verb = op->what->verb;
    void *data = NULL;
    if (verb >= PUT) {
        op->handle = shared[op->argument] + (verb == GUESS ? 1 << 13 : 0);
        data = shared_data[op->argument];
    } else {
        op->handle = world.holds[thread] ? world.held[thread][--world.holds[thread]] : 0;
    }
    if (op->handle == 0) {
        return MEMPOOL_OK;
    }
    if (verb < RACE) {
        check_signature(op->handle);
        data = verb == FREE ? mempool_data(op->handle) : NULL;
    }
    return give_by(verb, op->handle, data);
}

// Whole values: what is read together belongs together.
static int32_t read_statistics(mempool_stats_t *s, int status) {
    bool peak_holds = MEMPOOL_DIAGNOSTICS ? s->used <= s->peak && s->peak <= s->capacity : s->peak == 0;
    // What grows meanwhile is read again only so often (MEMPOOL_TEARS): then used, free and peak alone agree.
    bool rest_holds = MEMPOOL_GROW > 0 || (s->frees <= s->allocs + before.used[0] + 16u && s->requested <= s->used);
    return status != MEMPOOL_OK || s->used + s->free != s->capacity || !peak_holds || !rest_holds || s->level > 2u;
}

// All blocks here are asked for in full, and time stands still since they were taken: anything else is made up.
static int32_t wrong_leaks(void) {
    mempool_leak_t leaks[8];
    int32_t wrong = 0;
    size_t n = mempool_leaks(0, leaks, 8);
    for (size_t i = 0; i < n; i++) {
        wrong += leaks[i].size != 32u << pool_of((mempool_handle_t)leaks[i].handle) || leaks[i].age_ms != 0;
    }
    return wrong;
}

static int32_t wrong_trace(void) {
    mempool_trace_t entries[16];
    int32_t wrong = 0;
    size_t n = mempool_trace(entries, 16);
    for (size_t i = 0; i < n; i++) {
        const mempool_trace_t *e = &entries[i];
        bool of_a_block = e->what == MEMPOOL_TRACE_TAKE || e->what == MEMPOOL_TRACE_GIVE;
        wrong += of_a_block && (e->handle <= 0 || e->size != 32u << pool_of(e->handle) || e->ticks != 1000u);
        wrong += e->what < MEMPOOL_TRACE_TAKE || e->what > MEMPOOL_TRACE_POISON || e->owner > MEMPOOL_OWNERS;
    }
    return wrong;
}

static int32_t wrong_info(void) {
    mempool_owner_info_t info;
    int status = mempool_owner_info(owner, &info);
    if (status != MEMPOOL_OK) {
        return status != MEMPOOL_E_RANGE;
    }
    return info.used > most_used() || info.used % 32u != 0 || info.peak < info.used || info.peak > most_used() ||
           info.quota > most_used() || info.denied > OPS;
}

// What somebody does whom the bell woke.
void look(void) {
    unsigned pool;
    mempool_level_t level;
    for (unsigned t = 0; weak_in_thread() && t < THREADS; t++) {
        uint32_t rung = world.rung[t];
        if (rung > world.looked[t] && weak_knows(t, rung)) {
            world.looked[t] = rung;
        }
    }
    while (mempool_pressure_next(&pool, &level)) {
        world.told[pool] = (uint8_t)level;
    }
}

static void ring(void) {
    if (weak_in_thread()) {
        world.rung[weak_thread()] = weak_now();
    }
}

int32_t do_op(op_t *op, unsigned thread) {
    enum verb verb = op->what->verb;
    mempool_stats_t stats;
    char byte;
    if (is_take(verb)) {
        return took(op, thread, take(op));
    }
    if (is_give(verb)) {
        return give(op, thread);
    }
    switch (verb) {
        case ADOPT:
            op->handle = shared[op->argument];
            return mempool_adopt(op->handle, MEMPOOL_PYTHON);
        case READ:
            // A byte that nobody writes: whoever reads what is given back meanwhile reads what he must not use.
            op->handle = shared[op->argument];
            return mempool_read(op->handle, 31u, &byte, 1);
        case STATS:
            memset(&stats, 0, sizeof(stats));
            return read_statistics(&stats, mempool_pool_stats(op->argument, &stats));
        case STATS_ALL:
            memset(&stats, 0, sizeof(stats));
            mempool_stats(&stats);
            return read_statistics(&stats, MEMPOOL_OK);
        case RESET:
            mempool_reset_stats();
            return 0;
        case LEAKS:
            return wrong_leaks();
        case LOOK:
            look();
            return 0;
        case LEVEL:
            return mempool_pool_stats(op->argument, &stats) != MEMPOOL_OK || stats.level > 2u;
#if MEMPOOL_GROW > 0
        case GROW:
            return mempool_grow(0, op->argument);
        case SHRINK:
            return mempool_shrink(0);
#endif
        case OPEN:
        case OPEN_OTHER:
            return mempool_owner_open(verb == OPEN ? "owner" : "other", 5, op->argument * MEMPOOL_MIN_BLOCK, 0);
        case CLOSE:
            return mempool_owner_close(owner, 0);
        case INFO:
            return wrong_info();
        case UNOWNED:
            return mempool_unowned() > most_used();
        case TRACE:
            return wrong_trace();
        case CHECK:
            return (int32_t)mempool_check();
        case HOOK:
        case UNHOOK:
            mempool_set_pressure_hook(verb == HOOK ? ring : NULL);
            return 0;
        case INIT:
            mempool_init();
            return 0;
        default:
            return op->what->run(op->argument);
    }
}

void unit_run(unsigned thread) {
    for (unsigned at = world.first[thread]; at < world.end[thread]; at++) {
        op_t *op = &world.ops[at];
        op->begun = true;
        for (unsigned i = 0; i < OPS; i++) {
            const op_t *other = &world.ops[i];
            op->earlier |= (uint16_t)((other->done && weak_knows(other->thread, other->ended)) << i);
        }
        op->result = do_op(op, thread);
        op->ended = weak_now();
        op->done = true;
    }
}
