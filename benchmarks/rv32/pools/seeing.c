// Statistics at many fills, and what the slower views cost.

#include "bench.h"
#include "console.h"
#include "drive.h"

#define ROUNDS 1500u

static void stats(void) {
    static mempool_stats_t all;
    uint32_t result;
    record_add(OP_STATS, 0, drive_pools[0].held, record_cost((void *)mempool_stats, (uint32_t)&all, 0, 0, 0, &result));
    uint32_t capacity = 0, used = 0;
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        const drive_pool_t *p = &drive_pools[pool];
        capacity += p->count * p->block_size;
        used += p->held * p->block_size;
        static mempool_stats_t one;
        uint32_t cost = record_cost((void *)mempool_pool_stats, pool, (uint32_t)&one, 0, 0, &result);
        record_add(OP_POOL_STATS, pool, p->held, cost);
        if (one.used != p->held * p->block_size) {
            console_fail("pool_stats: used", one.used);
        }
    }
    if (all.capacity != capacity || all.used != used || all.free != capacity - used) {
        console_fail("stats: used", all.used);
    }
}

void bench_seeing(void) {
    record_phase("all empty");
    stats();
    record_phase("random fills");
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned pool = drive_random(MEMPOOL_POOLS);
        drive_to(pool, drive_random(drive_pools[pool].count + 1));
        if (round % 5 == 0) {
            mempool_reset_stats();
        }
        stats();
    }
    record_phase("all full");
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        drive_to(pool, drive_pools[pool].count);
    }
    stats();
    static mempool_leak_t leaks[16];
    uint32_t result;
    record_once("leaks_16_oldest_of_full_pools", record_cost((void *)mempool_leaks, 0, (uint32_t)leaks, 16, 0, &result));
    record_once("check_full_pools", record_cost((void *)mempool_check, 0, 0, 0, 0, &result));
    drive_empty();
    record_once("check_empty_pools", record_cost((void *)mempool_check, 0, 0, 0, 0, &result));
    record_once("reset_stats", record_cost((void *)mempool_reset_stats, 0, 0, 0, 0, &result));
    drive_check();
}
