// `_soak`: what the programs of tests/soak/life need of the machine that they live on.

#include "mempool_port.h" // first

#include "py/mphal.h"
#include "py/runtime.h"

#include "soak.h"

#define SECOND_NS 1000000000u

// now_s() -> seconds since the start of the machine
static mp_obj_t soak_now_s(void) {
    return mp_obj_new_int_from_ull(soak_now_ns() / SECOND_NS);
}
static MP_DEFINE_CONST_FUN_OBJ_0(soak_now_s_obj, soak_now_s);

// move_to_s(seconds): the clocks go on from there; never back
static mp_obj_t soak_move_to_s(mp_obj_t seconds) {
    soak_move_to_ns((uint64_t)mp_obj_get_int(seconds) * SECOND_NS);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(soak_move_to_s_obj, soak_move_to_s);

// wait_ms(ms): the time passes, and nothing happens
static mp_obj_t soak_wait_ms(mp_obj_t ms) {
    soak_move_to_ns(soak_now_ns() + (uint64_t)mp_obj_get_int(ms) * 1000000u);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(soak_wait_ms_obj, soak_wait_ms);

// tick_at(tick), uptime_at(seconds): these clocks go on from there
static mp_obj_t soak_tick_at(mp_obj_t tick) {
    soak_set_tick((uint32_t)mp_obj_get_int_truncated(tick));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(soak_tick_at_obj, soak_tick_at);

static mp_obj_t soak_uptime_at(mp_obj_t seconds) {
    soak_set_uptime((uint32_t)mp_obj_get_int_truncated(seconds));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(soak_uptime_at_obj, soak_uptime_at);

// task_rests() -> whether the bus's task has delivered all, and given it back
static mp_obj_t soak_task_rests_(void) {
    return mp_obj_new_bool(soak_task_rests());
}
static MP_DEFINE_CONST_FUN_OBJ_0(soak_task_rests_obj, soak_task_rests_);

// tick() -> the coarse tick
static mp_obj_t soak_tick(void) {
    return mp_obj_new_int_from_uint(mempool_port_tick());
}
static MP_DEFINE_CONST_FUN_OBJ_0(soak_tick_obj, soak_tick);

// counters() -> their names; get(n), set(n, value)
static mp_obj_t soak_counters_(void) {
    mp_obj_t list = mp_obj_new_list(0, NULL);
    for (unsigned i = 0; i < soak_counters(); ++i) {
        mp_obj_list_append(list, mp_obj_new_str_from_cstr(soak_counter_name(i)));
    }
    return list;
}
static MP_DEFINE_CONST_FUN_OBJ_0(soak_counters_obj, soak_counters_);

static unsigned index_of(mp_obj_t counter) {
    mp_int_t index = mp_obj_get_int(counter);
    if (index < 0 || index >= (mp_int_t)soak_counters()) {
        mp_raise_type(&mp_type_IndexError);
    }
    return (unsigned)index;
}

static mp_obj_t soak_get(mp_obj_t counter) {
    return mp_obj_new_int_from_uint(soak_counter(index_of(counter)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(soak_get_obj, soak_get);

static mp_obj_t soak_set(mp_obj_t counter, mp_obj_t value) {
    soak_set_counter(index_of(counter), (uint32_t)mp_obj_get_int_truncated(value));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(soak_set_obj, soak_set);

// end_after(jumps, power): after so many jumps of the virtual machine KeyboardInterrupt is raised, or the power fails
static mp_obj_t soak_end_after(mp_obj_t jumps, mp_obj_t power) {
    soak_cuts_power = mp_obj_is_true(power);
    soak_jumps = (unsigned)mp_obj_get_int(jumps);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(soak_end_after_obj, soak_end_after);

// again(yes): whether the next life begins when this one has ended
static mp_obj_t soak_again_(mp_obj_t yes) {
    soak_again = mp_obj_is_true(yes);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(soak_again_obj, soak_again_);

static const mp_rom_map_elem_t soak_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__soak) },
    { MP_ROM_QSTR(MP_QSTR_now_s), MP_ROM_PTR(&soak_now_s_obj) },
    { MP_ROM_QSTR(MP_QSTR_move_to_s), MP_ROM_PTR(&soak_move_to_s_obj) },
    { MP_ROM_QSTR(MP_QSTR_wait_ms), MP_ROM_PTR(&soak_wait_ms_obj) },
    { MP_ROM_QSTR(MP_QSTR_tick_at), MP_ROM_PTR(&soak_tick_at_obj) },
    { MP_ROM_QSTR(MP_QSTR_uptime_at), MP_ROM_PTR(&soak_uptime_at_obj) },
    { MP_ROM_QSTR(MP_QSTR_task_rests), MP_ROM_PTR(&soak_task_rests_obj) },
    { MP_ROM_QSTR(MP_QSTR_tick), MP_ROM_PTR(&soak_tick_obj) },
    { MP_ROM_QSTR(MP_QSTR_counters), MP_ROM_PTR(&soak_counters_obj) },
    { MP_ROM_QSTR(MP_QSTR_get), MP_ROM_PTR(&soak_get_obj) },
    { MP_ROM_QSTR(MP_QSTR_set), MP_ROM_PTR(&soak_set_obj) },
    { MP_ROM_QSTR(MP_QSTR_end_after), MP_ROM_PTR(&soak_end_after_obj) },
    { MP_ROM_QSTR(MP_QSTR_again), MP_ROM_PTR(&soak_again_obj) },
};
static MP_DEFINE_CONST_DICT(soak_globals, soak_globals_table);

const mp_obj_module_t soak_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&soak_globals,
};

MP_REGISTER_MODULE(MP_QSTR__soak, soak_module);
