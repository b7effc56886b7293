// From Python objects to CBOR: a value or the fields of a publish, written by the core's writer. The same walk measures first
// and writes then, so that the block has the right size and what cannot be sent is refused before a block is taken.

#include "eventbus_mpy.h" // first

#include "py/objint.h"
#include "py/objstr.h"
#include "py/objtuple.h"

#if CONFIG_MEMORY_POOL_ENABLE

static EVENTBUS_MPY_NORETURN void raise_int(void) {
    mp_raise_ValueError(MP_ERROR_TEXT("int of an event must fit in 64 bits"));
}

#if MICROPY_LONGINT_IMPL == MICROPY_LONGINT_IMPL_MPZ

static void encode_long(eventbus_cbor_writer_t *w, mp_obj_t value) {
    const mpz_t *z = &((mp_obj_int_t *)MP_OBJ_TO_PTR(value))->mpz;
    uint64_t magnitude = 0;
    for (size_t i = z->len; i-- > 0;) {
        if (magnitude >> (64 - MPZ_DIG_SIZE) != 0) {
            // One number more fits: -2^64 is -1 - (2^64 - 1).
            bool least = z->neg && i == 0 && z->dig[0] == 0 && magnitude == (uint64_t)1 << (64 - MPZ_DIG_SIZE);
            for (size_t k = 0; least && k + 1 < z->len; k++) {
                least = z->dig[k] == 0;
            }
            if (!least) {
                raise_int();
            }
        }
        magnitude = magnitude << MPZ_DIG_SIZE | z->dig[i];
    }
    if (z->neg) {
        eventbus_cbor_negative(w, magnitude - 1);
    } else {
        eventbus_cbor_uint(w, magnitude);
    }
}

#elif MICROPY_LONGINT_IMPL == MICROPY_LONGINT_IMPL_LONGLONG

static void encode_long(eventbus_cbor_writer_t *w, mp_obj_t value) {
    eventbus_cbor_int(w, ((mp_obj_int_t *)MP_OBJ_TO_PTR(value))->val);
}

#else

static void encode_long(eventbus_cbor_writer_t *w, mp_obj_t value) {
    (void)w;
    (void)value;
    raise_int();
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
    return MP_OBJ_TYPE_GET_SLOT_OR_NULL(mp_obj_get_type(value), iter) == mp_obj_tuple_getiter;
}

static void encode_items(eventbus_cbor_writer_t *w, mp_obj_t sequence, unsigned depth) {
    size_t n;
    mp_obj_t *items;
    if (mp_obj_is_exact_type(sequence, &mp_type_list)) {
        mp_obj_list_get(sequence, &n, &items);
    } else {
        mp_obj_tuple_get(sequence, &n, &items);
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
            mp_raise_msg_varg(&mp_type_TypeError, MP_ERROR_TEXT("keys of an event must be str, not %s"),
                mp_obj_get_type_str(key));
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
    } else if (mp_obj_is_exact_type(value, &mp_type_int)) {
        encode_long(w, value);
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
        mp_raise_msg_varg(&mp_type_TypeError, MP_ERROR_TEXT("an event cannot carry %s"), mp_obj_get_type_str(value));
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
