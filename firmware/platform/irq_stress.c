// Pools under interrupts: `_platform.stress_start(period_us)` and `stress_stop()`. A timer interrupt has a hand of its own
// (hand.h), while Python takes and gives, too.

#include "py/mperrno.h"
#include "py/runtime.h"

#include "bus_sources.h"
#include "hand.h"
#include "sdkconfig.h"

#if CONFIG_MEMORY_POOL_ENABLE

static hand_t hand = { .random = 2463534242u };

static PLATFORM_ISR void stress_interrupt(void) {
    hand_turn(&hand);
}

// stress_start(period_us): starts the interrupt and its counts. What it holds, C owns.
static mp_obj_t platform_stress_start(mp_obj_t period_us_in) {
    mp_int_t period_us = mp_obj_get_int(period_us_in);
    if (period_us < 1) {
        mp_raise_ValueError(MP_ERROR_TEXT("period_us must be positive"));
    }
    mempool_init();
    bus_machine_timer(NULL, 0);
    hand.turns = hand.takes = hand.gives = hand.exhausted = hand.errors = 0;
    if (!bus_machine_timer(stress_interrupt, (uint32_t)period_us)) {
        mp_raise_OSError(MP_EIO);
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_1(platform_stress_start_obj, platform_stress_start);

// stress_stop() -> (interrupts, takes, gives, errors, held): held blocks at the stop; they are
// given back now, so that takes == gives over its whole life. Errors: see hand.h.
static mp_obj_t platform_stress_stop(void) {
    bus_machine_timer(NULL, 0);
    uint32_t held = hand_empty(&hand);
    mp_obj_t items[] = {
        mp_obj_new_int_from_uint(hand.turns),
        mp_obj_new_int_from_uint(hand.takes),
        mp_obj_new_int_from_uint(hand.gives),
        mp_obj_new_int_from_uint(hand.errors),
        mp_obj_new_int_from_uint(held),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
MP_DEFINE_CONST_FUN_OBJ_0(platform_stress_stop_obj, platform_stress_stop);

// stress_exhausted() -> takes that found no block, in this or the last run.
static mp_obj_t platform_stress_exhausted(void) {
    return mp_obj_new_int_from_uint(hand.exhausted);
}
MP_DEFINE_CONST_FUN_OBJ_0(platform_stress_exhausted_obj, platform_stress_exhausted);

#endif // CONFIG_MEMORY_POOL_ENABLE
