// readers.c - who reads a record that others write gets whole values: owners, statistics, the trace; and the doorbell is set while
// others take.
//
//      readers SCENE SECONDS      owners | counts | trace | bell

#include "mempool_core.h" // first

#include "stress.h"

static _Atomic bool ends;
static _Atomic uint32_t looks, changes, rung;
static double seconds;

static void want(bool right, const char *what, uint32_t is) {
    if (!right) {
        fail("%s: %u", what, is);
    }
}

// The first thread reads until the time is over; the second changes; the others take and give.
typedef struct {
    const char *name;
    void (*read)(void);
    void (*change)(void);
    void (*take)(void);
} scene_t;

static const scene_t *scene;
static void change_bell(void);

static void *run(void *arg) {
    if ((uintptr_t)arg == 0) {
        for (double end = now_s() + seconds; now_s() < end || looks < 1000 || changes < 1000 || (scene->change == change_bell && rung == 0);) {
            scene->read();
            looks++;
        }
        ends = true;
        return NULL;
    }
    while (!ends) {
        if ((uintptr_t)arg == 1) {
            scene->change();
            changes++;
        } else {
            scene->take();
        }
    }
    return NULL;
}

static void take_and_give(uint32_t size, mempool_owner_t owner) {
    mempool_handle_t handle = mempool_take(size, owner);
    bool right = handle > 0 || handle == MEMPOOL_E_EXHAUSTED || (owner != 0 && (handle == MEMPOOL_E_QUOTA || handle == MEMPOOL_E_RANGE));
    want(right, "take", (uint32_t)handle);
    if (handle > 0) {
        want(mempool_give(handle) == MEMPOOL_OK, "give", (uint32_t)handle);
    }
}

// ---- Owners: 1 stays and holds a block, another comes and goes under one name and two quotas ------------------------

#if MEMPOOL_OWNERS > 0

static mempool_handle_t kept;

static void change_owner(void) {
    int owner = mempool_owner_open("comes and goes", 14, 4096, 0);
    want(owner == 2 && mempool_owner_open("comes and goes", 14, 1024, 0) == 2 && mempool_owner_open("stays", 5, 2048, 0) == 1 &&
             mempool_owner_open("stays", 5, 0, 0) == 1 && mempool_owner_close(2, 0) == MEMPOOL_OK,
        "an owner", (uint32_t)owner);
}

static void read_owner(void) {
    mempool_owner_info_t info;
    if (mempool_owner_info(2, &info) == MEMPOOL_OK) {
        want(strcmp(info.name, "comes and goes") == 0 && (info.quota == 4096 || info.quota == 1024), "quota", info.quota);
        want(info.used <= 4 * 32 && info.used <= info.peak, "used", info.used);
    }
    want(mempool_owner_info(1, &info) == MEMPOOL_OK && strcmp(info.name, "stays") == 0, "the owner that stays", 0);
    want(info.quota == 2048 || info.quota == 0 || info.quota == 4096, "its quota", info.quota);
    want(info.used == 128 && info.peak == 128 && info.denied == 0, "its bytes", info.used);
    // What the one who comes and goes has taken, or is asking for, while he is gone.
    uint32_t unowned = mempool_unowned();
    want(unowned <= 4 * 32, "unowned", unowned);
}

static void take_in_name(void) {
    take_and_give(20, 2);
}

static void prepare_owners(void) {
    want(mempool_owner_open("stays", 5, 4096, 0) == 1, "open", 0);
    kept = mempool_take(100, 1);
}

static void judge_owners(void) {
    want(mempool_give(kept) == MEMPOOL_OK && mempool_owner_close(1, 0) == MEMPOOL_OK, "the owner that stays", 0);
    want(mempool_unowned() == 0, "unowned", mempool_unowned());
}

#else
#define change_owner read_counts
#define read_owner read_counts
#define take_in_name take_any
#define prepare_owners() ((void)0)
#define judge_owners() ((void)0)
#endif

// ---- Statistics beside takers, and reset meanwhile ------------------------------------------------------------------

static void read_counts(void) {
    check_stats();
    mempool_stats_t s;
    mempool_stats(&s);
    want(s.requested <= s.used && s.waste == (MEMPOOL_DIAGNOSTICS ? s.used - s.requested : 0), "requested", s.requested);
    want(!MEMPOOL_DIAGNOSTICS || s.heap_used <= 3 * 600, "heap_used", s.heap_used);
}

static void take_any(void) {
    take_and_give(30, MEMPOOL_NO_OWNER);
    mempool_handle_t handle = mempool_take_flags(600, MEMPOOL_NO_OWNER, MEMPOOL_HEAP_OK);
    want(handle == (MEMPOOL_HEAP_FALLBACK ? handle : MEMPOOL_E_SIZE), "take of the heap", (uint32_t)handle);
    if (handle > 0) {
        want(mempool_give(handle) == MEMPOOL_OK, "give to the heap", 0);
    }
}

// ---- The trace: an operation of the one kind is never told as one of the other ---------------------------------------

static void take_two_kinds(void) {
    take_and_give(20, MEMPOOL_NO_OWNER);
    take_and_give(64, MEMPOOL_NO_OWNER);
}

static void read_trace(void) {
    mempool_trace_t told[64];
    size_t n = mempool_trace(told, 64);
    for (size_t i = 0; i < n; i++) {
        bool tiny = told[i].handle > 0 && mempool_handle_pool(told[i].handle) == MEMPOOL_TINY;
        bool taken = told[i].what == MEMPOOL_TRACE_TAKE || told[i].what == MEMPOOL_TRACE_GIVE;
        bool failed = told[i].what == MEMPOOL_TRACE_FAIL && told[i].handle == MEMPOOL_E_EXHAUSTED;
        want((taken && told[i].size == (tiny ? 20 : 64)) || (failed && (told[i].size == 20 || told[i].size == 64)),
            "an entry of two operations, of size", told[i].size);
    }
}

// ---- The doorbell -----------------------------------------------------------------------------------------------------

static void ring(void) {
    rung++;
}

static void change_bell(void) {
    mempool_set_pressure_hook(ring);
    sched_yield();
    mempool_set_pressure_hook(NULL);
}

static void look_at_levels(void) {
    unsigned pool;
    mempool_level_t level;
    if (mempool_pressure_next(&pool, &level)) {
        want(pool < MEMPOOL_POOLS && level <= MEMPOOL_LEVEL_CRITICAL, "level", level);
    }
}

static void take_all(void) {
    mempool_handle_t handles[4];
    unsigned n = 0;
    while (n < 4 && (handles[n] = mempool_take(512, MEMPOOL_NO_OWNER)) > 0) {
        n++;
    }
    while (n > 0) {
        want(mempool_give(handles[--n]) == MEMPOOL_OK, "give", 0);
    }
}

static const scene_t scenes[] = {
    { "owners", read_owner, change_owner, take_in_name },
    { "counts", read_counts, mempool_reset_stats, take_any },
    { "trace", read_trace, take_two_kinds, take_two_kinds },
    { "bell", look_at_levels, change_bell, take_all },
};

int main(int argc, char **argv) {
    for (unsigned i = 0; argc == 3 && i < sizeof(scenes) / sizeof(scenes[0]); i++) {
        scene = strcmp(argv[1], scenes[i].name) == 0 ? &scenes[i] : scene;
    }
    if (scene == NULL) {
        fail("readers owners | counts | trace | bell SECONDS");
    }
    seconds = atof(argv[2]);
    mempool_init();
    if (scene == &scenes[0]) {
        prepare_owners();
    }
    run_threads(4, run);
    if (scene == &scenes[0]) {
        judge_owners();
    }
    mempool_set_pressure_hook(NULL);
    check_empty();
    printf("looks %u changes %u rung %u\n", looks, changes, rung);
    return 0;
}
