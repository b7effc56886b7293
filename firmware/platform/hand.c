// hand.c - see hand.h.

#include "mempool_port.h" // first

#include "hand.h"
#include "sdkconfig.h"

#if CONFIG_MEMORY_POOL_ENABLE

MEMPOOL_HOT uint32_t hand_random(hand_t *hand) {
    uint32_t x = hand->random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    hand->random = x;
    return x;
}

static MEMPOOL_HOT uint8_t pattern(mempool_handle_t handle, uint32_t offset) {
    return (uint8_t)((uint32_t)handle * 31u + offset);
}

static MEMPOOL_HOT void slot_give(hand_t *hand, unsigned slot) {
    mempool_handle_t handle = hand->slots[slot].handle;
    const uint8_t *data = mempool_data(handle);
    bool wrong = data == NULL;
    for (uint32_t i = 0; !wrong && i < hand->slots[slot].size; ++i) {
        wrong = data[i] != pattern(handle, i);
    }
    if (mempool_give(handle) != MEMPOOL_OK) {
        wrong = true;
    } else {
        hand->gives += 1;
        // The same handle again must be refused, even if the block has a new owner by now.
        wrong = wrong || mempool_give(handle) != MEMPOOL_E_STALE;
    }
    hand->errors += wrong;
    hand->slots[slot].handle = 0;
}

static MEMPOOL_HOT void slot_take(hand_t *hand, unsigned slot) {
    uint32_t size = 2 + hand_random(hand) % (MEMPOOL_MAX_BLOCK - 1); // 1 byte is kept as 2
    mempool_handle_t handle = mempool_take(size, MEMPOOL_NO_OWNER);
    if (handle == MEMPOOL_E_EXHAUSTED) {
        hand->exhausted += 1;
        return;
    }
    uint8_t *data = handle > 0 ? mempool_data(handle) : NULL;
    mempool_block_t block;
    if (data == NULL || (uintptr_t)data % MEMPOOL_ALIGN != 0 || mempool_inspect(handle, &block) != MEMPOOL_OK || block.size != size || block.python) {
        hand->errors += 1;
        return;
    }
    for (uint32_t i = 0; i < size; ++i) {
        data[i] = pattern(handle, i);
    }
    hand->takes += 1;
    hand->slots[slot].handle = handle;
    hand->slots[slot].size = size;
}

MEMPOOL_HOT void hand_turn(hand_t *hand) {
    hand->turns += 1;
    unsigned slot = hand_random(hand) % HAND_SLOTS;
    if (hand->slots[slot].handle != 0) {
        slot_give(hand, slot);
    } else {
        slot_take(hand, slot);
    }
}

uint32_t hand_empty(hand_t *hand) {
    uint32_t held = 0;
    for (unsigned slot = 0; slot < HAND_SLOTS; ++slot) {
        if (hand->slots[slot].handle != 0) {
            held += 1;
            slot_give(hand, slot);
        }
    }
    return held;
}

#endif // CONFIG_MEMORY_POOL_ENABLE
