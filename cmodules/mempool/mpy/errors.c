// Errors: raised with the type of what came, or reported where none may get out, that is, from callbacks of the scheduler.

#include "mempool_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE

void mempool_raise_type(mp_rom_error_text_t text, mp_obj_t got) {
    mp_raise_msg_varg(&mp_type_TypeError, text, mp_obj_get_type_str(got));
}

bool mempool_asks_to_end(mp_obj_t exception) {
    mp_obj_t type = MP_OBJ_FROM_PTR(mp_obj_get_type(exception));
    return mp_obj_is_subclass_fast(type, MP_OBJ_FROM_PTR(&mp_type_SystemExit)) || mp_obj_is_subclass_fast(type, MP_OBJ_FROM_PTR(&mp_type_KeyboardInterrupt));
}

// Printing runs the exception's __str__, and on unix looks for Ctrl-C.
mp_obj_t mempool_report(const char *title, const char *what, mp_obj_t exception) {
    if (mempool_asks_to_end(exception)) {
        return exception;
    }
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_printf(&mp_plat_print, title, what);
        mp_obj_print_exception(&mp_plat_print, exception);
        nlr_pop();
        return MP_OBJ_NULL;
    }
    mp_obj_t second = MP_OBJ_FROM_PTR(nlr.ret_val);
    if (nlr_push(&nlr) == 0) {
        mp_print_str(&mp_plat_print, "an exception that cannot be printed\n");
        nlr_pop();
    } else if (!mempool_asks_to_end(second)) {
        second = MP_OBJ_FROM_PTR(nlr.ret_val);
    }
    return mempool_asks_to_end(second) ? second : MP_OBJ_NULL;
}

#endif // CONFIG_MEMORY_POOL_ENABLE
