// first_calls.c - whoever comes first: every call of mempool.h before mempool_init, while it runs, and with it running inside.
//
//      first_calls names                      the calls that are tried here, one a line
//      first_calls places                     one call and mempool_init, one inside the other at every atomic access
//      first_calls threads RUNS               threads that call whatever they like while another calls mempool_init
//
// Each case is a process of its own. It is refused or served, and afterwards the pools are as if it had come last.

#include "mempool_core.h" // first

#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

#define FIRST_HANDLE ((mempool_handle_t)(1u << 10)) // that the first block has first
#define NOBODYS ((mempool_handle_t)(77u << 13 | 1u << 10))

static mempool_handle_t guess = FIRST_HANDLE;
static mempool_handle_t held[4];
static unsigned holds, failures, rings;
static int opened;   // an owner, as its call answered
static bool resized; // which rings, as the level may be another one then

static void ring(void) {
    rings++;
}

// ---- The calls: each says what may be answered -------------------------------------------------------------

static void want(bool right, const char *what) {
    if (!right) {
        fail("%s", what);
    }
}

static void served(mempool_handle_t handle) {
    if (handle > 0) {
        uint32_t there = 0;
        held[holds++] = handle;
        want(mempool_data(handle) != NULL && mempool_write(handle, 0, "four", 4) == 4 && mempool_read(handle, 0, &there, 4) == 4,
            "a block that was taken cannot be used");
    } else {
        failures++;
        want(handle == MEMPOOL_E_EXHAUSTED, "a take is neither served nor exhausted");
    }
}

static void refused(int status) {
    want(status == MEMPOOL_E_FOREIGN || status == MEMPOOL_E_STALE, "a handle that nobody got is obeyed");
}

static void look_at_stats(const mempool_stats_t *s) {
    want(s->used + s->free == s->capacity, "used + free is not capacity");
    want(s->level == MEMPOOL_LEVEL_NORMAL, "a level before anything was taken");
    want(s->frees <= s->allocs && s->allocs <= 1, "takes or gives that never were");
    check_stats();
}

static void call_take(void) {
    served(mempool_take(20, MEMPOOL_NO_OWNER));
}
static void call_take_flags(void) {
    served(mempool_take_flags(500, MEMPOOL_NO_OWNER, MEMPOOL_SPILL | MEMPOOL_CRITICAL));
}
static void call_take_wait(void) {
    served(mempool_take_wait(100, MEMPOOL_NO_OWNER, MEMPOOL_PYTHON, 1));
}
static void call_take_of_owner(void) {
    want(mempool_take(20, 1) == MEMPOOL_E_RANGE, "an owner that is not there is served");
}
static void call_take_of_heap(void) {
    mempool_handle_t handle = mempool_take_flags(600, MEMPOOL_NO_OWNER, MEMPOOL_HEAP_OK);
    if (MEMPOOL_HEAP_FALLBACK) {
        served(handle);
    } else {
        want(handle == MEMPOOL_E_SIZE, "600 bytes of no heap");
    }
}
static void call_give(void) {
    refused(mempool_give(guess));
}
static void call_give_flags(void) {
    refused(mempool_give_flags(guess, MEMPOOL_PYTHON));
}
static void call_data(void) {
    want(mempool_data(guess) == NULL, "data of a handle that nobody got");
}
static void call_write(void) {
    refused(mempool_write(guess, 0, "x", 1));
}
static void call_read(void) {
    refused(mempool_read(guess, 0, &(char){ 0 }, 1));
}
static void call_write_flags(void) {
    refused(mempool_write_flags(guess, 0, "x", 1, MEMPOOL_PYTHON));
}
static void call_read_flags(void) {
    refused(mempool_read_flags(guess, 0, &(char){ 0 }, 1, MEMPOOL_PYTHON));
}
static void call_adopt(void) {
    refused(mempool_adopt(guess, MEMPOOL_PYTHON));
}
static void call_inspect(void) {
    refused(mempool_inspect(guess, &(mempool_block_t){ 0 }));
}
static void call_alloc(void) {
    void *data = mempool_alloc(20);
    served(data == NULL ? MEMPOOL_E_EXHAUSTED : mempool_handle_of(data));
}
static void call_free(void) {
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        refused(mempool_free(mempool_geometry[pool].payload));
    }
}
static void call_handle_of(void) {
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        refused(mempool_handle_of(mempool_geometry[pool].payload));
    }
}
static void call_owner_open(void) {
    opened = mempool_owner_open("early", 5, 256, 0);
    want(opened > 0 || opened == MEMPOOL_E_OWNERS, "an owner is neither opened nor refused");
}
static void call_owner_close(void) {
    want(mempool_owner_close(1, 0) == MEMPOOL_E_RANGE, "an owner that is not there is closed");
}
static void call_owner_info(void) {
    want(mempool_owner_info(1, &(mempool_owner_info_t){ .quota = 0 }) == MEMPOOL_E_RANGE, "an owner that is not there is shown");
}
static void call_unowned(void) {
    // Without owners it is what is used, and before mempool_init that is everything, as in the statistics.
    uint32_t unowned = mempool_unowned();
    want(unowned == 0 || MEMPOOL_OWNERS == 0, "bytes that nobody took");
}
static void call_stats(void) {
    mempool_stats_t s;
    mempool_stats(&s);
    look_at_stats(&s);
}
static void call_pool_stats(void) {
    mempool_stats_t s;
    want(mempool_pool_stats(MEMPOOL_TINY, &s) == MEMPOOL_OK, "pool_stats");
    look_at_stats(&s);
}
static void call_reset_stats(void) {
    mempool_reset_stats();
}
static void call_pool_info(void) {
    mempool_pool_info_t info;
    want(mempool_pool_info(MEMPOOL_LARGE, &info) == MEMPOOL_OK && info.count == counts[MEMPOOL_LARGE], "pool_info");
}
static void call_map(void) {
    uint8_t used[64];
    size_t n = mempool_map(MEMPOOL_MEDIUM, used, sizeof(used));
    for (size_t i = 0; i < n; i++) {
        want(used[i] == 0, "a block that nobody took is in the map");
    }
}
static void call_leaks(void) {
    want(mempool_leaks(0, &(mempool_leak_t){ 0 }, 1) == 0, "a leak of what nobody took");
}
static void call_trace(void) {
    want(mempool_trace(&(mempool_trace_t){ 0 }, 1) == 0, "a trace of what nobody did");
}
static void call_check(void) {
    want(mempool_check() == 0, "check() is not 0");
}
static void call_poison_hits(void) {
    want(mempool_poison_hits() == 0, "poison that nobody overwrote");
}
static void call_reclaim_python(void) {
    want(mempool_reclaim_python() == 0, "blocks that Python never had");
}
static void call_heap_info(void) {
    (void)mempool_heap_info(0, &(mempool_heap_info_t){ 0 });
}
static void call_set_pressure_hook(void) {
    mempool_set_pressure_hook(ring);
}
static void call_pressure_look(void) {
    mempool_pressure_look();
}
static void call_pressure_next(void) {
    unsigned pool;
    mempool_level_t level;
    want(!mempool_pressure_next(&pool, &level), "an edge that never was");
}
static void call_noinit_data(void) {
    want(mempool_noinit_data() != NULL, "noinit_data");
}
static void call_noinit_valid(void) {
    (void)mempool_noinit_valid();
}
static void call_noinit_write(void) {
    want(mempool_noinit_write(0, "x", 1) == 1 && mempool_noinit_valid(), "noinit_write");
}
static void call_noinit_seal(void) {
    mempool_noinit_seal();
}
static void call_init(void) {
    mempool_init();
}
#if MEMPOOL_GROW > 0
static void call_growable(void) {
    want(mempool_growable(MEMPOOL_SMALL) <= MEMPOOL_GROW, "growable");
}
static void call_grow(void) {
    resized = true;
    int added = mempool_grow(MEMPOOL_SMALL, 2);
    want(added == 2 || added == MEMPOOL_E_RANGE, "grow is neither refused nor served");
}
static void call_shrink(void) {
    resized = true;
    want(mempool_shrink(MEMPOOL_SMALL) == 0, "a pool that never grew is made smaller");
}
#endif

// `waits`: takes the lock, or waits for mempool_init: it cannot come in the middle of whoever has the lock.
#define CALL(name, waits) \
    { "mempool_" #name, call_##name, waits }
static const struct {
    const char *name;
    void (*call)(void);
    bool waits;
} calls[] = {
    CALL(take, false),
    CALL(take_flags, false),
    CALL(take_wait, true),
    CALL(give, false),
    CALL(give_flags, false),
    CALL(data, false),
    CALL(write, false),
    CALL(read, false),
    CALL(write_flags, false),
    CALL(read_flags, false),
    CALL(adopt, false),
    CALL(inspect, false),
    CALL(alloc, MEMPOOL_HEAP_FALLBACK),
    CALL(free, true),
    CALL(handle_of, true),
    CALL(owner_open, true),
    CALL(owner_close, true),
    CALL(owner_info, true),
    CALL(unowned, true),
    CALL(stats, MEMPOOL_HEAP_FALLBACK),
    CALL(pool_stats, MEMPOOL_HEAP_FALLBACK),
    CALL(reset_stats, true),
    CALL(pool_info, false),
    CALL(map, false),
    CALL(leaks, MEMPOOL_HEAP_FALLBACK),
    CALL(trace, false),
    CALL(check, true),
    CALL(poison_hits, false),
    CALL(reclaim_python, true),
    CALL(heap_info, false),
    CALL(set_pressure_hook, false),
    CALL(pressure_look, false),
    CALL(pressure_next, false),
    CALL(noinit_data, true),
    CALL(noinit_valid, true),
    CALL(noinit_write, true),
    CALL(noinit_seal, true),
    CALL(init, true),
    { "mempool_take", call_take_of_owner, false },
    { "mempool_take_flags", call_take_of_heap, true },
#if MEMPOOL_GROW > 0
    CALL(growable, true),
    CALL(grow, true),
    CALL(shrink, true),
#endif
};
#define N_CALLS (sizeof(calls) / sizeof(calls[0]))

// ---- Afterwards ------------------------------------------------------------------------------------------------

static void judge_owner(void) {
    mempool_owner_info_t info;
    if (opened > 0) {
        want(mempool_owner_info((mempool_owner_t)opened, &info) == MEMPOOL_OK && strcmp(info.name, "early") == 0 &&
                 info.quota == 256 && info.used == 0 && info.peak == 0 && info.denied == 0,
            "the owner that was opened early is not as it should be");
        want(mempool_owner_close((mempool_owner_t)opened, 0) == MEMPOOL_OK, "the early owner cannot be closed");
    }
    int later = mempool_owner_open("later", 5, 32, 0);
    want(later == (MEMPOOL_OWNERS > 0 ? 1 : MEMPOOL_E_OWNERS), "an owner cannot be opened now");
    if (later > 0) {
        mempool_handle_t handle = mempool_take(32, (mempool_owner_t)later);
        want(handle > 0 && mempool_take(1, (mempool_owner_t)later) == MEMPOOL_E_QUOTA, "the quota does not hold");
        want(mempool_give(handle) == MEMPOOL_OK && mempool_owner_close((mempool_owner_t)later, 0) == MEMPOOL_OK, "owner");
    }
}

// `alone`: nobody reset the statistics while others had blocks.
static void judge(bool alone) {
    mempool_init();
    for (unsigned i = 0; i < holds; i++) {
        want(mempool_give(held[i]) == MEMPOOL_OK, "what was taken early cannot be given back");
    }
    call_pressure_next();
    want(rings == 0 || resized, "the bell rang");
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
#if MEMPOOL_GROW > 0
        while (mempool_shrink(pool) > 0) {
        }
#endif
        mempool_stats_t s;
        mempool_pool_stats(pool, &s);
        want(s.used == 0 && s.requested == 0 && s.waste == 0 && (s.frees == s.allocs || !alone), "statistics at rest");
        want(s.peak <= 4 * block_sizes[pool], "a peak that never was");
    }
    mempool_stats_t s;
    mempool_stats(&s);
    if (s.heap_used != 0 || s.denied != 0 || s.reclaimed != 0 || (alone && (s.frees != s.allocs || s.failures > failures))) {
        fail("allocs %u frees %u failures %u of %u denied %u", s.allocs, s.frees, s.failures, failures, s.denied);
    }
    want(mempool_unowned() == 0, "unowned() is not 0");
    want(mempool_check() == 0, "check() is not 0");
    judge_owner();
    check_empty();
    want(mempool_unowned() == 0, "unowned() is not 0 after all");
}

// ---- One inside the other --------------------------------------------------------------------------------------

static void (*inside)(void);
static int place = -1, seen;
static bool may_lock;

// Called before each atomic access. While the lock is held, nobody else gets it.
void interleave_point(const volatile void *address) {
    (void)address;
    if (place >= 0 && seen++ >= place && (mempool_port_depth == 0 || may_lock)) {
        place = -1;
        inside();
    }
}

// -> whether there was such a place.
static bool at_place(unsigned n, int at, bool init_is_inside) {
    inside = init_is_inside ? mempool_init : calls[n].call;
    may_lock = !init_is_inside && !calls[n].waits;
    mempool_set_pressure_hook(ring);
    place = at;
    seen = 0;
    if (init_is_inside) {
        calls[n].call();
    } else {
        mempool_init();
    }
    bool hit = place < 0;
    place = -1;
    judge(true);
    return hit;
}

// -> 0: right, and there are more places; 2: no such place.
static int in_process(int (*run)(unsigned, int, bool), unsigned n, int at, bool flag, const char *what) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        _exit(run(n, at, flag));
    }
    int status = 0;
    waitpid(child, &status, 0);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 100;
    if (code != 0 && code != 2) {
        fail("%s, %s %d (status %#x)", calls[n].name, what, at, (unsigned)status);
    }
    return code;
}

static int run_place(unsigned n, int at, bool init_is_inside) {
    return at_place(n, at, init_is_inside) ? 0 : 2;
}

static int run_before(unsigned n, int at, bool flag) {
    (void)at;
    (void)flag;
    calls[n].call();
    want(opened <= 0, "an owner before mempool_init");
    want(holds == 0, "a block before mempool_init");
    judge(true);
    return 0;
}

static void all_places(void) {
    unsigned places = 0, most = 0;
    for (unsigned n = 0; n < N_CALLS; n++) {
        (void)in_process(run_before, n, 0, false, "before mempool_init");
        for (int init_is_inside = 0; init_is_inside < 2; init_is_inside++) {
            if (calls[n].call == call_init) {
                continue; // of two that begin at once one waits for the other: the threads below
            }
            const char *what = init_is_inside ? "with mempool_init inside, at access" : "inside mempool_init, at access";
            unsigned at = 0;
            while (in_process(run_place, n, (int)at, init_is_inside != 0, what) == 0) {
                at++;
            }
            places += at;
            most = at > most ? at : most;
        }
    }
    printf("calls %zu places %u most %u\n", N_CALLS, places, most);
}

// ---- Threads ---------------------------------------------------------------------------------------------------

static _Atomic unsigned waiting;
static uint32_t delay;

static void *poll_for_blocks(void *arg) {
    uint32_t size = (uint32_t)(uintptr_t)arg == 1 ? 20 : 512;
    mempool_handle_t handle;
    waiting++;
    do {
        handle = mempool_take(size, MEMPOOL_NO_OWNER);
    } while (handle == MEMPOOL_E_EXHAUSTED);
    want(handle > 0 && mempool_give(handle) == MEMPOOL_OK, "a take is neither served nor exhausted");
    return NULL;
}

// What leaves nothing behind, over and over.
static void *call_everything(void *arg) {
    static void (*const idle[])(void) = { call_give, call_owner_close, call_unowned, call_pressure_look, call_set_pressure_hook,
        call_check, call_reset_stats, call_handle_of, call_adopt, call_take_of_owner };
    (void)arg;
    waiting++;
    while (!mempool_is_ready()) {
        for (unsigned i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
            if (idle[i] != call_unowned && idle[i] != call_handle_of) { // they see the other threads' blocks
                idle[i]();
            }
        }
    }
    return NULL;
}

static void *start(void *arg) {
    if ((uintptr_t)arg != 0) {
        return (uintptr_t)arg < 3 ? poll_for_blocks(arg) : call_everything(arg);
    }
    while (waiting < 3) {
        sched_yield();
    }
    for (volatile uint32_t i = 0; i < delay; i++) {
    }
    mempool_init();
    return NULL;
}

static int run_threads_once(unsigned n, int at, bool flag) {
    (void)n;
    (void)flag;
    delay = (uint32_t)at * 7919u % 20011u;
    guess = NOBODYS; // two of the threads get the first handles
    run_threads(4, start);
    judge(false);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "names") == 0) {
        for (unsigned n = 0; n < N_CALLS; n++) {
            puts(calls[n].name);
        }
    } else if (argc == 2 && strcmp(argv[1], "places") == 0) {
        all_places();
    } else if (argc == 3 && strcmp(argv[1], "threads") == 0) {
        int runs = atoi(argv[2]);
        for (int i = 0; i < runs; i++) {
            (void)in_process(run_threads_once, 0, i, false, "start number");
        }
        printf("starts %d\n", runs);
    } else {
        fail("first_calls names | places | threads RUNS");
    }
    return 0;
}
