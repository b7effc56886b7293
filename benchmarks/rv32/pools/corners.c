// The corners that random orders meet too seldom: each block as the only free one after each other
// block, a leaf of the bitmap that is emptied and refilled, a generation that wraps, every size.

#include "bench.h"
#include "console.h"
#include "drive.h"

#define GENERATIONS (1u << 17)

static void give_block(unsigned pool, mempool_handle_t handle) {
    drive_pool_t *p = &drive_pools[pool];
    uint32_t at = 0;
    while (p->handles[at] != handle) {
        at++;
    }
    drive_give(pool, at, false);
}

// `spare` blocks free, of which the search finds each after each other: the block given last is the
// only one in its leaf, and the rotating start stands anywhere. Critical where the reserve is what is free.
static void scarce(unsigned pool, uint32_t spare) {
    drive_pool_t *p = &drive_pools[pool];
    record_phase("few free");
    drive_to(pool, p->count - spare);
    for (uint32_t first = 0; first < p->count; first++) {
        for (uint32_t second = 0; second < p->count; second += 1 + drive_random(3)) {
            drive_give(pool, p->held > second ? second : first % p->held, false);
            if (!drive_take(pool, p->block_size, drive_owners[second % DRIVE_OWNERS])) {
                drive_critical(pool, p->block_size, drive_owners[second % DRIVE_OWNERS]);
            }
        }
    }
    drive_to(pool, 0);
}

// Whole leaves: blocks whose indexes share a leaf of 32 go and come together.
static void leaves(unsigned pool) {
    drive_pool_t *p = &drive_pools[pool];
    record_phase("leaf by leaf");
    for (uint32_t leaf = 0; leaf * 32 < p->count; leaf++) {
        drive_to(pool, p->count);
        mempool_handle_t in_leaf[32];
        uint32_t found = 0;
        for (uint32_t i = 0; i < p->held; i++) {
            if (((uint32_t)p->handles[i] & 1023u) / 32 == leaf) {
                in_leaf[found++] = p->handles[i];
            }
        }
        for (uint32_t i = 0; i < found; i++) {
            give_block(pool, in_leaf[i]);
        }
        while (drive_take(pool, p->block_size, drive_owners[leaf % DRIVE_OWNERS])) {
        }
    }
    drive_to(pool, 0);
}

// One block is used again and again until its generation wraps; the others are held.
static void generations(unsigned pool) {
    drive_pool_t *p = &drive_pools[pool];
    record_phase("generation wraps");
    drive_to(pool, p->count - 1);
    for (uint32_t i = 0; i < GENERATIONS + 8; i++) {
        if (!drive_critical(pool, p->block_size, drive_owners[1])) {
            console_fail("the only free block was not given", pool);
        }
        drive_give(pool, p->held - 1, false);
    }
    drive_to(pool, 0);
}

static void sizes(void) {
    record_phase("every size");
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        for (uint32_t size = drive_pools[pool].smallest; size <= drive_pools[pool].block_size; size++) {
            for (unsigned i = 0; i < DRIVE_OWNERS; i++) {
                drive_take(pool, size, drive_owners[i]);
                drive_give(pool, 0, false);
            }
        }
    }
    const uint32_t wrong[] = { 0, MEMPOOL_MAX_BLOCK + 1, 1000, 65536, 0x7fffffff, 0x80000000, 0xffffffff };
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (drive_take(MEMPOOL_XLARGE, wrong[i], drive_owners[1])) {
            console_fail("a wrong size was served", wrong[i]);
        }
    }
}

static void quotas(void) {
    if (drive_poor_owner == MEMPOOL_NO_OWNER) {
        return;
    }
    record_phase("quota used up");
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        for (uint32_t fill = 0; fill < drive_pools[pool].count - drive_pools[pool].reserve; fill++) {
            drive_to(pool, fill);
            if (drive_take(pool, drive_pools[pool].block_size, drive_poor_owner)) {
                console_fail("a quota was overdrawn", pool);
            }
        }
        drive_to(pool, 0);
    }
}

void bench_corners(void) {
    for (unsigned reading = 0; reading < 2; reading++) {
        drive_reads_pressure = reading;
        for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
            for (uint32_t spare = 0; spare <= 3 && spare < drive_pools[pool].count; spare++) {
                scarce(pool, spare);
            }
            leaves(pool);
        }
        sizes();
        quotas();
    }
    generations(MEMPOOL_XLARGE);
    drive_check();
}
