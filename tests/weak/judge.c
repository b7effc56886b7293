// judge.c - what must hold when all threads are done: the results fit together, no block is lost or there twice, all counters
// agree, and the level is right for the state.

#include <stdio.h>

#include "ops.h"

static void judge_pool(unsigned pool, const model_t *end) {
    mempool_stats_t s;
    if (mempool_pool_stats(pool, &s) != MEMPOOL_OK) {
        weak_fail("pool %u has no statistics", pool);
    }
    uint32_t size = 32u << pool;
    uint32_t capacity = (counts[pool] + (pool == 0 ? end->grown : 0u)) * size;
    bool peak_holds = MEMPOOL_DIAGNOSTICS ? s.used <= s.peak && s.peak <= s.capacity : s.peak == 0;
    if (s.used != end->used[pool] * size || s.capacity != capacity || s.used + s.free != s.capacity || !peak_holds) {
        weak_fail("pool %u: used %u and free %u of %u bytes, peak %u; %u blocks are held", pool, s.used, s.free, s.capacity,
            s.peak, end->used[pool]);
    }
}

// Who holds a block finds his signature.
static void judge_signatures(void) {
    for (unsigned t = 0; t < THREADS; t++) {
        for (unsigned i = 0; i < world.holds[t]; i++) {
            check_signature(world.held[t][i]);
        }
    }
}

#if MEMPOOL_OWNERS > 0
static void judge_owners(const model_t *end) {
    uint32_t owned = 0, held = 0;
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        held += end->used[pool] * (32u << pool);
    }
    mempool_owner_info_t info;
    if (owner != 0 && mempool_owner_info(owner, &info) == MEMPOOL_OK) {
        owned = end->owned;
        if (info.used != owned || info.used > info.peak || info.peak > most_used()) {
            weak_fail("the owner: used %u, peak %u; %u bytes are held", info.used, info.peak, owned);
        }
    }
    if (mempool_unowned() != held - owned) {
        weak_fail("unowned() is %u; %u bytes are held, %u of them the owner's", mempool_unowned(), held, owned);
    }
}
#endif

// The level is one that this fill allows. Where all called the full calls, it is so without anybody looking; else after a look, and
// for a rise that nobody was told of a bell rang which nobody who looked knew of.
static void judge_pressure(const model_t *end) {
    bool rung = false;
    uint8_t told[MEMPOOL_POOLS];
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        told[pool] = world.told[pool];
    }
    for (unsigned t = 0; t < THREADS; t++) {
        rung |= world.rung[t] > world.looked[t];
    }
    bool hooked = mempool_bell != NULL && !hook_moves; // who sets one is told of the levels then
    if (!full_only) {
        look();
    }
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        uint32_t usable = counts[pool] + (pool == 0 ? end->grown : 0u) - MEMPOOL_RESERVE, used = end->used[pool];
        uint32_t low = (usable * MEMPOOL_LOW_PERCENT + 99) / 100;
        uint32_t low_left = (usable * MEMPOOL_LOW_PERCENT * 3 + 399) / 400;
        uint32_t critical = (usable * MEMPOOL_CRITICAL_PERCENT + 99) / 100;
        uint32_t least = used >= critical || used > usable ? 2 : used >= low ? 1
                                                                             : 0;
        uint32_t most = used >= low ? 2 : used >= low_left ? 1
                                                           : 0;
        mempool_stats_t s;
        (void)mempool_pool_stats(pool, &s);
        if (s.level < least || s.level > most) {
            weak_fail("pool %u: level %u with %u of %u blocks used", pool, s.level, used, usable);
        }
        if (hooked && !full_only && s.level > told[pool] && !rung) {
            weak_fail("pool %u: level %u was reached and no bell rang", pool, s.level);
        }
        // Each fill has one level with these marks; a take or give that leaves it is told.
        const mempool_pool_t *p = mempool_pool(pool);
        uint32_t state = mempool_load(&p->state);
        if (state < mempool_load(&p->up) || state >= mempool_load(&p->down)) {
            weak_fail("pool %u: the state %#x is beyond the marks %#x and %#x", pool, state, mempool_load(&p->up), mempool_load(&p->down));
        }
    }
}

// No block is lost and none is there twice: all that are free can be taken, and not one more.
static void drain(const model_t *end) {
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        unsigned count = counts[pool] + (pool == 0 ? end->grown : 0u);
        for (unsigned i = end->used[pool]; i <= count; i++) {
            mempool_handle_t handle = mempool_take_flags(32u << pool, MEMPOOL_NO_OWNER, MEMPOOL_CRITICAL);
            if ((handle > 0) != (i < count)) {
                weak_fail("pool %u: take %u of %u is %d", pool, i + 1, count, (int)handle);
            }
        }
    }
}

static void print_operations(void) {
    for (unsigned i = 0; i < OPS && world.ops[i].what; i++) {
        const op_t *op = &world.ops[i];
        printf("  %u %s:%u handle %#x -> %d (after 0x%x)\n", op->thread + 1, op->what->name, op->argument, (unsigned)op->handle,
            (int)op->result, op->earlier);
    }
}

void unit_judge(void) {
    model_t end = before;
    if (!order_exists(&end)) {
        print_operations();
        weak_fail("no order of these operations gives these results");
    }
    bus_judge();
    uint32_t broken = mempool_check();
    if (broken) {
        weak_fail("check() is %u at the end", broken);
    }
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        judge_pool(pool, &end);
    }
    judge_signatures();
#if MEMPOOL_OWNERS > 0
    judge_owners(&end);
#endif
    judge_pressure(&end);
    drain(&end);
    broken = mempool_check();
    if (broken) {
        weak_fail("check() is %u after all was taken", broken);
    }
}

void unit_end(void) {
}
