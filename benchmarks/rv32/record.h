// Costs as they come in: a histogram an operation, with the first place where each cost was seen.

#ifndef BENCH_RECORD_H
#define BENCH_RECORD_H

#include <stdint.h>

#include <operations.h> // of the image: RECORD_OPERATIONS(X), the operations that are told apart

#define RECORD_ENUM(name, text) OP_##name,
typedef enum { RECORD_OPERATIONS(RECORD_ENUM) OP_COUNT } record_op_t;

// Measures what the two reads and the call cost. Once, first.
void record_calibrate(void);

// Says what is going on; the texts stand beside the costs that are then recorded first.
void record_phase(const char *phase);

// Calls a function and returns its cost: its own instructions, the return included, the call not.
uint32_t record_cost(void *function, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t *result);

// Notes a cost at a fill of a pool (blocks in use before the operation; of the bus: events that wait before it).
void record_add(record_op_t op, uint32_t pool, uint32_t fill, uint32_t cost);

// Prints a figure that was measured once.
void record_once(const char *name, uint32_t cost);

// Prints all: "cost OPERATION COST TIMES POOL FILL PHASE" a line.
void record_print(void);

#endif // BENCH_RECORD_H
