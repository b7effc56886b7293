// `_platform`: what tests and benchmarks need to see and to provoke. On unix it is the part for the event bus alone.

#include "py/runtime.h"
#include "sdkconfig.h"

#if defined(__unix__)
#elif defined(ESP_PLATFORM)

#include "esp_cpu.h"

// cycles() -> the low 30 bits of the cycle counter, for differences.
static mp_obj_t platform_cycles_(void) {
    return MP_OBJ_NEW_SMALL_INT(esp_cpu_get_cycle_count() & 0x3fffffff);
}
static MP_DEFINE_CONST_FUN_OBJ_0(platform_cycles_obj, platform_cycles_);

#else

#define EMULATED 1

#include "platform.h"

// cycles() -> the low 30 bits of the cycle counter, for differences: instructions on RV32 under
// QEMU's -icount shift=0.
static mp_obj_t platform_cycles_(void) {
    return MP_OBJ_NEW_SMALL_INT(platform_cycles() & 0x3fffffff);
}
static MP_DEFINE_CONST_FUN_OBJ_0(platform_cycles_obj, platform_cycles_);

// interrupts() -> timer interrupts since boot.
static mp_obj_t platform_interrupts(void) {
    return mp_obj_new_int_from_uint(platform_timer_interrupts);
}
static MP_DEFINE_CONST_FUN_OBJ_0(platform_interrupts_obj, platform_interrupts);

static volatile uint32_t ticker_count;

static void ticker(void *ctx) {
    (void)ctx;
    ticker_count += 1;
}

// ticker(period_us) starts a periodic interrupt that counts; ticker(0) stops it. -> its count.
static mp_obj_t platform_ticker(mp_obj_t period_us_in) {
    mp_int_t period_us = mp_obj_get_int(period_us_in);
    uint32_t count = ticker_count;
    if (period_us < 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("period_us must not be negative"));
    }
    if (period_us == 0) {
        platform_set_tick_hook(NULL, NULL, 0);
    } else {
        ticker_count = 0;
        platform_set_tick_hook(ticker, NULL, period_us);
    }
    return mp_obj_new_int_from_uint(count);
}
static MP_DEFINE_CONST_FUN_OBJ_1(platform_ticker_obj, platform_ticker);

// reset(): as machine.reset() of an ESP32, which on the emulated boards ends the emulation instead.
static mp_obj_t platform_reset_(void) {
    platform_reset();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(platform_reset_obj, platform_reset_);

#endif // emulated boards

#if CONFIG_MEMORY_POOL_ENABLE
extern const mp_obj_fun_builtin_fixed_t platform_stress_start_obj;
extern const mp_obj_fun_builtin_fixed_t platform_stress_stop_obj;
extern const mp_obj_fun_builtin_fixed_t platform_stress_exhausted_obj;
extern const mp_obj_fun_builtin_fixed_t platform_stress_obj;
extern const mp_obj_fun_builtin_var_t platform_source_timer_obj;
extern const mp_obj_fun_builtin_var_t platform_source_edge_obj;
extern const mp_obj_fun_builtin_var_t platform_edge_obj;
extern const mp_obj_fun_builtin_fixed_t platform_source_stop_obj;
extern const mp_obj_fun_builtin_fixed_t platform_publish_obj;
extern const mp_obj_fun_builtin_var_t platform_sink_obj;
extern const mp_obj_fun_builtin_fixed_t platform_sink_stop_obj;
extern const mp_obj_fun_builtin_fixed_t platform_sink_read_obj;
#endif

static const mp_rom_map_elem_t platform_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__platform) },
#if !defined(__unix__)
    { MP_ROM_QSTR(MP_QSTR_cycles), MP_ROM_PTR(&platform_cycles_obj) },
#endif
#if EMULATED
    { MP_ROM_QSTR(MP_QSTR_interrupts), MP_ROM_PTR(&platform_interrupts_obj) },
    { MP_ROM_QSTR(MP_QSTR_ticker), MP_ROM_PTR(&platform_ticker_obj) },
    { MP_ROM_QSTR(MP_QSTR_reset), MP_ROM_PTR(&platform_reset_obj) },
#endif
#if CONFIG_MEMORY_POOL_ENABLE
    { MP_ROM_QSTR(MP_QSTR_stress), MP_ROM_PTR(&platform_stress_obj) },
    { MP_ROM_QSTR(MP_QSTR_stress_start), MP_ROM_PTR(&platform_stress_start_obj) },
    { MP_ROM_QSTR(MP_QSTR_stress_stop), MP_ROM_PTR(&platform_stress_stop_obj) },
    { MP_ROM_QSTR(MP_QSTR_stress_exhausted), MP_ROM_PTR(&platform_stress_exhausted_obj) },
    { MP_ROM_QSTR(MP_QSTR_source_timer), MP_ROM_PTR(&platform_source_timer_obj) },
    { MP_ROM_QSTR(MP_QSTR_source_edge), MP_ROM_PTR(&platform_source_edge_obj) },
    { MP_ROM_QSTR(MP_QSTR_edge), MP_ROM_PTR(&platform_edge_obj) },
    { MP_ROM_QSTR(MP_QSTR_source_stop), MP_ROM_PTR(&platform_source_stop_obj) },
    { MP_ROM_QSTR(MP_QSTR_publish), MP_ROM_PTR(&platform_publish_obj) },
    { MP_ROM_QSTR(MP_QSTR_sink), MP_ROM_PTR(&platform_sink_obj) },
    { MP_ROM_QSTR(MP_QSTR_sink_stop), MP_ROM_PTR(&platform_sink_stop_obj) },
    { MP_ROM_QSTR(MP_QSTR_sink_read), MP_ROM_PTR(&platform_sink_read_obj) },
#endif
};
static MP_DEFINE_CONST_DICT(platform_globals, platform_globals_table);

const mp_obj_module_t platform_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&platform_globals,
};

MP_REGISTER_MODULE(MP_QSTR__platform, platform_module);
