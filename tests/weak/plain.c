// plain.c - plain data: two accesses of one byte by different threads, one of them a write and one of them not atomic, are a race
// unless the later one's thread knows of the earlier one.
//
// Knowing is happens-before: each thread has a clock that its every step moves, and views carry the clocks. Every interleaving of
// the atomic accesses is tried, so it's enough to look back. What is free of races has one value in all of RC11, that which
// memory has: so plain data needs no history.

#include <string.h>

#include "weak.h"

// The clock of each thread at its last access of each kind, 0: none in this execution.
typedef struct {
    uint32_t execution;
    uint32_t clock[4][THREADS]; // by enum access
    const void *from[THREADS];
} cell_t;

static cell_t cells[UNIT_BYTES];
static const char *const doings[] = { "reads", "writes", "loads", "stores" };

// Which earlier accesses must be known, as bits.
static const uint8_t meets[] = {
    [PLAIN_READ] = 1u << PLAIN_WRITE | 1u << ATOMIC_WRITE,
    [PLAIN_WRITE] = 15u,
    [ATOMIC_READ] = 1u << PLAIN_WRITE,
    [ATOMIC_WRITE] = 1u << PLAIN_WRITE | 1u << PLAIN_READ,
};

static void look_back(cell_t *cell, enum access access, const void *from) {
    const view_t *view = &thread[running].view;
    for (unsigned kind = 0; kind < 4; kind++) {
        for (unsigned t = 0; (meets[access] >> kind & 1u) != 0 && t < threads; t++) {
            if ((int)t != running && cell->clock[kind][t] > view->clock[t]) {
                weak_fail("a race: thread %d %s (%p) what thread %u %s (%p) unknown to it", running + 1, doings[access], from,
                    t + 1, doings[kind], cell->from[t]);
            }
        }
    }
}

void plain_access(const volatile void *p, size_t size, enum access access, const void *from) {
    size_t offset;
    if (!in_unit(p, size, &offset)) {
        return;
    }
    bool atomic = access == ATOMIC_READ || access == ATOMIC_WRITE;
    uint32_t now = atomic ? thread[running].view.clock[running] : ++thread[running].view.clock[running];
    for (size_t i = 0; i < (atomic ? 1u : size); i++) { // nobody accesses a part of a word
        cell_t *cell = &cells[offset + i];
        if (cell->execution != execution) {
            memset(cell, 0, sizeof(*cell));
            cell->execution = execution;
        }
        look_back(cell, access, from);
        cell->clock[access][running] = now;
        cell->from[running] = from;
    }
}

void weak_read(const volatile void *p, size_t size) {
    if (running >= 0) {
        machine_settle();
        plain_access(p, size, PLAIN_READ, __builtin_return_address(0));
    }
}

void weak_write(volatile void *p, size_t size) {
    if (running >= 0) {
        machine_settle();
        plain_access(p, size, PLAIN_WRITE, __builtin_return_address(0));
    }
}
