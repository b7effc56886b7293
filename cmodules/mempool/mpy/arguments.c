// Numbers and arrays that come from Python: every error names the argument and its limit.

#include "py/binary.h"
#include "py/objint.h"

#include "mempool_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE

void mempool_check_callable(mp_obj_t callback, qstr name, bool or_none) {
    if (!mp_obj_is_callable(callback) && !(or_none && callback == mp_const_none)) {
        mp_raise_msg_varg(&mp_type_TypeError, MP_ERROR_TEXT("%q must be callable%s, not %s"), name,
            or_none ? " or None" : "", mp_obj_get_type_str(callback));
    }
}

// An int beyond the small ones is beyond every limit of this module (MEMPOOL_INT_MAX), so that its sign is all
// that matters, and no conversion that could raise is needed.
int32_t mempool_get_clamped(mp_obj_t arg, qstr name) {
    if (mp_obj_is_small_int(arg)) {
        mp_int_t value = MP_OBJ_SMALL_INT_VALUE(arg);
        return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN
                                                                 : (int32_t)value;
    }
    if (arg == mp_const_false || arg == mp_const_true) {
        return arg == mp_const_true;
    }
    if (!mp_obj_is_exact_type(arg, &mp_type_int)) {
        mp_raise_msg_varg(&mp_type_TypeError, MP_ERROR_TEXT("%q must be an int, not %s"), name,
            mp_obj_get_type_str(arg));
    }
    return mp_obj_int_sign(arg) < 0 ? INT32_MIN : INT32_MAX;
}

int32_t mempool_get_between(mp_obj_t arg, qstr name, int32_t min, int32_t max) {
    int32_t value = mempool_get_clamped(arg, name);
    if (value >= min && value <= max) {
        return value;
    }
    if (value == INT32_MAX || value == INT32_MIN) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("%q must be %d..%d"), name, (int)min, (int)max);
    }
    mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("%q must be %d..%d, not %d"), name, (int)min, (int)max,
        (int)value);
}

uint32_t *mempool_get_words(mp_obj_t array, size_t min_words, size_t *words) {
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(array, &buffer, MP_BUFFER_WRITE);
    bool unsigned_words = buffer.typecode == 'I' || buffer.typecode == 'L';
    if (!unsigned_words || mp_binary_get_size('@', (char)buffer.typecode, NULL) != sizeof(uint32_t)) {
        mp_raise_ValueError(MP_ERROR_TEXT("array must be an array('I'), of 4-byte items"));
    }
    *words = buffer.len / sizeof(uint32_t);
    if (*words < min_words) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("array must have %d items or more, not %d"),
            (int)min_words, (int)*words);
    }
    return buffer.buf;
}

#endif // CONFIG_MEMORY_POOL_ENABLE
