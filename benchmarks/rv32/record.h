// Costs as they come in: a histogram an operation, with the first place where each cost was seen.

#ifndef BENCH_RECORD_H
#define BENCH_RECORD_H

#include <stdint.h>

// The operations that are told apart; the names are what benchmarks/run.py reads.
#define RECORD_OPERATIONS(X)               \
    X(TAKE, "take")                        \
    X(GIVE, "give")                        \
    X(TAKE_EDGE, "take_edge")              \
    X(GIVE_EDGE, "give_edge")              \
    X(STATS, "stats")                      \
    X(REFUSED, "give_refused")             \
    X(EMPTY, "take_empty")                 \
    X(DENIED, "take_denied")               \
    X(SIZE, "take_size")                   \
    X(CRITICAL, "take_critical")           \
    X(CRITICAL_EDGE, "take_critical_edge") \
    X(DATA, "data")                        \
    X(ALLOC, "alloc")                      \
    X(FREE, "free")                        \
    X(POOL_STATS, "pool_stats")            \
    X(GC_ALLOC, "gc_alloc_empty")          \
    X(GC_FREE, "gc_free_empty")            \
    X(GC_ALLOC_HALF, "gc_alloc_half")      \
    X(GC_FREE_HALF, "gc_free_half")

#define RECORD_ENUM(name, text) OP_##name,
typedef enum { RECORD_OPERATIONS(RECORD_ENUM) OP_COUNT } record_op_t;

// Measures what the two reads and the call cost. Once, first.
void record_calibrate(void);

// Says what is going on; the texts stand beside the costs that are then recorded first.
void record_phase(const char *phase);

// Calls a function and returns its cost: its own instructions, the return included, the call not.
uint32_t record_cost(void *function, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t *result);

// Notes a cost at a fill of a pool (blocks in use before the operation).
void record_add(record_op_t op, uint32_t pool, uint32_t fill, uint32_t cost);

// Prints a figure that was measured once.
void record_once(const char *name, uint32_t cost);

// Prints all: "cost OPERATION COST TIMES POOL FILL PHASE" a line.
void record_print(void);

#endif // BENCH_RECORD_H
