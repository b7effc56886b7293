// within.c - one call stopped at each of its atomic accesses, while others do much: go once round the trace, give the block that is
// being handed over, take the extent away whose blocks are being looked at.
//
//      within SCENE      trace | adopt | poison

#include "mempool_core.h" // first

#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

static void (*inside)(void);     // at the access
static void (*afterwards)(void); // and from there on at each
static int place = -1, seen;
static bool busy, hit;

void interleave_point(const volatile void *address) {
    (void)address;
    if (place < 0 || busy || mempool_port_depth != 0) {
        return;
    }
    busy = true;
    if (seen == place) {
        hit = true;
        inside();
    }
    if (seen++ >= place) {
        afterwards();
    }
    busy = false;
}

static void nothing(void) {
}

#if MEMPOOL_TRACE

static void go_round(void) {
    for (unsigned i = 0; i < CONFIG_MEMORY_POOL_TRACE_DEPTH; i++) {
        mempool_give(mempool_take(64, MEMPOOL_NO_OWNER));
    }
}

static void read_trace(void) {
    mempool_trace_t told[CONFIG_MEMORY_POOL_TRACE_DEPTH];
    size_t n = mempool_trace(told, CONFIG_MEMORY_POOL_TRACE_DEPTH);
    for (size_t i = 0; i < n; i++) {
        bool tiny = mempool_handle_pool(told[i].handle) == MEMPOOL_TINY;
        if (told[i].size != (tiny ? 20 : 64) || told[i].ticks != 5) {
            fail("stopped at access %d, read at %d: a handle of pool %u with size %u", place, seen,
                mempool_handle_pool(told[i].handle), told[i].size);
        }
    }
}

static void trace(void) {
    mempool_port_host_tick = 5;
    inside = go_round;
    afterwards = read_trace;
    mempool_give(mempool_take(20, MEMPOOL_NO_OWNER));
    place = -1;
    read_trace();
}
#else
#define trace nothing
#endif

static mempool_handle_t handed;

static void look_at_waste(void) {
    mempool_stats_t s;
    mempool_pool_stats(MEMPOOL_TINY, &s);
    if (s.waste > s.used || s.requested > s.used || (s.used != 0 && s.requested == 0)) {
        fail("stopped at access %d, read at %d: used %u requested %u waste %u", place, seen, s.used, s.requested, s.waste);
    }
}

static void give_it(void) {
    look_at_waste();
    if (mempool_give(handed) != MEMPOOL_OK) {
        fail("the block cannot be given back");
    }
}

static void adopt(void) {
    inside = give_it;
    afterwards = look_at_waste;
    int at = place;
    place = -1;
    handed = mempool_take_flags(1, MEMPOOL_NO_OWNER, MEMPOOL_PYTHON);
    place = at;
    int status = mempool_adopt(handed, 0);
    place = -1;
    if (status != MEMPOOL_OK && status != MEMPOOL_E_STALE) {
        fail("adopt is %d", status);
    }
    if (!hit) {
        mempool_give(handed);
    }
}

#if MEMPOOL_GROW > 0 && MEMPOOL_POISON
static void take_extent_away(void) {
    if (mempool_shrink(MEMPOOL_TINY) != 2) {
        fail("the extent does not go");
    }
}

static void poison(void) {
    inside = take_extent_away;
    afterwards = nothing;
    int at = place;
    place = -1;
    if (mempool_grow(MEMPOOL_TINY, 2) != 2) {
        fail("grow");
    }
    place = at;
    uint32_t damaged = mempool_poison_check();
    place = -1;
    if (damaged != 0) {
        fail("stopped at access %d: %u damaged blocks", at, damaged);
    }
    while (mempool_shrink(MEMPOOL_TINY) > 0) {
    }
}
#else
#define poison nothing
#endif

static const struct {
    const char *name;
    void (*run)(void);
} scenes[] = { { "trace", trace }, { "adopt", adopt }, { "poison", poison } };

int main(int argc, char **argv) {
    void (*run)(void) = NULL;
    for (unsigned i = 0; argc == 2 && i < 3; i++) {
        run = strcmp(argv[1], scenes[i].name) == 0 ? scenes[i].run : run;
    }
    if (run == NULL || run == nothing) {
        fail("within trace | adopt | poison");
    }
    int at = 0, status = 0;
    for (; status == 0; at++) {
        pid_t child = fork();
        if (child == 0) {
            mempool_init();
            place = at;
            run();
            check_empty();
            _exit(hit ? 0 : 2);
        }
        waitpid(child, &status, 0);
        status = WIFEXITED(status) ? WEXITSTATUS(status) : 100;
    }
    printf("places %d\n", at - 1);
    return status == 2 ? 0 : 1;
}
