// Timed operations on the pools. What is called stands behind its C contract, mempool.h, alone.

#include "console.h"
#include "drive.h"

drive_pool_t drive_pools[MEMPOOL_POOLS];
mempool_owner_t drive_owners[DRIVE_OWNERS];
mempool_owner_t drive_poor_owner;
bool drive_reads_pressure;

static uint32_t sequence = 2463534242u;

uint32_t drive_random(uint32_t limit) {
    sequence ^= sequence << 13;
    sequence ^= sequence >> 17;
    sequence ^= sequence << 5;
    return (uint32_t)(((uint64_t)sequence * limit) >> 32);
}

// The doorbell of pressure: rung by takes and gives, so it is part of their cost.
static volatile uint32_t rung;

static void doorbell(void) {
    rung++;
}

static mempool_owner_t open_owner(unsigned number, uint32_t quota) {
    char name[2] = { 'A', (char)('A' + number) };
    int owner = mempool_owner_open(name, sizeof(name), quota, 0);
    return owner > 0 ? (mempool_owner_t)owner : MEMPOOL_NO_OWNER;
}

void drive_init(void) {
    mempool_init();
    uint32_t before = 0;
    for (unsigned i = 0; i < MEMPOOL_POOLS; i++) {
        mempool_pool_info_t info;
        if (mempool_pool_info(i, &info) != MEMPOOL_OK || info.count > DRIVE_MAX) {
            console_fail("pool_info", i);
        }
        drive_pools[i].block_size = info.block_size;
        drive_pools[i].smallest = before + 1;
        drive_pools[i].count = info.count;
        drive_pools[i].reserve = info.reserve;
        before = info.block_size;
    }
    drive_owners[0] = MEMPOOL_NO_OWNER;
    drive_owners[1] = open_owner(0, 1u << 20);
    drive_poor_owner = open_owner(1, 1);
    for (unsigned i = 2; i < 32; i++) {
        mempool_owner_t owner = open_owner(i, 1u << 20);
        if (owner != MEMPOOL_NO_OWNER) {
            drive_owners[2] = owner;
        }
    }
    mempool_set_pressure_hook(doorbell);
}

static void read_pressure(void) {
    unsigned pool;
    mempool_level_t level;
    while (drive_reads_pressure && mempool_pressure_next(&pool, &level)) {
    }
}

static void hold(drive_pool_t *pool, mempool_handle_t handle) {
    if (pool->held >= pool->count) {
        console_fail("more blocks taken than there are", pool->block_size);
    }
    pool->handles[pool->held++] = handle;
}

bool drive_take(unsigned number, uint32_t size, mempool_owner_t owner) {
    drive_pool_t *pool = &drive_pools[number];
    uint32_t result;
    rung = false;
    uint32_t cost = record_cost((void *)mempool_take, size, owner, 0, 0, &result);
    mempool_handle_t handle = (mempool_handle_t)result;
    if (handle > 0) {
        record_add(rung ? OP_TAKE_EDGE : OP_TAKE, number, pool->held, cost);
        hold(pool, handle);
    } else if (handle == MEMPOOL_E_EXHAUSTED) {
        record_add(OP_EMPTY, number, pool->held, cost);
    } else if (handle == MEMPOOL_E_QUOTA) {
        record_add(OP_DENIED, number, pool->held, cost);
    } else if (handle == MEMPOOL_E_SIZE) {
        record_add(OP_SIZE, number, pool->held, cost);
    } else {
        console_fail("take answered", result);
    }
    read_pressure();
    return handle > 0;
}

bool drive_critical(unsigned number, uint32_t size, mempool_owner_t owner) {
    drive_pool_t *pool = &drive_pools[number];
    uint32_t result;
    rung = false;
    uint32_t cost = record_cost((void *)mempool_take_flags, size, owner, MEMPOOL_CRITICAL, 0, &result);
    mempool_handle_t handle = (mempool_handle_t)result;
    if (handle > 0) {
        record_add(rung ? OP_CRITICAL_EDGE : OP_CRITICAL, number, pool->held, cost);
        hold(pool, handle);
    }
    read_pressure();
    return handle > 0;
}

static mempool_handle_t let_go(drive_pool_t *pool, uint32_t at, bool keep_order) {
    mempool_handle_t handle = pool->handles[at];
    pool->held--;
    if (keep_order) {
        for (uint32_t i = at; i < pool->held; i++) {
            pool->handles[i] = pool->handles[i + 1];
        }
    } else {
        pool->handles[at] = pool->handles[pool->held];
    }
    return handle;
}

void drive_give(unsigned number, uint32_t at, bool keep_order) {
    drive_pool_t *pool = &drive_pools[number];
    uint32_t fill = pool->held;
    mempool_handle_t handle = let_go(pool, at, keep_order);
    uint32_t result;
    rung = false;
    uint32_t cost = record_cost((void *)mempool_give, (uint32_t)handle, 0, 0, 0, &result);
    if (result != MEMPOOL_OK) {
        console_fail("give answered", result);
    }
    record_add(rung ? OP_GIVE_EDGE : OP_GIVE, number, fill, cost);
    read_pressure();
}

void drive_to(unsigned number, uint32_t fill) {
    drive_pool_t *pool = &drive_pools[number];
    while (pool->held != fill) {
        if (pool->held < fill) {
            mempool_owner_t owner = drive_owners[drive_random(DRIVE_OWNERS)];
            mempool_handle_t handle = mempool_take_flags(pool->block_size, owner, MEMPOOL_CRITICAL);
            if (handle <= 0) {
                console_fail("a block that is free was not given", pool->block_size);
            }
            hold(pool, handle);
        } else if (mempool_give(let_go(pool, drive_random(pool->held), false)) != MEMPOOL_OK) {
            console_fail("a block that is held was not taken back", pool->block_size);
        }
    }
}

void drive_empty(void) {
    for (unsigned i = 0; i < MEMPOOL_POOLS; i++) {
        while (drive_pools[i].held) {
            if (mempool_give(let_go(&drive_pools[i], 0, true)) != MEMPOOL_OK) {
                console_fail("a block that is held was not taken back", i);
            }
        }
    }
}

void drive_check(void) {
    uint32_t broken = mempool_check();
    if (broken) {
        console_fail("mempool_check", broken);
    }
}
