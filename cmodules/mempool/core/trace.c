// trace.c - the last operations, in a ring that anyone may write to, interrupts too.
//
// An entry is written between setting its sequence number to 0 and to its own, so a reader that finds the number
// it expects before and after has read one whole entry.

#include "mempool_core.h"

#if MEMPOOL_TRACE

#define DEPTH ((uint32_t)CONFIG_MEMORY_POOL_TRACE_DEPTH)
_Static_assert(DEPTH >= 2 && (DEPTH & (DEPTH - 1u)) == 0, "CONFIG_MEMORY_POOL_TRACE_DEPTH must be a power of two");

static struct {
    mempool_word_t sequence; // from 1; 0: being written
    mempool_word_t handle;
    mempool_word_t what_owner_size; // 4, 5 and 23 bits
    mempool_word_t ticks;
} ring[DEPTH] MEMPOOL_FAST;
static mempool_word_t next MEMPOOL_FAST;

MEMPOOL_HOT void mempool_trace_record(uint32_t what, mempool_handle_t handle, uint32_t size, uint32_t owner) {
    uint32_t sequence = mempool_fetch_add(&next, 1u) + 1u;
    __typeof__(ring[0]) *entry = &ring[sequence & (DEPTH - 1u)];
    mempool_store(&entry->sequence, 0u);
    mempool_store(&entry->handle, (uint32_t)handle);
    mempool_store(&entry->what_owner_size, what << 28 | owner << 23 | (size & 0x7fffffu));
    mempool_store(&entry->ticks, mempool_port_tick());
    mempool_store(&entry->sequence, sequence);
}

size_t mempool_trace(mempool_trace_t *out, size_t entries) {
    uint32_t last = mempool_load(&next);
    uint32_t depth = entries < DEPTH ? (uint32_t)entries : DEPTH;
    size_t written = 0;
    for (uint32_t back = depth; back-- > 0;) {
        uint32_t sequence = last - back;
        __typeof__(ring[0]) *entry = &ring[sequence & (DEPTH - 1u)];
        if (sequence == 0 || mempool_load(&entry->sequence) != sequence) {
            continue;
        }
        uint32_t packed = mempool_load(&entry->what_owner_size);
        mempool_trace_t copy = {
            .what = packed >> 28,
            .handle = (int32_t)mempool_load(&entry->handle),
            .size = packed & 0x7fffffu,
            .owner = packed >> 23 & 31u,
            .ticks = mempool_load(&entry->ticks),
        };
        if (mempool_load(&entry->sequence) == sequence) {
            out[written++] = copy;
        }
    }
    return written;
}

#else

size_t mempool_trace(mempool_trace_t *out, size_t entries) {
    (void)out;
    (void)entries;
    return 0;
}

#endif
