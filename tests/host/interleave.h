// interleave.h - what the two halves of the interleaving checker share: interleave.c runs the threads in every
// order, interleave_ops.c knows the operations and judges what came out.

#ifndef INTERLEAVE_H
#define INTERLEAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "mempool.h"

#define THREADS 4
#define OPS 12     // operations of all threads together
#define HANDLES 40 // handles of one run

typedef struct {
    char verb;        // see interleave_ops.c
    uint8_t argument; // class, or number of a shared handle
    uint8_t thread;
    bool begun, done;
    uint16_t earlier; // operations that were done when this one began: real time, as far as it matters
    int32_t result;
    mempool_handle_t handle; // that was given or used
} op_t;

// With the memory of the core and the threads' stacks this is a whole state: saved, hashed, restored.
typedef struct {
    op_t ops[OPS];
    uint8_t first[THREADS], end[THREADS], at[THREADS]; // operations of each thread, and where it is
    mempool_handle_t held[THREADS][OPS];
    uint8_t holds[THREADS];
    uint8_t rung;                // bells since somebody looked at the pressure, saturating
    uint8_t told[MEMPOOL_POOLS]; // levels
} world_t;

extern world_t world;

// Set-up: runs `script` alone. Its handles become the shared ones.
void ops_prepare(const char *script);

// Reads the operations of one thread into the world.
void ops_add_thread(unsigned thread, const char *script);

// Runs one operation. In a thread it is interrupted at every atomic access.
void ops_run(op_t *op, unsigned thread);

// At the end of all threads: NULL, or what is wrong. Changes the core's state.
const char *ops_judge(void);

void ops_print(void);

// May the order of accesses to this word matter to what these scripts can see?
bool ops_can_see(const volatile void *address);

#endif // INTERLEAVE_H
