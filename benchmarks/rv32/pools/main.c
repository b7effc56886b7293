// The bare image: every operation at every fill, then its costs as lines of text.

#include "bench.h"
#include "console.h"
#include "drive.h"

int main(void) {
    record_calibrate();
    drive_init();
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        const drive_pool_t *p = &drive_pools[pool];
        console_print("pool %u %u %u %u\n", pool, p->block_size, p->count, p->reserve);
    }
    bench_fills();
    bench_corners();
    bench_refusals();
    bench_seeing();
    bench_pointers();
    bench_heap();
    record_print();
    console_print("done\n");
    console_exit(0);
}
