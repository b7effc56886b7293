// How long interrupts are masked: put before every file of the cores by -include, it times what stands between MEMPOOL_LOCK and
// MEMPOOL_UNLOCK, by function. Costs of operations mean nothing in such an image.

#ifndef BENCH_LOCKS_H
#define BENCH_LOCKS_H

#include "mempool_port.h" // first

typedef struct locks_site {
    struct locks_site *next;
    const char *function;
    uint32_t longest; // instructions
} locks_site_t;

void locks_note(locks_site_t *site, const char *function, uint32_t cost);

static inline uint32_t locks_counter(void) {
    uint32_t counter;
    __asm__ volatile("csrr %0, mcycle"
                     : "=r"(counter)
                     :
                     : "memory");
    return counter;
}

#undef MEMPOOL_LOCK
#undef MEMPOOL_UNLOCK
#define MEMPOOL_LOCK()                                 \
    uint32_t mempool_lock_state = mempool_port_mask(); \
    uint32_t locks_start = locks_counter()
#define MEMPOOL_UNLOCK()                                     \
    do {                                                     \
        static locks_site_t locks_site;                      \
        uint32_t locks_cost = locks_counter() - locks_start; \
        locks_note(&locks_site, __func__, locks_cost);       \
        mempool_port_unmask(mempool_lock_state);             \
    } while (0)

#endif // BENCH_LOCKS_H
