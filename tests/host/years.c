// years.c - what counters, generations and ages show after years: the words are set close to where they come round, and the pools
// go on from there.
//
//      years SCENE     counts | beside | generations | ages

#include "mempool_core.h" // first

#include "stress.h"

static void want(bool right, const char *what, uint32_t is, uint32_t should) {
    if (!right) {
        fail("%s: %u and not %u", what, is, should);
    }
}

static void give(mempool_handle_t handle) {
    if (mempool_give(handle) != MEMPOOL_OK) {
        fail("a block cannot be given back");
    }
}

#if MEMPOOL_DIAGNOSTICS

static mempool_handle_t take(uint32_t size) {
    mempool_handle_t handle = mempool_take(size, MEMPOOL_NO_OWNER);
    if (handle <= 0) {
        fail("take is %d", (int)handle);
    }
    return handle;
}

static const uint32_t edges[] = { 0x7ffffffau, 0x80000000u, 0xfffffffau, 5u };

// allocs and frees are `allocs` and `frees`, of the pool and of all.
static void look(uint32_t allocs, uint32_t frees) {
    mempool_stats_t one, all;
    mempool_pool_stats(MEMPOOL_TINY, &one);
    mempool_stats(&all);
    want(one.allocs == allocs, "allocs of the pool", one.allocs, allocs);
    want(one.frees == frees, "frees of the pool", one.frees, frees);
    want(all.allocs == allocs, "allocs", all.allocs, allocs);
    want(all.frees == frees, "frees", all.frees, frees);
}

static void count_from(uint32_t start, uint32_t held) {
    mempool_handle_t handles[4];
    mempool_reset_stats();
    for (uint32_t i = 0; i < held; i++) {
        handles[i] = take(20);
    }
    look(held, 0);
    if (held != 0) {
        mempool_poke(&mempool_pool(MEMPOOL_TINY)->allocs, held - 1u);
        look(held - 1u, 0); // a taker has its ticket, and is not counted yet
    }
    mempool_poke(&mempool_pool(MEMPOOL_TINY)->allocs, start + held);
    uint32_t frees = start;
    look(start + held, frees);
    for (uint32_t i = 1; i < 16; i++) {
        mempool_handle_t handle = take(20);
        look(start + held + i, frees);
        give(handle);
        look(start + held + i, ++frees);
    }
    mempool_reset_stats();
    look(0, 0);
    for (uint32_t i = 0; i < held; i++) {
        give(handles[i]);
        look(0, i + 1);
    }
    give(take(20));
    look(1, held + 1);
    for (uint32_t i = 0; i < 16; i++) { // more were given back than taken
        mempool_poke(&mempool_pool(MEMPOOL_TINY)->allocs, start + i);
        look(start + i, start + i + held);
    }
}

static void counts_come_round(void) {
    for (unsigned i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        for (uint32_t held = 0; held < 4; held += 2) {
            count_from(edges[i], held);
        }
    }
    mempool_word_t *const counters[] = { &mempool_pool(0)->failures, &mempool_pool(0)->refused, &mempool_pool(0)->denied };
    mempool_stats_t s;
    for (unsigned i = 0; i < 3; i++) {
        mempool_poke(counters[i], UINT32_MAX);
    }
    mempool_handle_t all[4] = { take(20), take(20), take(20), take(20) };
    (void)mempool_take(20, MEMPOOL_NO_OWNER);
    for (unsigned i = 0; i < 4; i++) {
        give(all[i]);
    }
    (void)mempool_give(all[0]);
    mempool_pool_stats(0, &s);
    want(s.failures == 0, "failures", s.failures, 0);
    want(s.refused == 0, "refused", s.refused, 0);
    want(s.denied == UINT32_MAX, "denied", s.denied, UINT32_MAX);
}

// The same beside takers: what is in use is what allocs and frees differ by.
static _Atomic bool ends;

static void *churn(void *arg) {
    if ((uintptr_t)arg != 0) {
        while (!ends) {
            give(take(20));
        }
        return NULL;
    }
    for (unsigned i = 0; i < sizeof(edges) / sizeof(edges[0]) - 1; i++) {
        mempool_word_t *allocs = &mempool_pool(MEMPOOL_TINY)->allocs;
        MEMPOOL_ENTER();
        mempool_fetch_add(allocs, edges[i] - 2000u - mempool_load(allocs));
        MEMPOOL_LEAVE();
        uint32_t looks = 0;
        for (double end = now_s() + 0.15; now_s() < end; looks++) {
            mempool_stats_t s;
            mempool_pool_stats(MEMPOOL_TINY, &s);
            want(s.allocs - s.frees <= 4, "allocs and frees differ by", s.allocs - s.frees, 4);
            mempool_stats(&s);
            want(s.allocs - s.frees <= 4, "all allocs and frees differ by", s.allocs - s.frees, 4);
        }
        want(looks > 10, "looks", looks, 10);
    }
    ends = true;
    return NULL;
}

static void counts_beside_takers(void) {
    run_threads(4, churn);
    uint32_t allocs = mempool_load(&mempool_pool(MEMPOOL_TINY)->allocs);
    look(allocs, allocs);
}

// Ages saturate, as long as somebody looks once in 2^31 ticks.
static void ages_saturate(void) {
    mempool_port_host_tick = 7;
    mempool_handle_t first = take(20);
    mempool_handle_t second = MEMPOOL_HEAP_FALLBACK ? mempool_take_flags(600, 0, MEMPOOL_HEAP_OK) : take(40);
    uint64_t waited = 0;
    for (unsigned step = 0; step < 40; step++) {
        mempool_leak_t leaks[4];
        size_t n = mempool_leaks(0, leaks, 4);
        uint64_t age = waited * MEMPOOL_TICK_MS;
        uint32_t should = age > UINT32_MAX ? UINT32_MAX : (uint32_t)age;
        want(n == 2, "leaks", (uint32_t)n, 2);
        for (size_t i = 0; i < n; i++) {
            want(leaks[i].age_ms == should, "age in ms", leaks[i].age_ms, should);
        }
        want(mempool_check() == 0, "check()", 1, 0);
        uint32_t ticks = step % 3 == 0 ? 0x7fffffffu : step % 3 == 1 ? 1u
                                                                     : 0x20000000u;
        waited += ticks;
        mempool_port_host_tick += ticks;
        mempool_port_host_tick += mempool_port_host_tick == 0; // 0 is the clock of the PC
    }
    want(mempool_leaks(UINT32_MAX, &(mempool_leak_t){ 0 }, 1) == 1, "the oldest", 0, 1);
    give(first);
    give(second);
}

#endif

// A handle is refused until its very block has been taken 2^17 times again, and obeyed then.
static void handle_comes_round(uint32_t size, uint32_t flags) {
    mempool_handle_t first = mempool_take_flags(size, 0, flags);
    if (first <= 0) {
        fail("take of %u is %d", size, (int)first);
    }
    give(first);
    for (uint32_t again = 1; again <= 1u << 17; again++) {
        if (mempool_give(first) != MEMPOOL_E_STALE || mempool_data(first) != NULL) {
            fail("a stale handle is obeyed after %u uses", again);
        }
        mempool_handle_t handle = mempool_take_flags(size, 0, flags);
        if ((handle == first) != (again == 1u << 17)) {
            fail("the handle %#x comes again after %u uses", (unsigned)first, again);
        }
        give(handle);
    }
}

static void generations_come_round(void) {
    handle_comes_round(512, 0); // a pool of one block
    if (MEMPOOL_HEAP_FALLBACK) {
        handle_comes_round(600, MEMPOOL_HEAP_OK);
    }
    want(mempool_check() == 0, "check()", 1, 0);
}

int main(int argc, char **argv) {
    const char *scene = argc == 2 ? argv[1] : "";
    mempool_init();
    if (strcmp(scene, "generations") == 0) {
        generations_come_round();
#if MEMPOOL_DIAGNOSTICS
    } else if (strcmp(scene, "counts") == 0) {
        counts_come_round();
    } else if (strcmp(scene, "beside") == 0) {
        counts_beside_takers();
    } else if (strcmp(scene, "ages") == 0) {
        ages_saturate();
#endif
    } else {
        fail("years counts | beside | generations | ages");
    }
    check_empty();
    return 0;
}
