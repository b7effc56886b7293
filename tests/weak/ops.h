// ops.h - what the parts of a unit share that runs the core: ops.c and bus.c know the operations, order.c and judge.c say whether
// what came out is right.

#ifndef OPS_H
#define OPS_H

#include "mempool_core.h"
#include "weak.h"

#define OPS 14     // operations of all threads together
#define HANDLES 40 // handles of one run

enum verb {
    NOTHING, // no operation
    TAKE,
    TAKE_CRITICAL,
    TAKE_OWNED,
    TAKE_FULL,
    TAKE_SPILL,
    TAKE_WAIT,
    ALLOC,
    GIVE, // what this thread took last
    GIVE_FULL,
    FREE,
    PUT, // a shared one, whose holder this thread is
    PUT_FULL,
    RACE, // a shared one that others may give too
    RACE_FREE,
    RACE_PYTHON,
    GUESS,
    ADOPT,
    READ,
    STATS,
    STATS_ALL,
    RESET,
    LEAKS,
    LOOK,
    LEVEL,
    GROW,
    SHRINK,
    OPEN,
    OPEN_OTHER,
    CLOSE,
    INFO,
    UNOWNED,
    TRACE,
    CHECK,
    HOOK,
    UNHOOK,
    INIT,
    BUS, // bus.c's own
};

typedef struct {
    const char *name;
    enum verb verb;
    int32_t (*run)(uint32_t argument); // of the bus's
} verb_t;

extern const verb_t bus_verbs[];

typedef struct {
    const verb_t *what;
    uint8_t argument; // class, or number of a shared handle, or blocks
    uint8_t thread;
    bool begun, done;
    uint32_t ended;   // by the thread's clock
    uint16_t earlier; // operations that had ended before this one began, as far as its thread knew
    int32_t result;
    mempool_handle_t handle; // that was given or used
} op_t;

typedef struct {
    op_t ops[OPS];
    uint8_t first[THREADS], end[THREADS]; // operations of each thread
    mempool_handle_t held[THREADS][OPS];
    uint8_t holds[THREADS];
    uint32_t rung[THREADS];      // the clock of a thread's last bell, and
    uint32_t looked[THREADS];    // of those, the latest that somebody who looked knew of
    uint8_t told[MEMPOOL_POOLS]; // levels
} world_t;

extern world_t world;

static const uint16_t counts[MEMPOOL_POOLS] = {
    CONFIG_MEMORY_POOL_TINY_COUNT,
    CONFIG_MEMORY_POOL_SMALL_COUNT,
    CONFIG_MEMORY_POOL_MEDIUM_COUNT,
    CONFIG_MEMORY_POOL_LARGE_COUNT,
    CONFIG_MEMORY_POOL_XLARGE_COUNT,
};

// One sequential state. Handles are known by their place in `known`.
typedef struct {
    uint64_t live;
    uint64_t seen;                // ever handed out: none is twice
    uint64_t dying;               // given back, but the room is not there yet
    uint16_t used[MEMPOOL_POOLS]; // blocks
    uint8_t grown;                // blocks that pool 0 has more
    bool ready;                   // mempool_init has been
    uint32_t owned;               // bytes of the owner
} model_t;

extern model_t before; // the threads: what the set-up left
extern mempool_owner_t owner;
extern uint32_t quota; // bytes
extern bool quota_moves, hook_moves, full_only;
extern bool sees_counts, sees_stamps, sees_owners; // somebody looks at these meanwhile
extern mempool_handle_t shared[HANDLES];           // that the set-up took
extern void *shared_data[HANDLES];
extern mempool_handle_t known[HANDLES];
extern bool known_owned[HANDLES];
extern unsigned known_count, shared_count; // the first of the known handles are the shared ones

int32_t do_op(op_t *op, unsigned thread);
unsigned number_of(mempool_handle_t handle);
bool is_take(enum verb verb);
bool is_give(enum verb verb);
void look(void);          // takes note of what the pressure tells
uint32_t most_used(void); // bytes that can be held at a time in this scene

// The block's holder writes its name into it, as plain data.
void sign(mempool_handle_t handle);
void check_signature(mempool_handle_t handle);

// order.c: whether there is an order of the operations, one after another, that gives these results -> the state after it.
bool order_exists(model_t *end);

// bus.c
bool bus_prepare(const char *verb, uint32_t argument);
void bus_judge(void);
void bus_ready(void);

static inline unsigned pool_of(mempool_handle_t handle) {
    return (((uint32_t)handle >> 10) & 7u) - 1u;
}

#endif // OPS_H
