// What a give is refused for: stale, double, foreign. A refusal must leave every pool as it was.

#include "bench.h"
#include "console.h"
#include "drive.h"

#define INDEX_BITS 10
#define INDEX_MASK ((1u << INDEX_BITS) - 1)
#define POOL_MASK (7u << INDEX_BITS)

static void refuse(unsigned pool, uint32_t handle, int expected) {
    uint32_t result;
    uint32_t cost = record_cost((void *)mempool_give, handle, 0, 0, 0, &result);
    if ((int)result != expected) {
        console_fail("a handle that must be refused got", (uint32_t) - (int)result);
    }
    record_add(OP_REFUSED, pool, drive_pools[pool].held, cost);
}

static void foreign(unsigned pool, uint32_t good) {
    record_phase("foreign: no such number");
    refuse(pool, 0, MEMPOOL_E_FOREIGN);
    refuse(pool, (uint32_t)-1, MEMPOOL_E_FOREIGN);
    refuse(pool, 0x80000000u, MEMPOOL_E_FOREIGN);
    refuse(pool, good | 0x80000000u, MEMPOOL_E_FOREIGN);
    refuse(pool, 0x7fffffffu, MEMPOOL_E_FOREIGN);
    record_phase("foreign: beyond 30 bits");
    refuse(pool, good | 1u << 30, MEMPOOL_E_FOREIGN);
    record_phase("foreign: no such pool");
    refuse(pool, good & ~POOL_MASK, MEMPOOL_E_FOREIGN);
    refuse(pool, good | POOL_MASK, MEMPOOL_E_FOREIGN);
    refuse(pool, (good & ~POOL_MASK) | (MEMPOOL_POOLS + 1) << INDEX_BITS, MEMPOOL_E_FOREIGN);
    record_phase("foreign: no such index");
    for (uint32_t index = drive_pools[pool].count; index <= INDEX_MASK; index++) {
        refuse(pool, (good & ~INDEX_MASK) | index, MEMPOOL_E_FOREIGN);
    }
}

static void stale(unsigned pool) {
    drive_pool_t *p = &drive_pools[pool];
    static mempool_handle_t old[DRIVE_MAX];
    for (unsigned round = 0; round < 8; round++) {
        drive_to(pool, 1 + drive_random(p->count));
        uint32_t held = p->held;
        for (uint32_t i = 0; i < held; i++) {
            old[i] = p->handles[i];
        }
        drive_to(pool, 0);
        record_phase("double: the block is free");
        for (uint32_t i = 0; i < held; i++) {
            refuse(pool, (uint32_t)old[i], MEMPOOL_E_STALE);
        }
        drive_to(pool, p->count);
        record_phase("stale: the block is another's");
        for (uint32_t i = 0; i < held; i++) {
            refuse(pool, (uint32_t)old[i], MEMPOOL_E_STALE);
        }
    }
    foreign(pool, (uint32_t)p->handles[0]);
    record_phase("forged: a generation to come");
    for (uint32_t i = 0; i < p->count; i++) {
        uint32_t handle = (uint32_t)p->handles[i];
        refuse(pool, handle ^ 1u << (13 + i % 17), MEMPOOL_E_STALE);
    }
    drive_to(pool, p->count - 1);
    record_phase("forged: the generation that a free block has");
    for (uint32_t i = 0; i < 1u << 5; i++) {
        uint32_t handle = (uint32_t)p->handles[0] & (INDEX_MASK | POOL_MASK);
        uint32_t generation = ((uint32_t)p->handles[0] >> 13) + 1 + i;
        refuse(pool, handle | (generation << 13 & 0x3fffffffu), MEMPOOL_E_STALE);
    }
    drive_to(pool, 0);
}

void bench_refusals(void) {
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        stale(pool);
    }
    drive_check();
}
