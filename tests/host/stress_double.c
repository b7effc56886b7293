// stress_double.c - many threads give the same handles at the same time: of each handle exactly one wins.
//
//      stress_double SECONDS THREADS SEED
//
// Two more threads take and give from the same pools meanwhile, so that a block that was just won is at once
// somebody else's: a loser that frees it all the same, or touches it, is caught by the stamp of its new holder.

#include "stress.h"

#define ROUND 24 // handles given by all threads in one round

static _Atomic mempool_handle_t round_handles[ROUND];
static _Atomic unsigned wins[ROUND];
static _Atomic unsigned round_number, arrived;
static _Atomic bool stop;
static unsigned threads;
static uint32_t seed0;
static _Atomic uint64_t taken_meanwhile;

static void *giver(void *arg) {
    uint32_t thread = (uint32_t)(uintptr_t)arg;
    for (unsigned round = 1;; round++) {
        while (round_number != round) {
            if (stop) {
                return NULL;
            }
            sched_yield();
        }
        // Odd threads go backwards, and half of them give by what they read before.
        for (unsigned i = 0; i < ROUND; i++) {
            unsigned at = thread & 1 ? ROUND - 1 - i : i;
            mempool_handle_t handle = round_handles[at];
            if (handle <= 0) {
                continue;
            }
            int status = mempool_give(handle);
            if (status == MEMPOOL_OK) {
                wins[at]++;
            } else if (status != MEMPOOL_E_STALE) {
                fail("give(%#x) is %d", (unsigned)handle, status);
            }
        }
        arrived++;
    }
}

static void *taker(void *arg) {
    uint32_t thread = (uint32_t)(uintptr_t)arg;
    uint32_t seed = seed0 + thread;
    while (!stop) {
        uint32_t size = 1 + random_below(&seed, MEMPOOL_MAX_BLOCK);
        mempool_handle_t handle = mempool_take_flags(size, MEMPOOL_NO_OWNER, MEMPOOL_CRITICAL);
        if (handle == MEMPOOL_E_EXHAUSTED) {
            continue;
        }
        void *data = mempool_data(handle);
        if (!data) {
            fail("take(%u) is %d", size, (int)handle);
        }
        stamp(data, size, thread, handle);
        sched_yield();
        verify(data, size, thread, handle);
        if (mempool_give(handle) != MEMPOOL_OK) {
            fail("%#x was given back by somebody else", (unsigned)handle);
        }
        taken_meanwhile++;
    }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fail("usage: stress_double SECONDS THREADS SEED");
    }
    end_s = now_s() + atof(argv[1]);
    threads = (unsigned)atoi(argv[2]);
    seed0 = (uint32_t)atoi(argv[3]) * 7919 + 1;
    mempool_init();
    start_resizing(1u);
    pthread_t givers[32], takers[2];
    for (unsigned i = 0; i < threads; i++) {
        pthread_create(&givers[i], NULL, giver, (void *)(uintptr_t)i);
    }
    for (unsigned i = 0; i < 2; i++) {
        pthread_create(&takers[i], NULL, taker, (void *)(uintptr_t)(i + 1));
    }
    uint32_t seed = seed0;
    uint64_t handles = 0;
    unsigned round = 0;
    while (goes_on(handles > SOME && taken_meanwhile > SOME)) {
        for (unsigned i = 0; i < ROUND; i++) {
            uint32_t size = 1 + random_below(&seed, MEMPOOL_MAX_BLOCK);
            round_handles[i] = mempool_take(size, MEMPOOL_NO_OWNER);
            wins[i] = 0;
        }
        arrived = 0;
        round_number = ++round;
        while (arrived != threads) {
            sched_yield();
        }
        for (unsigned i = 0; i < ROUND; i++) {
            if (wins[i] != (round_handles[i] > 0)) {
                fail("%u threads won %#x", wins[i], (unsigned)round_handles[i]);
            }
            handles += round_handles[i] > 0;
        }
        check_stats();
    }
    stop = true;
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(givers[i], NULL);
    }
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(takers[i], NULL);
    }
#ifdef CONFIG_MEMORY_POOL_DIAGNOSTICS
    mempool_stats_t s;
    mempool_stats(&s);
    if (s.frees != handles + taken_meanwhile || s.refused != handles * (threads - 1)) {
        fail("frees %u of %llu, refused %u", s.frees, (unsigned long long)(handles + taken_meanwhile), s.refused);
    }
#endif
    end_resizing();
    check_empty();
    printf("rounds %u handles %llu taken_meanwhile %llu\n", round, (unsigned long long)handles,
        (unsigned long long)taken_meanwhile);
    return handles == 0;
}
