// MicroPython's own heap in the same run, as its firmware has it: 140 KB, py/gc.c as it comes.
// Near-empty is its best case; half full of blocks of mixed sizes is what it is after a while.

#include <stdbool.h>
#include <string.h>

#include "py/gc.h"
#include "py/mpstate.h"
#include "py/runtime.h"

#include "bench.h"
#include "console.h"
#include "drive.h"

#define HEAP_BYTES 143360u
#define REQUEST 100u // bytes: a message
#define LIVE_MAX 4096u

mp_state_ctx_t mp_state_ctx;

static uint64_t heap[HEAP_BYTES / 8];
static void *live[LIVE_MAX];
static uint32_t collections;

void gc_collect(void) {
    collections++;
    gc_collect_start();
    gc_collect_root(live, LIVE_MAX);
    gc_collect_end();
}

// py/gc.c asks for these to run finalisers; no object here has one.
void mp_load_method_maybe(mp_obj_t object, qstr attribute, mp_obj_t *destination) {
    (void)object, (void)attribute, (void)destination;
    console_fail("a finaliser in the heap", 0);
}

mp_obj_t mp_call_function_1_protected(mp_obj_t function, mp_obj_t argument) {
    (void)function, (void)argument;
    console_fail("a finaliser in the heap", 1);
}

static void *timed_alloc(record_op_t op, uint32_t fill) {
    uint32_t result, before = collections;
    uint32_t cost = record_cost((void *)gc_alloc, REQUEST, 0, 0, 0, &result);
    if (!result || collections != before) {
        console_fail("the heap is too full for the measurement", fill);
    }
    record_add(op, 0, fill, cost);
    return (void *)result;
}

static void timed_free(record_op_t op, void *block, uint32_t fill) {
    uint32_t result;
    record_add(op, 0, fill, record_cost((void *)gc_free, (uint32_t)block, 0, 0, 0, &result));
}

static void near_empty(void) {
    record_phase("heap near-empty");
    gc_init(heap, heap + HEAP_BYTES / 8);
    for (uint32_t i = 0; i < 8; i++) {
        live[i] = gc_alloc(REQUEST, 0);
    }
    for (uint32_t i = 0; i < 200; i++) {
        timed_free(OP_GC_FREE, timed_alloc(OP_GC_ALLOC, 8), 9);
    }
}

// Fills the heap with blocks of 16 to 256 bytes, each holding a pointer to the one before.
static uint32_t fill(void) {
    gc_init(heap, heap + HEAP_BYTES / 8);
    memset(live, 0, sizeof(live));
    uint32_t count = 0;
    MP_STATE_MEM(gc_auto_collect_enabled) = 0;
    for (;;) {
        void **block = gc_alloc(16 + drive_random(241), 0);
        if (!block) {
            return count;
        }
        block[0] = count ? live[count - 1] : NULL;
        live[count++] = block;
    }
}

static void half_full(void) {
    record_phase("heap half full");
    uint32_t count = fill();
    uint32_t result;
    record_once("gc_collect_full_heap", record_cost((void *)gc_collect, 0, 0, 0, 0, &result));
    record_once("gc_blocks_in_full_heap", count);
    for (uint32_t i = 0; i < count / 2; i++) {
        uint32_t at = drive_random(count);
        while (!live[at]) {
            at = (at + 1) % count;
        }
        gc_free(live[at]);
        live[at] = NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (live[i]) {
            *(void **)live[i] = NULL;
        }
    }
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t at = drive_random(count);
        while (live[at]) {
            at = (at + 1) % count;
        }
        live[at] = timed_alloc(OP_GC_ALLOC_HALF, 0);
        at = drive_random(count);
        while (!live[at]) {
            at = (at + 1) % count;
        }
        timed_free(OP_GC_FREE_HALF, live[at], 0);
        live[at] = NULL;
    }
    record_once("gc_collect_half_full_heap", record_cost((void *)gc_collect, 0, 0, 0, 0, &result));
}

void bench_heap(void) {
    near_empty();
    half_full();
}
