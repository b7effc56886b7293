// The other door: malloc and free by address, and the pointer behind a handle.

#include "bench.h"
#include "console.h"
#include "drive.h"

void bench_pointers(void) {
    static uint32_t blocks[DRIVE_MAX];
    record_phase("pointers");
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        drive_pool_t *p = &drive_pools[pool];
        for (unsigned round = 0; round < 4; round++) {
            uint32_t held = 0, result;
            for (;;) {
                uint32_t cost = record_cost((void *)mempool_alloc, p->block_size, 0, 0, 0, &result);
                if (!result) {
                    break;
                }
                record_add(OP_ALLOC, pool, held, cost);
                blocks[held++] = result;
            }
            while (held) {
                uint32_t at = round & 1 ? held - 1 : drive_random(held);
                uint32_t block = blocks[at];
                blocks[at] = blocks[--held];
                mempool_handle_t handle = mempool_handle_of((void *)block);
                uint32_t cost = record_cost((void *)mempool_data, (uint32_t)handle, 0, 0, 0, &result);
                if (result != block) {
                    console_fail("data is not where alloc said", result);
                }
                record_add(OP_DATA, pool, held + 1, cost);
                cost = record_cost((void *)mempool_free, block, 0, 0, 0, &result);
                if (result != MEMPOOL_OK) {
                    console_fail("free answered", result);
                }
                record_add(OP_FREE, pool, held + 1, cost);
            }
        }
    }
    drive_check();
}
