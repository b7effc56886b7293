// Histograms of costs. Nothing here runs between the two readings of the counter.

#include "console.h"
#include "record.h"

#define COSTS 65536u // beyond it the figures would not fit the histogram

typedef struct {
    uint32_t times;
    uint16_t fill;
    uint8_t pool;
    const char *phase; // where this cost was seen first
} bin_t;

static bin_t bins[OP_COUNT][COSTS];
static const char *current_phase = "start";
static uint32_t overhead;

#define RECORD_NAME(name, text) text,
static const char *const names[OP_COUNT] = { RECORD_OPERATIONS(RECORD_NAME) };

uint64_t bench_call(void *function, uint32_t a, uint32_t b, uint32_t c, uint32_t d);
void bench_empty(void);

void record_calibrate(void) {
    overhead = (uint32_t)(bench_call((void *)bench_empty, 0, 0, 0, 0) >> 32) - 1;
    for (unsigned i = 0; i < 100; i++) {
        uint32_t again = (uint32_t)(bench_call((void *)bench_empty, 0, 0, 0, 0) >> 32) - 1;
        if (again != overhead) {
            console_fail("the counter does not count instructions (QEMU needs -icount shift=0)", again);
        }
    }
    console_print("once overhead %u\n", overhead);
}

void record_phase(const char *phase) {
    current_phase = phase;
}

uint32_t record_cost(void *function, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t *result) {
    uint64_t both = bench_call(function, a, b, c, d);
    *result = (uint32_t)both;
    return (uint32_t)(both >> 32) - overhead;
}

void record_add(record_op_t op, uint32_t pool, uint32_t fill, uint32_t cost) {
    if (cost >= COSTS) {
        console_fail(names[op], cost);
    }
    bin_t *bin = &bins[op][cost];
    if (bin->times++ == 0) {
        bin->fill = (uint16_t)fill;
        bin->pool = (uint8_t)pool;
        bin->phase = current_phase;
    }
}

void record_once(const char *name, uint32_t cost) {
    console_print("once %s %u\n", name, cost);
}

void record_print(void) {
    for (unsigned op = 0; op < OP_COUNT; op++) {
        for (uint32_t cost = 0; cost < COSTS; cost++) {
            const bin_t *bin = &bins[op][cost];
            if (bin->times) {
                console_print("cost %s %u %u %u %u %s\n", names[op], cost, bin->times, (uint32_t)bin->pool,
                    (uint32_t)bin->fill, bin->phase);
            }
        }
    }
}
