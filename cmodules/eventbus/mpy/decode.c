// From CBOR to Python objects. Small ints, bools, None and strings that are interned cost no heap.

#include "eventbus_mpy.h" // first

#include "py/objint.h"
#include "py/smallint.h"

#if CONFIG_MEMORY_POOL_ENABLE

// Only another thread that ends the event meanwhile can make a payload malformed.
static EVENTBUS_MPY_NORETURN void raise_malformed(void) {
    mp_raise_ValueError(MP_ERROR_TEXT("event is over"));
}

static mp_obj_t decode_uint(uint64_t value) {
    return value <= MP_SMALL_INT_MAX ? MP_OBJ_NEW_SMALL_INT((mp_int_t)value) : mp_obj_new_int_from_ull(value);
}

static mp_obj_t decode_negative(uint64_t n) {
    if (n <= MP_SMALL_INT_MAX) {
        return MP_OBJ_NEW_SMALL_INT(-1 - (mp_int_t)n);
    }
    if (n <= INT64_MAX) {
        return mp_obj_new_int_from_ll(-1 - (long long)n);
    }
    return mp_binary_op(MP_BINARY_OP_SUBTRACT, MP_OBJ_NEW_SMALL_INT(-1), mp_obj_new_int_from_ull(n));
}

#if MICROPY_PY_BUILTINS_FLOAT
static mp_obj_t decode_float(uint32_t bits) {
    union {
        uint32_t bits;
        float value;
    } u = { .bits = bits };
    return mp_obj_new_float((mp_float_t)u.value);
}

static mp_obj_t decode_double(uint64_t bits) {
    union {
        uint64_t bits;
        double value;
    } u = { .bits = bits };
    return mp_obj_new_float((mp_float_t)u.value);
}
#endif

static mp_obj_t decode_at(const uint8_t *at, const uint8_t *end, const uint8_t **next, unsigned depth);

static mp_obj_t decode_array(const uint8_t *at, const uint8_t *end, const uint8_t **next, uint64_t n, unsigned depth) {
    if (n > (uint64_t)(end - at)) {
        raise_malformed();
    }
    mp_obj_t list = mp_obj_new_list(0, NULL);
    for (uint64_t i = 0; i < n; i++) {
        mp_obj_list_append(list, decode_at(at, end, &at, depth));
    }
    *next = at;
    return list;
}

static mp_obj_t decode_map(const uint8_t *at, const uint8_t *end, const uint8_t **next, uint64_t n, unsigned depth) {
    if (n > (uint64_t)(end - at)) {
        raise_malformed();
    }
    mp_obj_t dict = mp_obj_new_dict((size_t)n);
    for (uint64_t i = 0; i < n; i++) {
        mp_obj_t key = decode_at(at, end, &at, depth);
        mp_obj_dict_store(dict, key, decode_at(at, end, &at, depth));
    }
    *next = at;
    return dict;
}

static mp_obj_t decode_at(const uint8_t *at, const uint8_t *end, const uint8_t **next, unsigned depth) {
    eventbus_cbor_item_t item;
    at = eventbus_cbor_read(at, end, &item);
    if (at == NULL || depth > EVENTBUS_CBOR_DEPTH) {
        raise_malformed();
    }
    *next = at;
    switch (item.kind) {
        case EVENTBUS_CBOR_UINT:
            return decode_uint(item.value);
        case EVENTBUS_CBOR_NEGATIVE:
            return decode_negative(item.value);
        case EVENTBUS_CBOR_BYTES:
            return mp_obj_new_bytes(item.bytes, item.length);
        case EVENTBUS_CBOR_TEXT:
            return mp_obj_new_str((const char *)item.bytes, item.length);
        case EVENTBUS_CBOR_ARRAY:
            return decode_array(at, end, next, item.value, depth + 1);
        case EVENTBUS_CBOR_MAP:
            return decode_map(at, end, next, item.value, depth + 1);
        case EVENTBUS_CBOR_FALSE:
            return mp_const_false;
        case EVENTBUS_CBOR_TRUE:
            return mp_const_true;
#if MICROPY_PY_BUILTINS_FLOAT
        case EVENTBUS_CBOR_FLOAT:
            return decode_float((uint32_t)item.value);
        case EVENTBUS_CBOR_DOUBLE:
            return decode_double(item.value);
#endif
        default:
            return mp_const_none;
    }
}

mp_obj_t eventbus_decode(const uint8_t *at, const uint8_t *end, const uint8_t **next) {
    return decode_at(at, end, next, 0);
}

#endif // CONFIG_MEMORY_POOL_ENABLE
