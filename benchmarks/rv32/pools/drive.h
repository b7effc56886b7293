// The pools under measurement: what is held of each, and the operations that are timed.

#ifndef BENCH_DRIVE_H
#define BENCH_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "mempool.h"
#include "record.h"

#define DRIVE_MAX 1024u // blocks a pool has at most

typedef struct {
    uint32_t block_size;
    uint32_t smallest; // the smallest size that this pool serves
    uint32_t count;    // blocks
    uint32_t reserve;  // blocks
    uint32_t held;     // blocks
    mempool_handle_t handles[DRIVE_MAX];
} drive_pool_t;

extern drive_pool_t drive_pools[MEMPOOL_POOLS];

// The owners that take turns: none, one with a quota, the last of the table with a quota. One owner
// has a quota of nothing that any block fits. Without owners in the build all are "none".
#define DRIVE_OWNERS 3u
extern mempool_owner_t drive_owners[DRIVE_OWNERS];
extern mempool_owner_t drive_poor_owner;

void drive_init(void);

// A number below `limit` of a fixed sequence.
uint32_t drive_random(uint32_t limit);

// Whether edges of pressure are read out after each operation (so that the next one rings again).
extern bool drive_reads_pressure;

// mempool_take, timed. -> false where the answer was an error, which is recorded as its own operation.
bool drive_take(unsigned pool, uint32_t size, mempool_owner_t owner);

// mempool_take_flags with MEMPOOL_CRITICAL, timed. -> false where it failed (not recorded).
bool drive_critical(unsigned pool, uint32_t size, mempool_owner_t owner);

// mempool_give of the held block number `at`, timed; keep_order shifts the others, else the last moves in.
void drive_give(unsigned pool, uint32_t at, bool keep_order);

// Brings a pool to `fill` used blocks by random takes and gives, not timed.
void drive_to(unsigned pool, uint32_t fill);

// Gives back all that is held, oldest first, not timed.
void drive_empty(void);

// Stops where the pools are not whole.
void drive_check(void);

#endif // BENCH_DRIVE_H
