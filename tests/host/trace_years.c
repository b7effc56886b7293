// trace_years.c - the ring of the last operations where its numbers come round. trace.c is a part of this file, so that its number
// can be set.

#include "trace.c"

#include "stress.h"

static mempool_trace_t done[64]; // what was done, by this file's own account
static unsigned operations;

static void note(uint32_t what, mempool_handle_t handle) {
    done[operations++] = (mempool_trace_t){ what, handle, 20, 0, 0 };
}

// The last of them are told, oldest first, but for the one whose number has no sequence.
static void look(uint32_t first) {
    mempool_trace_t told[DEPTH];
    size_t n = mempool_trace(told, DEPTH), at = 0;
    for (unsigned i = operations > DEPTH ? operations - DEPTH : 0; i < operations; i++) {
        if (WHOLE(first + i) == 0) {
            continue;
        }
        if (at == n || told[at].what != done[i].what || told[at].handle != done[i].handle || told[at].size != 20) {
            fail("from %#x: operation %u of %u is not told as entry %zu of %zu", first, i, operations, at, n);
        }
        at++;
    }
    if (at != n) {
        fail("from %#x: %zu entries of %zu operations", first, n, at);
    }
}

int main(void) {
    mempool_init();
    static const uint32_t starts[] = { 0x7fffffe0u, 0xffffffe0u, 0x7fffffffu, 0u };
    for (unsigned s = 0; s < 4; s++) {
        memset((void *)ring, 0, sizeof(ring));
        operations = 0;
        mempool_store(&next, starts[s]);
        look(starts[s]);
        while (operations < 62) {
            mempool_handle_t handle = mempool_take(20, MEMPOOL_NO_OWNER);
            note(MEMPOOL_TRACE_TAKE, handle);
            look(starts[s]);
            mempool_give(handle);
            note(MEMPOOL_TRACE_GIVE, handle);
            look(starts[s]);
        }
    }
    return 0;
}
