// interleave.h - what the parts of the interleaving checker share: interleave.c runs the threads in every
// order, interleave_ops.c knows the operations, interleave_judge.c says whether what came out is right.

#ifndef INTERLEAVE_H
#define INTERLEAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "mempool_core.h"

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

static const unsigned counts[MEMPOOL_POOLS] = {
    CONFIG_MEMORY_POOL_TINY_COUNT,
    CONFIG_MEMORY_POOL_SMALL_COUNT,
    CONFIG_MEMORY_POOL_MEDIUM_COUNT,
    CONFIG_MEMORY_POOL_LARGE_COUNT,
    CONFIG_MEMORY_POOL_XLARGE_COUNT,
};

extern world_t world;

// Set-up: runs `script` alone. Its handles become the shared ones.
void ops_prepare(const char *script);

// Reads the operations of one thread into the world.
void ops_add_thread(unsigned thread, const char *script);

// Runs one operation. In a thread it is interrupted at every atomic access.
void ops_run(op_t *op, unsigned thread);

// At the end of all threads (interleave_judge.c): NULL, or what is wrong. Changes the core's state.
const char *ops_judge(void);

void ops_print(void);

// May the order of accesses to this word matter to what these scripts can see?
bool ops_can_see(const volatile void *address);

// One sequential state. Handles are known by their place in `known`.
typedef struct {
    uint64_t live;
    uint64_t dying;              // given back, but the room is not there yet
    uint8_t used[MEMPOOL_POOLS]; // blocks
    uint8_t grown;               // blocks that pool 0 has more
    uint32_t owned;              // bytes of the owner
} model_t;

extern model_t before; // the threads: what the set-up left
extern mempool_owner_t owner;
extern uint32_t quota;
extern mempool_handle_t known[HANDLES];
extern bool known_owned[HANDLES];
extern unsigned known_count, shared_count; // the first of the known handles are the shared ones

unsigned number_of(mempool_handle_t handle);

// Takes note of what the pressure tells.
void look(void);

static inline unsigned pool_of(mempool_handle_t handle) {
    return (((uint32_t)handle >> 10) & 7u) - 1u;
}

#endif // INTERLEAVE_H
