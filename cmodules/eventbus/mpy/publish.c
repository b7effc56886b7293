// publish: its arguments, the payload straight into a block, and the hand-over of a Block that Python filled.

#include "eventbus_mpy.h" // first

#include "py/mpthread.h"

#if CONFIG_MEMORY_POOL_ENABLE

bool eventbus_in_vm(void) {
#if MICROPY_PY_THREAD && !MICROPY_PY_THREAD_GIL
    return mp_thread_is_main_thread();
#else
    return true;
#endif
}

typedef struct {
    mp_obj_t topic;
    mp_obj_t data; // None: none
    unsigned priority;
    const mp_map_t *kw;
    size_t n_fields;
} message_t;

// MicroPython lets `f(a=1, **{"a": 2})` through to C.
static void check_once(const mp_map_t *kw_args, size_t at) {
    for (size_t i = 0; i < at; i++) {
        if (kw_args->table[i].key == kw_args->table[at].key) {
            mp_raise_msg_varg(&mp_type_TypeError, MP_ERROR_TEXT("argument %q twice"),
                MP_OBJ_QSTR_VALUE(kw_args->table[at].key));
        }
    }
}

static void parse(message_t *message, size_t n_args, const mp_obj_t *args, const mp_map_t *kw_args) {
    static const qstr names[] = { MP_QSTR_topic, MP_QSTR_data, MP_QSTR_priority };
    mp_obj_t values[] = { MP_OBJ_NULL, mp_const_none, MP_OBJ_NEW_SMALL_INT(EVENTBUS_NORMAL) };
    mp_arg_check_num(n_args, 0, 1, 1 + MP_ARRAY_SIZE(values), false);
    memcpy(values, args + 1, (n_args - 1) * sizeof(values[0]));
    message->kw = kw_args;
    message->n_fields = 0;
    for (size_t i = 0; i < kw_args->alloc; i++) {
        if (!mp_map_slot_is_filled(kw_args, i)) {
            continue;
        }
        check_once(kw_args, i);
        if (eventbus_is_field(kw_args->table[i].key)) {
            message->n_fields++;
            continue;
        }
        size_t which = 0;
        while (kw_args->table[i].key != MP_OBJ_NEW_QSTR(names[which])) {
            which++;
        }
        if (which + 1 < n_args) {
            mp_raise_msg_varg(&mp_type_TypeError, MP_ERROR_TEXT("argument %q twice (a field of that name goes in a dict)"),
                names[which]);
        }
        values[which] = kw_args->table[i].value;
    }
    if (values[0] == MP_OBJ_NULL) {
        mp_raise_TypeError(MP_ERROR_TEXT("topic missing"));
    }
    if (!mp_obj_is_str(values[0])) {
        mempool_raise_type(MP_ERROR_TEXT("topic must be str, not %s"), values[0]);
    }
    message->topic = values[0];
    message->data = values[1];
    message->priority = (unsigned)mempool_get_between(values[2], MP_QSTR_priority, EVENTBUS_CRITICAL, EVENTBUS_LOW);
    if (message->n_fields != 0 && message->data != mp_const_none) {
        mp_raise_TypeError(MP_ERROR_TEXT("data or fields, not both"));
    }
}

static void encode(eventbus_cbor_writer_t *w, const message_t *message) {
    if (message->n_fields != 0) {
        eventbus_encode_fields(w, message->kw, message->n_fields);
    } else {
        eventbus_encode(w, message->data);
    }
}

static EVENTBUS_MPY_NORETURN void raise_size(uint32_t length) {
    mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("payload of %u bytes: an event has room for %u"),
        (unsigned)length, (unsigned)EVENTBUS_MAX_PAYLOAD);
}

static bool send(eventbus_obj_t *self, unsigned topic, const message_t *message, uint32_t length) {
    if (eventbus_is_wanted(self->core, topic) == 0) {
        eventbus_count_unwanted(self->core);
        return true;
    }
    mempool_handle_t handle = eventbus_take(length, message->priority);
    if (handle <= 0) {
        eventbus_refuse(self->core, EVENTBUS_E_EXHAUSTED);
        return false;
    }
    eventbus_cbor_writer_t w = { mempool_data(handle), length, 0 };
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        mempool_give(handle); // another thread changed the payload into one that cannot be sent
        nlr_jump(nlr.ret_val);
    }
    encode(&w, message);
    nlr_pop();
    if (w.length != length) {
        mempool_give(handle);
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("payload changed while it was published"));
    }
    if (eventbus_send(self->core, topic, message->priority, handle, length, 0, eventbus_in_vm()) != EVENTBUS_OK) {
        mempool_give(handle);
        return false;
    }
    return true;
}

static bool has_room(mempool_handle_t handle, mempool_block_t *block) {
    return handle > 0 && mempool_inspect(handle, block) == MEMPOOL_OK && block->pool != MEMPOOL_HEAP && block->capacity - block->size >= EVENTBUS_HEADER;
}

static EVENTBUS_MPY_NORETURN void raise_no_room(void) {
    mp_raise_msg_varg(&mp_type_ValueError,
        MP_ERROR_TEXT("block has no room for an event's %u bytes: bus.block(size) has"),
        (unsigned)EVENTBUS_HEADER);
}

// Hands a Block over. Where the event is not queued it is put back: nothing is lost.
static bool send_block(eventbus_obj_t *self, unsigned topic, const message_t *message) {
    mempool_handle_t handle = mempool_block_take_out(message->data);
    mempool_block_t block;
    bool room = has_room(handle, &block); // again: a filter, or another thread, may have filled it anew
    if (room && mempool_adopt(handle, 0) == MEMPOOL_OK && eventbus_send(self->core, topic, message->priority, handle, block.size, EVENTBUS_RAW, eventbus_in_vm()) == EVENTBUS_OK) {
        return true;
    }
    mempool_adopt(handle, MEMPOOL_PYTHON);
    mempool_block_put_back(message->data, handle);
    if (!room) {
        raise_no_room();
    }
    return false;
}

static void check_room(const message_t *message) {
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(message->data, &buffer, MP_BUFFER_READ);
    mempool_block_t block;
    if (!has_room(mempool_handle_of(buffer.buf), &block)) {
        raise_no_room();
    }
}

static bool is_filtered(eventbus_obj_t *self, const message_t *message) {
    mp_obj_t filter = self->filter;
    if (filter == mp_const_none || mp_obj_is_true(mp_call_function_2(filter, message->topic, MP_OBJ_NEW_SMALL_INT(message->priority)))) {
        return false;
    }
    eventbus_count_filtered(self->core);
    return true;
}

// publish(topic, data=None, priority=NORMAL, **fields) -> bool
static mp_obj_t eventbus_EventBus_publish(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    eventbus_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    message_t message;
    parse(&message, n_args, args, kw_args);
    size_t topic_length;
    const char *topic = mp_obj_str_get_data(message.topic, &topic_length);
    if (eventbus_check_topic(topic, topic_length) != EVENTBUS_OK) {
        mp_raise_msg_varg(&mp_type_ValueError,
            MP_ERROR_TEXT("topic must be 1..%d bytes of levels joined by dots, without *, not '%s'"),
            (int)EVENTBUS_MAX_TOPIC, topic);
    }
    bool is_block = mempool_is_block(message.data);
    eventbus_cbor_writer_t measure = { 0 };
    if (is_block) {
        check_room(&message);
    } else {
        encode(&measure, &message);
        if (measure.length > EVENTBUS_MAX_PAYLOAD) {
            raise_size(measure.length);
        }
    }
    if (is_filtered(self, &message)) {
        return mp_const_false;
    }
    int number = eventbus_intern(self->core, topic, topic_length, false);
    if (number < 0) {
        eventbus_refuse(self->core, number);
        return mp_const_false;
    }
    bool sent = is_block ? send_block(self, (unsigned)number, &message) : send(self, (unsigned)number, &message, measure.length);
    return mp_obj_new_bool(sent);
}
MP_DEFINE_CONST_FUN_OBJ_KW(eventbus_EventBus_publish_obj, 1, eventbus_EventBus_publish);

// block(size) -> Block with room for the header of an event
static mp_obj_t eventbus_EventBus_block(mp_obj_t self_in, mp_obj_t size) {
    (void)self_in;
    return mempool_block_make((uint32_t)mempool_get_between(size, MP_QSTR_size, 1, EVENTBUS_MAX_PAYLOAD), EVENTBUS_HEADER);
}
MP_DEFINE_CONST_FUN_OBJ_2(eventbus_EventBus_block_obj, eventbus_EventBus_block);

#endif // CONFIG_MEMORY_POOL_ENABLE
