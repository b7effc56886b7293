// Take and give at every fill of every pool, in orders that differ in what the search meets:
// last in first out, first in first out, random, and long random walks around each fill.

#include "bench.h"
#include "drive.h"

#define WALK_STEPS 12000u

static uint32_t size_for(unsigned pool) {
    const drive_pool_t *p = &drive_pools[pool];
    return p->smallest + drive_random(p->block_size - p->smallest + 1);
}

// Up to the last block (the reserve by critical requests), and two refused takes at each step of the
// reserve. Peaks start at what is used, so each step raises them: of the pool and of the owner.
static void fill_up(unsigned pool, mempool_owner_t owner) {
    mempool_reset_stats();
    while (drive_take(pool, size_for(pool), owner)) {
    }
    do {
        drive_take(pool, size_for(pool), owner);
        drive_take(pool, size_for(pool), MEMPOOL_NO_OWNER);
    } while (drive_critical(pool, size_for(pool), owner));
}

static void orders(unsigned pool, mempool_owner_t owner) {
    drive_pool_t *p = &drive_pools[pool];
    record_phase("LIFO");
    fill_up(pool, owner);
    while (p->held) {
        drive_give(pool, p->held - 1, true);
    }
    record_phase("FIFO");
    fill_up(pool, owner);
    while (p->held) {
        drive_give(pool, 0, true);
    }
    for (unsigned round = 0; round < 6; round++) {
        record_phase("random");
        fill_up(pool, owner);
        while (p->held) {
            drive_give(pool, drive_random(p->held), false);
        }
    }
}

// At each fill: one more, one less, from many random patterns; peaks are sometimes new, sometimes old.
static void around(unsigned pool) {
    drive_pool_t *p = &drive_pools[pool];
    record_phase("around a fill");
    for (uint32_t fill = 0; fill <= p->count; fill++) {
        for (unsigned round = 0; round < 12; round++) {
            drive_to(pool, drive_random(p->count + 1));
            drive_to(pool, fill);
            if (round & 1) {
                mempool_reset_stats();
            }
            drive_take(pool, size_for(pool), drive_owners[round % DRIVE_OWNERS]);
            if (p->held) {
                drive_give(pool, drive_random(p->held), false);
            }
        }
    }
}

static void walk(unsigned pool) {
    drive_pool_t *p = &drive_pools[pool];
    record_phase("random walk");
    uint32_t goal = 0;
    for (unsigned step = 0; step < WALK_STEPS; step++) {
        if (step % 64 == 0) {
            goal = drive_random(p->count + 1);
        }
        if (step % 512 == 0) {
            mempool_reset_stats();
        }
        if (drive_random(p->count + 1) + goal >= 2 * p->held) {
            mempool_owner_t owner = drive_owners[drive_random(DRIVE_OWNERS)];
            if (!drive_take(pool, size_for(pool), owner)) {
                drive_critical(pool, size_for(pool), owner);
            }
        } else if (p->held) {
            drive_give(pool, drive_random(p->held), false);
        }
    }
}

void bench_fills(void) {
    for (unsigned reading = 0; reading < 2; reading++) {
        drive_reads_pressure = reading;
        for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
            for (unsigned i = 0; i < DRIVE_OWNERS; i++) {
                orders(pool, drive_owners[i]);
            }
            around(pool);
            walk(pool);
            drive_empty();
        }
    }
    drive_check();
}
