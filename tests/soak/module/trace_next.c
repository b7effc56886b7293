// trace_next.c - the trace of the pools as it is, and beside it what sets the number of its next entry.

#include "../../../cmodules/mempool/core/trace.c"

#include "soak.h"

#if MEMPOOL_TRACE

uint32_t soak_trace_next(void) {
    return mempool_load(&next);
}

void soak_set_trace_next(uint32_t value) {
    mempool_store(&next, value);
}

#else
#error "the soak is built with CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS=y"
#endif
