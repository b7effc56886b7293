// stress_enough.c - threads that together never hold more than there is are never told "exhausted".
//
//      stress_enough SECONDS SEED
//
// For each pool, n threads hold at most k blocks each, with n * k as close to the count as it goes. Whatever the
// others do, a block is free at every instant of every take: a single refusal is a fault of the search (a summary
// bit that was lost, a leaf that was passed while it filled behind the searcher). A quota that has room for all
// must hold likewise: a count that is raised before it is compared refuses what it should allow.

#include "stress.h"

static unsigned pool, each;
static uint32_t flags, seed0;
static mempool_owner_t owner;
static _Atomic uint64_t takes;

#define MINE (ENOUGH / MEMPOOL_POOLS + 1u) // takes of a thread at one pool

static void *worker(void *arg) {
    uint32_t thread = (uint32_t)(uintptr_t)arg + 1;
    uint32_t seed = seed0 + thread * 40503u;
    uint32_t size = block_sizes[pool];
    mempool_handle_t held[1024];
    unsigned n = 0;
    uint64_t mine = 0;
    for (uint32_t step = 0; step % 64 || goes_on(mine >= MINE); step++) {
        // Mostly at the limit: the last blocks are where the search may go wrong.
        if (n < each && (n == 0 || random_below(&seed, 4))) {
            mempool_handle_t handle = mempool_take_flags(size, owner, flags);
            if (handle <= 0) {
                fail("pool %u: take is %d although at most %u of %u blocks are held", pool, (int)handle,
                    each * (counts[pool] / each), counts[pool]);
            }
            stamp(mempool_data(handle), size, thread, handle);
            held[n++] = handle;
            mine++;
        } else {
            unsigned i = random_below(&seed, n);
            verify(mempool_data(held[i]), size, thread, held[i]);
            if (mempool_give(held[i]) != MEMPOOL_OK) {
                fail("give(%#x)", (unsigned)held[i]);
            }
            held[i] = held[--n];
        }
    }
    while (n) {
        mempool_give(held[--n]);
    }
    takes += mine;
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fail("usage: stress_enough SECONDS SEED");
    }
    double seconds = atof(argv[1]);
    seed0 = (uint32_t)atoi(argv[2]);
    mempool_init();
    start_resizing(seed0); // what comes and goes beside the blocks that were there from the beginning is not counted on
    for (pool = 0; pool < MEMPOOL_POOLS; pool++) {
        for (unsigned critical = 0; critical < (CONFIG_MEMORY_POOL_EMERGENCY_RESERVE ? 2 : 1); critical++) {
            unsigned usable = counts[pool] - (critical ? 0 : CONFIG_MEMORY_POOL_EMERGENCY_RESERVE);
            // Every way to divide the pool among 2 to 8 threads that leaves the least over.
            unsigned threads = 2, least = usable;
            for (unsigned n = 2; n <= 8 && n <= usable; n++) {
                if (usable % n <= least) {
                    least = usable % n;
                    threads = n;
                }
            }
            threads = usable == 1 ? 1 : threads;
            each = usable / threads;
            flags = critical ? MEMPOOL_CRITICAL : 0;
            owner = MEMPOOL_NO_OWNER;
#if CONFIG_MEMORY_POOL_OWNERS
            int opened = mempool_owner_open("enough", 6, threads * each * block_sizes[pool], 0);
            if (opened < 1) {
                fail("owner_open is %d", opened);
            }
            owner = (mempool_owner_t)opened;
#endif
            end_s = now_s() + seconds;
            run_threads(threads, worker);
            if (owner && mempool_owner_close(owner, 0) != MEMPOOL_OK) {
                fail("owner_close");
            }
        }
    }
    end_resizing();
    check_empty();
    printf("takes %llu\n", (unsigned long long)takes);
    return takes == 0;
}
