// hart_program.c - the core on the simulated hart (hart.py): where the words lie that the test looks at. The calls themselves are
// those of mempool.h.

#include "mempool_core.h"

uintptr_t hart_state(unsigned pool) {
    return (uintptr_t)&mempool_pool(pool)->state;
}

uintptr_t hart_leaf(unsigned pool) {
    return (uintptr_t)mempool_leaf(mempool_pool(pool), 0);
}

// Bytes in an owner's name.
uint32_t hart_used(unsigned owner) {
#if MEMPOOL_OWNERS > 0
    return 0u - mempool_load(&mempool_owners[owner].balance);
#else
    (void)owner;
    return 0;
#endif
}

void _start(void) {
}
