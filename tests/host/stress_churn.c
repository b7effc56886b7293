// stress_churn.c - threads that take, write, hand over, verify and give back at random, while others look on.
//
//      stress_churn SECONDS THREADS SEED
//
// One more thread reads statistics, leaks, owners and check() all the time, and resets the counts.

#include "stress.h"

#define HELD 12 // blocks that a thread holds at most
#define SLOTS 8
#define OWNERS (CONFIG_MEMORY_POOL_OWNERS < 3 ? CONFIG_MEMORY_POOL_OWNERS : 3)
#define HANDED_OVER 0x7fu // the "thread" of the stamp while a block is in the mailbox
#ifdef CONFIG_MEMORY_POOL_ALLOW_HEAP_FALLBACK
#define LARGEST 700u
#define HEAP_FLAG MEMPOOL_HEAP_OK
#else
#define LARGEST MEMPOOL_MAX_BLOCK
#define HEAP_FLAG 0
#endif

typedef struct {
    mempool_handle_t handle;
    void *data;
    uint32_t size;
} held_t;

static _Atomic uint32_t mailbox[SLOTS];
static _Atomic bool stop;
static _Atomic uint64_t takes, gives, exhausted, over_quota, handed_over;
static uint32_t seed0;
static uint8_t owners[4]; // [0] is no owner
static uint32_t quotas[4];

// What a run is for has come about.
static bool seen(void) {
    return takes > ENOUGH && exhausted > 0 && handed_over > 0 && (over_quota > 0 || OWNERS == 0);
}

static void take_one(held_t *held, unsigned *n, uint32_t thread, uint32_t *seed) {
    uint32_t size = 2 + random_below(seed, LARGEST - 1); // 1 byte may be kept as 2
    uint32_t flags = random_next(seed) & (MEMPOOL_SPILL | MEMPOOL_CRITICAL | HEAP_FLAG);
    mempool_owner_t owner = owners[random_below(seed, OWNERS + 1)];
    mempool_handle_t handle;
    void *data;
    switch (random_below(seed, 3)) {
        case 0:
            handle = mempool_take(size, owner);
            break;
        case 1:
            handle = mempool_take_flags(size, owner, flags);
            break;
        default:
            data = mempool_alloc(size);
            handle = data ? mempool_handle_of(data) : MEMPOOL_E_EXHAUSTED;
            if (data && handle <= 0) {
                fail("handle_of(alloc(%u)) is %d", size, (int)handle);
            }
            break;
    }
    if (handle <= 0) {
        if (handle == MEMPOOL_E_EXHAUSTED || (handle == MEMPOOL_E_SIZE && size > MEMPOOL_MAX_BLOCK)) {
            exhausted++;
        } else if (handle == MEMPOOL_E_QUOTA && owner) {
            over_quota++;
        } else {
            fail("take(%u, %u, %#x) is %d", size, owner, flags, (int)handle);
        }
        return;
    }
    data = mempool_data(handle);
    if (!data || (uintptr_t)data % MEMPOOL_ALIGN) {
        fail("data(%#x) is %p", (unsigned)handle, data);
    }
    stamp(data, size, thread, handle);
    held[(*n)++] = (held_t){ handle, data, size };
    takes++;
}

static void give_one(held_t *held, unsigned *n, uint32_t thread, uint32_t *seed) {
    unsigned i = random_below(seed, *n);
    held_t h = held[i];
    verify(h.data, h.size, thread, h.handle);
    if (mempool_data(h.handle) != h.data || mempool_handle_of(h.data) != h.handle) {
        fail("%#x is no longer at %p", (unsigned)h.handle, h.data);
    }
    bool by_pointer = random_below(seed, 4) == 0;
    int status = by_pointer ? mempool_free(h.data) : mempool_give(h.handle);
    if (status != MEMPOOL_OK) {
        fail("give(%#x) is %d", (unsigned)h.handle, status);
    }
    held[i] = held[--*n];
    gives++;
    if (random_below(seed, 8) == 0) {
        uint32_t word;
        if (mempool_give(h.handle) != MEMPOOL_E_STALE || mempool_data(h.handle) ||
            mempool_read(h.handle, 0, &word, 1) != MEMPOOL_E_STALE) {
            fail("%#x was given back and is still obeyed", (unsigned)h.handle);
        }
    }
}

// Puts a block of ours into the mailbox and takes over what lay there.
static void hand_over(held_t *held, unsigned *n, uint32_t thread, uint32_t *seed) {
    held_t h = held[--*n];
    verify(h.data, h.size, thread, h.handle);
    stamp(h.data, h.size, HANDED_OVER, h.handle);
    mempool_handle_t got =
        (mempool_handle_t)atomic_exchange(&mailbox[random_below(seed, SLOTS)], (uint32_t)h.handle);
    if (!got) {
        return;
    }
    mempool_block_t block;
    if (mempool_inspect(got, &block) != MEMPOOL_OK || block.data != mempool_data(got)) {
        fail("%#x came by mail and is not good", (unsigned)got);
    }
    verify(block.data, block.size, HANDED_OVER, got);
    stamp(block.data, block.size, thread, got);
    held[(*n)++] = (held_t){ got, block.data, block.size };
    handed_over++;
}

// One word through the checked copy: it lands where the pointer says, and nothing lands outside.
static void copy_one(held_t *held, unsigned n, uint32_t *seed) {
    held_t h = held[random_below(seed, n)];
    uint32_t word;
    uint32_t at = random_below(seed, h.size);
    uint32_t length = h.size - at < 4 ? h.size - at : 4;
    if (mempool_read(h.handle, at, &word, length) != (int)length ||
        memcmp((char *)h.data + at, &word, length) || mempool_write(h.handle, at, &word, length) != (int)length ||
        mempool_write(h.handle, at, &word, h.size - at + 1) != MEMPOOL_E_RANGE) {
        fail("read or write of %u at %u of %#x", length, at, (unsigned)h.handle);
    }
}

static void *worker(void *arg) {
    uint32_t thread = (uint32_t)(uintptr_t)arg + 1;
    uint32_t seed = seed0 * 2654435761u + thread * 40503u;
    held_t held[HELD];
    unsigned n = 0;
    for (uint32_t step = 0; step % 64 || goes_on(seen()); step++) {
        uint32_t what = random_below(&seed, 100);
        if (what < 48 && n < HELD) {
            take_one(held, &n, thread, &seed);
        } else if (n && what < 88) {
            give_one(held, &n, thread, &seed);
        } else if (n && what < 94) {
            hand_over(held, &n, thread, &seed);
        } else if (n) {
            copy_one(held, n, &seed);
        }
    }
    while (n) {
        give_one(held, &n, thread, &seed);
    }
    return NULL;
}

// check() looks again for 20 ms where something does not hold; on a busy computer a thread may stand longer within an
// operation, or none may rest when it looks. Damage would stay.
static void check_meanwhile(void) {
#if !defined(__SANITIZE_THREAD__) || !defined(CONFIG_MEMORY_POOL_POISON_FREED)
    // (Looking at the poison of free blocks reads what may be taken meanwhile, and then does not count.)
    uint32_t broken = 0;
    for (unsigned i = 0; i < 10; i++) {
        broken = mempool_check();
        if (broken == 0) {
            return;
        }
    }
    fail("check() == %u while threads work, ten times in a row", broken);
#endif
}

static _Atomic unsigned rings;

static void ring(void) {
    rings++;
}

static void *reader(void *arg) {
    (void)arg;
    uint32_t seed = seed0;
    mempool_leak_t leaks[64];
    mempool_trace_t trace[64];
    mempool_block_t block;
    mempool_owner_info_t info;
    while (!stop) {
        check_stats();
        check_meanwhile();
        size_t n = mempool_leaks(random_below(&seed, 20), leaks, 64);
        for (size_t i = 0; i < n; i++) {
            if ((int32_t)leaks[i].handle <= 0 || leaks[i].size == 0 || leaks[i].size > LARGEST ||
                (i && leaks[i].age_ms > leaks[i - 1].age_ms)) {
                fail("leaks[%zu] is %#x, size %u, age %u", i, leaks[i].handle, leaks[i].size, leaks[i].age_ms);
            }
        }
        n = mempool_trace(trace, 64);
        for (size_t i = 0; i < n; i++) {
            if (trace[i].what < MEMPOOL_TRACE_TAKE || trace[i].what > MEMPOOL_TRACE_POISON) {
                fail("trace[%zu].what is %u", i, trace[i].what);
            }
        }
        for (unsigned i = 1; i <= OWNERS; i++) {
            if (mempool_owner_info(owners[i], &info) != MEMPOOL_OK || info.used > info.quota ||
                info.used > info.peak || info.peak > info.quota) {
                fail("owner %u: used %u peak %u quota %u", i, info.used, info.peak, info.quota);
            }
        }
        unsigned pool;
        mempool_level_t level;
        for (unsigned told = 0; mempool_pressure_next(&pool, &level); told++) {
            if (pool >= MEMPOOL_POOLS || level > MEMPOOL_LEVEL_CRITICAL || told > 1000000) {
                fail("an edge of pool %u to level %d, number %u", pool, (int)level, told);
            }
        }
        int status = mempool_inspect((int32_t)random_next(&seed), &block);
        if (status != MEMPOOL_OK && status != MEMPOOL_E_STALE && status != MEMPOOL_E_FOREIGN) {
            fail("inspect is %d", status);
        }
        if (random_below(&seed, 16) == 0) {
            mempool_reset_stats();
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fail("usage: stress_churn SECONDS THREADS SEED");
    }
    end_s = now_s() + atof(argv[1]);
    seed0 = (uint32_t)atoi(argv[3]);
    mempool_init();
    for (unsigned i = 1; i <= OWNERS; i++) {
        char name[8];
        int length = snprintf(name, sizeof(name), "owner%u", i);
        quotas[i] = 1024 * i;
        int owner = mempool_owner_open(name, (size_t)length, quotas[i], 0);
        if (owner < 1) {
            fail("owner_open is %d", owner);
        }
        owners[i] = (uint8_t)owner;
    }
    mempool_set_pressure_hook(ring);
    pthread_t looking;
    pthread_create(&looking, NULL, reader, NULL);
    start_resizing(seed0);
    run_threads((unsigned)atoi(argv[2]), worker);
    stop = true;
    pthread_join(looking, NULL);
    for (unsigned i = 0; i < SLOTS; i++) {
        mempool_handle_t handle = (mempool_handle_t)mailbox[i];
        mempool_block_t block;
        if (handle && mempool_inspect(handle, &block) != MEMPOOL_OK) {
            fail("%#x in the mailbox is not good", (unsigned)handle);
        }
        if (handle) {
            verify(block.data, block.size, HANDED_OVER, handle);
            if (mempool_give(handle) != MEMPOOL_OK) {
                fail("%#x of the mailbox is not given back", (unsigned)handle);
            }
            gives++;
        }
    }
    end_resizing();
    for (unsigned i = 1; i <= OWNERS; i++) {
        mempool_owner_info_t info;
        if (mempool_owner_info(owners[i], &info) != MEMPOOL_OK || info.used) {
            fail("at the end owner %u holds %u bytes", i, info.used);
        }
        if (mempool_owner_close(owners[i], 0) != MEMPOOL_OK ||
            mempool_owner_info(owners[i], &info) != MEMPOOL_E_RANGE) {
            fail("owner %u does not close", i);
        }
    }
    if (rings == 0) {
        fail("pools were full and no bell rang");
    }
    mempool_pressure_look();
    if (mempool_poison_hits()) {
        fail("%u writes into free blocks", mempool_poison_hits());
    }
    check_empty();
    printf("takes %llu gives %llu exhausted %llu over_quota %llu handed_over %llu\n", (unsigned long long)takes,
        (unsigned long long)gives, (unsigned long long)exhausted, (unsigned long long)over_quota,
        (unsigned long long)handed_over);
    return 0;
}
