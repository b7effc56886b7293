// hand.h - somebody who takes blocks of pseudo-random sizes, fills them, and at some later turn checks that nobody else wrote there
// and gives them back: an interrupt, or a task on either core. Each has a hand of its own.

#ifndef HAND_H
#define HAND_H

#include <stdint.h>

#include "mempool.h"

#define HAND_SLOTS (24u)

typedef struct {
    uint32_t random; // not 0
    uint32_t turns;
    uint32_t takes;
    uint32_t gives;
    uint32_t exhausted;
    uint32_t errors; // a block that somebody else wrote to, a wrong size or alignment, a refused give, a second give that was not
    struct {
        mempool_handle_t handle; // 0: empty
        uint32_t size;
    } slots[HAND_SLOTS];
} hand_t;

// One take, or one give with its checks. Any context.
void hand_turn(hand_t *hand);

// Gives back what it holds -> so many blocks. Nobody may take a turn meanwhile.
uint32_t hand_empty(hand_t *hand);

// The next of its numbers.
uint32_t hand_random(hand_t *hand);

#endif // HAND_H
