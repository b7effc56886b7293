// Pools under interrupts: a timer interrupt that takes blocks of pseudo-random sizes, fills them,
// and at some later interrupt checks that nobody else wrote there and gives them back, while
// Python does the same. `_platform.stress_start(period_us)` and `stress_stop()`.

#include <string.h>

#include "py/runtime.h"
#include "mempool.h"
#include "platform.h"
#include "sdkconfig.h"

#if CONFIG_MEMORY_POOL_ENABLE

#define SLOTS (24u)

static struct {
    uint32_t random;
    uint32_t interrupts;
    uint32_t takes;
    uint32_t gives;
    uint32_t exhausted;
    uint32_t errors;
    struct {
        mempool_handle_t handle; // 0: empty
        uint32_t size;
    } slots[SLOTS];
} stress;

static uint32_t next_random(void) {
    uint32_t x = stress.random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    stress.random = x;
    return x;
}

static uint8_t pattern(mempool_handle_t handle, uint32_t offset) {
    return (uint8_t)((uint32_t)handle * 31u + offset);
}

static void slot_give(unsigned slot) {
    mempool_handle_t handle = stress.slots[slot].handle;
    const uint8_t *data = mempool_data(handle);
    bool wrong = data == NULL;
    for (uint32_t i = 0; !wrong && i < stress.slots[slot].size; ++i) {
        wrong = data[i] != pattern(handle, i);
    }
    if (mempool_give(handle) != MEMPOOL_OK) {
        wrong = true;
    } else {
        stress.gives += 1;
        // The same handle again must be refused, even if the block has a new owner by now.
        wrong = wrong || mempool_give(handle) != MEMPOOL_E_STALE;
    }
    stress.errors += wrong;
    stress.slots[slot].handle = 0;
}

static void slot_take(unsigned slot) {
    uint32_t size = 2 + next_random() % (MEMPOOL_MAX_BLOCK - 1); // 1 byte is kept as 2
    mempool_handle_t handle = mempool_take(size, MEMPOOL_NO_OWNER);
    if (handle == MEMPOOL_E_EXHAUSTED) {
        stress.exhausted += 1;
        return;
    }
    uint8_t *data = handle > 0 ? mempool_data(handle) : NULL;
    mempool_block_t block;
    if (data == NULL || (uintptr_t)data % MEMPOOL_ALIGN != 0 || mempool_inspect(handle, &block) != MEMPOOL_OK || block.size != size || block.python) {
        stress.errors += 1;
        return;
    }
    for (uint32_t i = 0; i < size; ++i) {
        data[i] = pattern(handle, i);
    }
    stress.takes += 1;
    stress.slots[slot].handle = handle;
    stress.slots[slot].size = size;
}

static void stress_interrupt(void *ctx) {
    (void)ctx;
    stress.interrupts += 1;
    unsigned slot = next_random() % SLOTS;
    if (stress.slots[slot].handle != 0) {
        slot_give(slot);
    } else {
        slot_take(slot);
    }
}

// stress_start(period_us): starts the interrupt and its counts. What it holds, C owns.
static mp_obj_t platform_stress_start(mp_obj_t period_us_in) {
    mp_int_t period_us = mp_obj_get_int(period_us_in);
    if (period_us < 1) {
        mp_raise_ValueError(MP_ERROR_TEXT("period_us must be positive"));
    }
    mempool_init();
    platform_set_tick_hook(NULL, NULL, 0);
    stress.interrupts = stress.takes = stress.gives = stress.exhausted = stress.errors = 0;
    if (stress.random == 0) {
        stress.random = 2463534242u;
    }
    platform_set_tick_hook(stress_interrupt, NULL, period_us);
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_1(platform_stress_start_obj, platform_stress_start);

// stress_stop() -> (interrupts, takes, gives, errors, held): held blocks at the stop; they are
// given back now, so that takes == gives over its whole life. Errors: a block that somebody else
// wrote to, a wrong size or alignment, a refused give, a second give that was not refused.
static mp_obj_t platform_stress_stop(void) {
    platform_set_tick_hook(NULL, NULL, 0);
    uint32_t held = 0;
    for (unsigned slot = 0; slot < SLOTS; ++slot) {
        if (stress.slots[slot].handle != 0) {
            held += 1;
            slot_give(slot);
        }
    }
    mp_obj_t items[] = {
        mp_obj_new_int_from_uint(stress.interrupts),
        mp_obj_new_int_from_uint(stress.takes),
        mp_obj_new_int_from_uint(stress.gives),
        mp_obj_new_int_from_uint(stress.errors),
        mp_obj_new_int_from_uint(held),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
MP_DEFINE_CONST_FUN_OBJ_0(platform_stress_stop_obj, platform_stress_stop);

// stress_exhausted() -> takes that found no block, in this or the last run.
static mp_obj_t platform_stress_exhausted(void) {
    return mp_obj_new_int_from_uint(stress.exhausted);
}
MP_DEFINE_CONST_FUN_OBJ_0(platform_stress_exhausted_obj, platform_stress_exhausted);

#endif // CONFIG_MEMORY_POOL_ENABLE
