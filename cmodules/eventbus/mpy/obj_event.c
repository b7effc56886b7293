// Event: what a subscriber gets. The object is reused; it shows the event that is delivered now, or none. keep() makes another
// that holds a reference of its own, and is freed as a Block is.

#include "eventbus_mpy.h" // first

#include "py/mphal.h"
#include "py/smallint.h"

#if CONFIG_MEMORY_POOL_ENABLE

eventbus_event_obj_t *eventbus_event_new(bool kept) {
    eventbus_event_obj_t *self = mp_obj_malloc_with_finaliser(eventbus_event_obj_t, &eventbus_type_Event);
    self->handle = 0;
    self->kept = kept;
    self->listener = NULL;
    return self;
}

mempool_handle_t eventbus_event_swap(eventbus_event_obj_t *self, mempool_handle_t handle) {
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION();
    mempool_handle_t was = self->handle;
    self->handle = handle;
    MICROPY_END_ATOMIC_SECTION(state);
    (void)state;
    return was;
}

void eventbus_raise_over(void) {
    mp_raise_ValueError(MP_ERROR_TEXT("event is over: event.keep() outlives its callback"));
}

static bool look(eventbus_event_obj_t *self, eventbus_item_t *item) {
    return eventbus_look(self->handle, item);
}

static void use(mp_obj_t self_in, eventbus_item_t *item) {
    if (!look(MP_OBJ_TO_PTR(self_in), item)) {
        eventbus_raise_over();
    }
}

// ---- Fields --------------------------------------------------------------------------------------------

// The value of a field, or MP_OBJ_NULL.
static mp_obj_t field(mp_obj_t self_in, mp_obj_t key) {
    eventbus_item_t item;
    use(self_in, &item);
    if (item.header->flags & EVENTBUS_RAW) {
        mp_raise_TypeError(MP_ERROR_TEXT("event has no fields: read event.raw"));
    }
    if (!mp_obj_is_str(key)) {
        mempool_raise_type(MP_ERROR_TEXT("keys of an event are str, not %s"), key);
    }
    eventbus_cbor_item_t head;
    const uint8_t *end = item.data + item.header->length;
    if (eventbus_cbor_read(item.data, end, &head) == NULL || head.kind != EVENTBUS_CBOR_MAP) {
        mp_raise_TypeError(MP_ERROR_TEXT("event has no fields: read event.data"));
    }
    size_t length;
    const char *name = mp_obj_str_get_data(key, &length);
    const uint8_t *at = eventbus_cbor_find(item.data, item.header->length, name, length);
    return at == NULL ? MP_OBJ_NULL : eventbus_decode(at, end, &at);
}

static mp_obj_t eventbus_Event_subscr(mp_obj_t self_in, mp_obj_t key, mp_obj_t value) {
    if (value != MP_OBJ_SENTINEL) {
        return MP_OBJ_NULL; // events are read
    }
    mp_obj_t found = field(self_in, key);
    if (found == MP_OBJ_NULL) {
        mp_raise_type_arg(&mp_type_KeyError, key);
    }
    return found;
}

static mp_obj_t eventbus_Event_binary_op(mp_binary_op_t op, mp_obj_t self_in, mp_obj_t other) {
    return op == MP_BINARY_OP_CONTAINS ? mp_obj_new_bool(field(self_in, other) != MP_OBJ_NULL) : MP_OBJ_NULL;
}

// get(key, default=None)
static mp_obj_t eventbus_Event_get(size_t n_args, const mp_obj_t *args) {
    mp_obj_t found = field(args[0], args[1]);
    return found != MP_OBJ_NULL ? found : n_args > 2 ? args[2]
                                                     : mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(eventbus_Event_get_obj, 2, 3, eventbus_Event_get);

// keys() -> list
static mp_obj_t eventbus_Event_keys(mp_obj_t self_in) {
    eventbus_item_t item;
    use(self_in, &item);
    eventbus_cbor_item_t head;
    const uint8_t *end = item.data + item.header->length;
    const uint8_t *at = item.header->flags & EVENTBUS_RAW ? NULL : eventbus_cbor_read(item.data, end, &head);
    if (at == NULL || head.kind != EVENTBUS_CBOR_MAP) {
        mp_raise_TypeError(MP_ERROR_TEXT("event has no fields"));
    }
    mp_obj_t list = mp_obj_new_list(0, NULL);
    for (uint64_t i = 0; i < head.value && at != NULL; i++) {
        mp_obj_list_append(list, eventbus_decode(at, end, &at));
        at = eventbus_cbor_skip(at, end);
    }
    return list;
}
static MP_DEFINE_CONST_FUN_OBJ_1(eventbus_Event_keys_obj, eventbus_Event_keys);

static mp_obj_t get_data(const eventbus_item_t *item) {
    const uint8_t *next;
    return item->header->flags & EVENTBUS_RAW
               ? mp_obj_new_bytes(item->data, item->header->length)
               : eventbus_decode(item->data, item->data + item->header->length, &next);
}

// ---- Life ----------------------------------------------------------------------------------------------

// keep() -> an Event that outlives this one
static mp_obj_t eventbus_Event_keep(mp_obj_t self_in) {
    eventbus_event_obj_t *self = MP_OBJ_TO_PTR(self_in);
    eventbus_event_obj_t *kept = eventbus_event_new(true); // first: no MemoryError can lose the reference
    mempool_handle_t handle = self->handle;
    if (!eventbus_keep(handle)) {
        eventbus_raise_over();
    }
    kept->handle = handle;
    return MP_OBJ_FROM_PTR(kept);
}
static MP_DEFINE_CONST_FUN_OBJ_1(eventbus_Event_keep_obj, eventbus_Event_keep);

static void let_go(eventbus_event_obj_t *self) {
    mempool_handle_t handle = eventbus_event_swap(self, 0);
    if (handle != 0) {
        eventbus_release(handle);
    }
}

static mp_obj_t eventbus_Event_free(mp_obj_t self_in) {
    eventbus_event_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (!self->kept) {
        mp_raise_ValueError(MP_ERROR_TEXT("only what event.keep() returned is freed"));
    }
    let_go(self);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(eventbus_Event_free_obj, eventbus_Event_free);

static mp_obj_t eventbus_Event___enter__(mp_obj_t self_in) {
    eventbus_item_t item;
    use(self_in, &item);
    return self_in;
}
static MP_DEFINE_CONST_FUN_OBJ_1(eventbus_Event___enter___obj, eventbus_Event___enter__);

static mp_obj_t eventbus_Event___exit__(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    return eventbus_Event_free(args[0]);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(eventbus_Event___exit___obj, 4, 4, eventbus_Event___exit__);

// The safety net. What a reused Event shows is its bus's or listener's to release.
static mp_obj_t eventbus_Event___del__(mp_obj_t self_in) {
    eventbus_event_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->kept) {
        let_go(self);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(eventbus_Event___del___obj, eventbus_Event___del__);

// ---- What it says of itself ----------------------------------------------------------------------------

static mp_obj_t topic_str(const eventbus_item_t *item) {
    size_t length;
    const char *name = eventbus_topic_name(item->header->topic, &length);
    return mp_obj_new_str(name, length);
}

static void eventbus_Event_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    eventbus_item_t item;
    if (!look(MP_OBJ_TO_PTR(self_in), &item)) {
        mp_print_str(print, "<Event, over>");
        return;
    }
    size_t length;
    const char *name = eventbus_topic_name(item.header->topic, &length);
    mp_printf(print, "<Event %.*s #%u, %u bytes>", (int)length, name, (unsigned)item.header->seq,
        (unsigned)item.header->length);
}

static void eventbus_Event_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    if (dest[0] != MP_OBJ_NULL) {
        return; // nothing can be stored
    }
    eventbus_item_t item;
    switch (attr) {
        case MP_QSTR_topic:
            use(self_in, &item);
            dest[0] = topic_str(&item);
            break;
        case MP_QSTR_priority:
            use(self_in, &item);
            dest[0] = MP_OBJ_NEW_SMALL_INT(item.header->priority);
            break;
        case MP_QSTR_time_ms:
            use(self_in, &item);
            // As time.ticks_ms() gives it, so that ticks_diff() works with it.
            dest[0] = MP_OBJ_NEW_SMALL_INT(item.header->time_ms & (MICROPY_PY_TIME_TICKS_PERIOD - 1));
            break;
        case MP_QSTR_seq:
            use(self_in, &item);
            dest[0] = mp_obj_new_int_from_uint(item.header->seq);
            break;
        case MP_QSTR_data:
            use(self_in, &item);
            dest[0] = get_data(&item);
            break;
        case MP_QSTR_raw:
            use(self_in, &item);
            dest[0] = eventbus_raw_new(MP_OBJ_TO_PTR(self_in), &item);
            break;
        default:
            dest[1] = MP_OBJ_SENTINEL; // a method
    }
}

static const mp_rom_map_elem_t eventbus_Event_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_get), MP_ROM_PTR(&eventbus_Event_get_obj) },
    { MP_ROM_QSTR(MP_QSTR_keys), MP_ROM_PTR(&eventbus_Event_keys_obj) },
    { MP_ROM_QSTR(MP_QSTR_keep), MP_ROM_PTR(&eventbus_Event_keep_obj) },
    { MP_ROM_QSTR(MP_QSTR_free), MP_ROM_PTR(&eventbus_Event_free_obj) },
    { MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&eventbus_Event___enter___obj) },
    { MP_ROM_QSTR(MP_QSTR___exit__), MP_ROM_PTR(&eventbus_Event___exit___obj) },
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&eventbus_Event___del___obj) },
};
static MP_DEFINE_CONST_DICT(eventbus_Event_locals, eventbus_Event_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(eventbus_type_Event, MP_QSTR_Event, MP_TYPE_FLAG_NONE, print, eventbus_Event_print, attr,
    eventbus_Event_attr, binary_op, eventbus_Event_binary_op, subscr, eventbus_Event_subscr, locals_dict,
    &eventbus_Event_locals);

#endif // CONFIG_MEMORY_POOL_ENABLE
