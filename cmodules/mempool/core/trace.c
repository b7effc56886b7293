// trace.c - the last operations, in a ring that anyone may write to, interrupts too.
//
// An entry's sequence says whose it is: 0 never written, odd being written, 2 * number + 2 the operation of that number, whole. Who
// writes claims the entry by a compare-and-set first. Where it is being written, by somebody who was stopped while the others
// went once round the ring, the newer operation is not recorded: so no entry is ever a mixture of two. A reader that finds the
// sequence it expects before and after has read one whole entry. Numbers come round after 2^31 operations; the one whose sequence
// would be 0 is not shown.

#include "mempool_core.h"

#if MEMPOOL_TRACE

#define DEPTH ((uint32_t)CONFIG_MEMORY_POOL_TRACE_DEPTH)
_Static_assert(DEPTH >= 2 && (DEPTH & (DEPTH - 1u)) == 0, "CONFIG_MEMORY_POOL_TRACE_DEPTH must be a power of two");

static struct {
    mempool_word_t sequence;
    mempool_word_t handle;
    mempool_word_t what_owner_size; // 4, 5 and 23 bits
    mempool_word_t ticks;
} ring[DEPTH] MEMPOOL_FAST;
static mempool_word_t next MEMPOOL_FAST; // operations so far

#define WHOLE(number) (2u * (number) + 2u)
#define ENTRY(number) (&ring[(number) & (DEPTH - 1u)])

MEMPOOL_HOT void mempool_trace_record(uint32_t what, mempool_handle_t handle, uint32_t size, uint32_t owner) {
    uint32_t number = mempool_fetch_add(&next, 1u);
    __typeof__(ring[0]) *entry = ENTRY(number);
    uint32_t was = mempool_load(&entry->sequence);
    if ((was & 1u) != 0 || !mempool_cas(&entry->sequence, was, WHOLE(number) | 1u)) {
        return;
    }
    mempool_store(&entry->handle, (uint32_t)handle);
    mempool_store(&entry->what_owner_size, what << 28 | owner << 23 | (size & 0x7fffffu));
    mempool_store(&entry->ticks, mempool_port_tick());
    (void)mempool_cas(&entry->sequence, WHOLE(number) | 1u, WHOLE(number));
}

size_t mempool_trace(mempool_trace_t *out, size_t entries) {
    uint32_t end = mempool_load(&next);
    uint32_t depth = entries < DEPTH ? (uint32_t)entries : DEPTH;
    size_t written = 0;
    for (uint32_t number = end - depth; number != end; ++number) {
        __typeof__(ring[0]) *entry = ENTRY(number);
        uint32_t sequence = WHOLE(number);
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
