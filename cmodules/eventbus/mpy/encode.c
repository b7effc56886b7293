// From Python objects to CBOR: a value or the fields of a publish, written by the core's writer. The same walk measures first
// and writes then, so that the block has the right size and what cannot be sent is refused before a block is taken.

#include "eventbus_mpy.h" // first

#include "py/objint.h"
#include "py/objstr.h"
#include "py/objtuple.h"

#if CONFIG_MEMORY_POOL_ENABLE

#if MICROPY_LONGINT_IMPL != MICROPY_LONGINT_IMPL_NONE
// By way of 128 bits: it fits where the upper half only repeats the sign. A negative n is written as -1 - n, that is ~n.
static void encode_long(eventbus_cbor_writer_t *w, mp_obj_t value) {
    uint64_t halves[2];
    bool negative = mp_obj_int_sign(value) < 0;
    bool fits = mp_obj_int_to_bytes_impl(value, MP_ENDIANNESS_BIG, sizeof(halves), (byte *)halves);
    if (!fits || halves[!MP_ENDIANNESS_BIG] != (negative ? UINT64_MAX : 0)) {
        mp_raise_ValueError(MP_ERROR_TEXT("int of an event must fit in 64 bits"));
    }
    uint64_t low = halves[MP_ENDIANNESS_BIG];
    if (negative) {
        eventbus_cbor_negative(w, ~low);
    } else {
        eventbus_cbor_uint(w, low);
    }
}
#endif

#if MICROPY_PY_BUILTINS_FLOAT
static void encode_float(eventbus_cbor_writer_t *w, mp_float_t value) {
    if (sizeof(mp_float_t) == sizeof(float)) {
        eventbus_cbor_float(w, (float)value);
    } else {
        eventbus_cbor_double(w, (double)value);
    }
}
#endif

static void encode_text(eventbus_cbor_writer_t *w, mp_obj_t text) {
    size_t length;
    const char *data = mp_obj_str_get_data(text, &length);
    if (w->room == 0 && !eventbus_cbor_is_text(data, length)) { // while it measures
        mp_raise_ValueError(MP_ERROR_TEXT("str of an event must be UTF-8, without lone surrogates"));
    }
    eventbus_cbor_text(w, data, (uint32_t)length);
}

static void encode_at(eventbus_cbor_writer_t *w, mp_obj_t value, unsigned depth);

// A tuple, a namedtuple or an attrtuple.
static bool is_tuple(mp_obj_t value) {
    const mp_obj_type_t *type = mp_obj_get_type(value);
    return MP_OBJ_TYPE_GET_SLOT_OR_NULL(type, iter) == mp_obj_tuple_getiter;
}

static void encode_items(eventbus_cbor_writer_t *w, mp_obj_t sequence, unsigned depth) {
    size_t n;
    mp_obj_t *items;
    if (mp_obj_is_exact_type(sequence, &mp_type_list)) {
        mp_obj_list_get(sequence, &n, &items);
    } else {
        mp_obj_tuple_t *tuple = MP_OBJ_TO_PTR(sequence);
        n = tuple->len;
        items = tuple->items;
    }
    eventbus_cbor_array(w, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        encode_at(w, items[i], depth);
    }
}

static void encode_dict(eventbus_cbor_writer_t *w, mp_obj_t dict, unsigned depth) {
    const mp_map_t *map = mp_obj_dict_get_map(dict);
    eventbus_cbor_map(w, (uint32_t)map->used);
    for (size_t i = 0; i < map->alloc; i++) {
        if (!mp_map_slot_is_filled(map, i)) {
            continue;
        }
        mp_obj_t key = map->table[i].key;
        if (!mp_obj_is_str(key)) {
            mempool_raise_type(MP_ERROR_TEXT("keys of an event must be str, not %s"), key);
        }
        encode_text(w, key);
        encode_at(w, map->table[i].value, depth);
    }
}

// `depth`: containers that this value is within.
static void encode_at(eventbus_cbor_writer_t *w, mp_obj_t value, unsigned depth) {
    bool list = mp_obj_is_exact_type(value, &mp_type_list) || is_tuple(value);
    bool dict = mp_obj_is_dict_or_ordereddict(value);
    if ((list || dict) && depth >= EVENTBUS_CBOR_DEPTH) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("event nested deeper than %d containers"),
            (int)EVENTBUS_CBOR_DEPTH);
    }
    if (value == mp_const_none) {
        eventbus_cbor_null(w);
    } else if (mp_obj_is_bool(value)) {
        eventbus_cbor_bool(w, value == mp_const_true);
    } else if (mp_obj_is_small_int(value)) {
        eventbus_cbor_int(w, MP_OBJ_SMALL_INT_VALUE(value));
#if MICROPY_LONGINT_IMPL != MICROPY_LONGINT_IMPL_NONE
    } else if (mp_obj_is_exact_type(value, &mp_type_int)) {
        encode_long(w, value);
#endif
    } else if (mp_obj_is_str(value)) {
        encode_text(w, value);
#if MICROPY_PY_BUILTINS_FLOAT
    } else if (mp_obj_is_float(value)) {
        encode_float(w, mp_obj_float_get(value));
#endif
    } else if (mp_obj_is_exact_type(value, &mp_type_bytes) || mp_obj_is_exact_type(value, &mp_type_bytearray)) {
        mp_buffer_info_t buffer;
        mp_get_buffer_raise(value, &buffer, MP_BUFFER_READ);
        eventbus_cbor_bytes(w, buffer.buf, (uint32_t)buffer.len);
    } else if (list) {
        encode_items(w, value, depth + 1);
    } else if (dict) {
        encode_dict(w, value, depth + 1);
    } else {
        mempool_raise_type(MP_ERROR_TEXT("an event cannot carry %s"), value);
    }
}

void eventbus_encode(eventbus_cbor_writer_t *w, mp_obj_t value) {
    encode_at(w, value, 0);
}

bool eventbus_is_field(mp_obj_t key) {
    return key != MP_OBJ_NEW_QSTR(MP_QSTR_topic) && key != MP_OBJ_NEW_QSTR(MP_QSTR_data) && key != MP_OBJ_NEW_QSTR(MP_QSTR_priority);
}

void eventbus_encode_fields(eventbus_cbor_writer_t *w, const mp_map_t *fields, size_t n_fields) {
    eventbus_cbor_map(w, (uint32_t)n_fields);
    for (size_t i = 0; i < fields->alloc; i++) {
        if (mp_map_slot_is_filled(fields, i) && eventbus_is_field(fields->table[i].key)) {
            encode_text(w, fields->table[i].key);
            encode_at(w, fields->table[i].value, 1);
        }
    }
}

#endif // CONFIG_MEMORY_POOL_ENABLE
