// `import smooth`: the filters of smooth.cpp for Python. MicroPython's names are found in C alone, so the two are apart.

#include "py/runtime.h"

#include "mempool.h"
#include "sdkconfig.h"
#include "smooth.h"

#if CONFIG_MEMORY_POOL_ENABLE

static unsigned get_channel(mp_obj_t channel_in) {
    mp_int_t channel = mp_obj_get_int(channel_in);
    if (channel < 0 || channel >= (mp_int_t)SMOOTH_CHANNELS) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("channel must be 0..%d, not %d"), (int)SMOOTH_CHANNELS - 1,
            (int)channel);
    }
    return (unsigned)channel;
}

// open(channel, window)
static mp_obj_t smooth_open_(mp_obj_t channel_in, mp_obj_t window_in) {
    unsigned channel = get_channel(channel_in);
    mp_int_t window = mp_obj_get_int(window_in);
    if (window < 1 || window > (mp_int_t)SMOOTH_WINDOW_MAX) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("window must be 1..%d, not %d"), (int)SMOOTH_WINDOW_MAX,
            (int)window);
    }
    mempool_init();
    if (!smooth_open(channel, (unsigned)window)) {
        mp_raise_msg(&mp_type_MemoryError, MP_ERROR_TEXT("no block is left for the filter"));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(smooth_open_obj, smooth_open_);

static mp_obj_t smooth_close_(mp_obj_t channel_in) {
    smooth_close(get_channel(channel_in));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(smooth_close_obj, smooth_close_);

// step(channel, value) -> mean
static mp_obj_t smooth_step_(mp_obj_t channel_in, mp_obj_t value_in) {
    int32_t mean;
    if (!smooth_step(get_channel(channel_in), (int32_t)mp_obj_get_int(value_in), &mean)) {
        mp_raise_ValueError(MP_ERROR_TEXT("channel is not open"));
    }
    return mp_obj_new_int(mean);
}
static MP_DEFINE_CONST_FUN_OBJ_2(smooth_step_obj, smooth_step_);

static const mp_rom_map_elem_t smooth_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_smooth) },
    { MP_ROM_QSTR(MP_QSTR_open), MP_ROM_PTR(&smooth_open_obj) },
    { MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&smooth_close_obj) },
    { MP_ROM_QSTR(MP_QSTR_step), MP_ROM_PTR(&smooth_step_obj) },
};
static MP_DEFINE_CONST_DICT(smooth_globals, smooth_globals_table);

const mp_obj_module_t smooth_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&smooth_globals,
};

MP_REGISTER_MODULE(MP_QSTR_smooth, smooth_module);

#endif // CONFIG_MEMORY_POOL_ENABLE
