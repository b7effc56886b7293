// Raw: the payload of an event as bytes that can be read in place. All subscribers share an event's block, so nobody may write
// there: only MP_BUFFER_READ is answered. It is good as long as the Event it comes from shows the same event; each use
// asks.

#include "eventbus_mpy.h" // first

#include "py/binary.h"

#if CONFIG_MEMORY_POOL_ENABLE

typedef struct {
    mp_obj_base_t base;
    mempool_handle_t handle;
    eventbus_event_obj_t *event;
    uint16_t offset;
    uint16_t length;
} raw_obj_t;

static mp_obj_t raw_new(eventbus_event_obj_t *event, mempool_handle_t handle, size_t offset, size_t length) {
    raw_obj_t *self = mp_obj_malloc(raw_obj_t, &eventbus_type_Raw);
    self->handle = handle;
    self->event = event;
    self->offset = (uint16_t)offset;
    self->length = (uint16_t)length;
    return MP_OBJ_FROM_PTR(self);
}

mp_obj_t eventbus_raw_new(eventbus_event_obj_t *event, const eventbus_item_t *item) {
    return raw_new(event, item->handle, 0, item->header->length);
}

static uint8_t *use(mp_obj_t self_in, size_t *length) {
    raw_obj_t *self = MP_OBJ_TO_PTR(self_in);
    eventbus_item_t item;
    if (self->event->handle != self->handle || !eventbus_look(self->handle, &item)) {
        eventbus_raise_over();
    }
    *length = self->length;
    return (uint8_t *)item.data + self->offset;
}

static mp_int_t raw_get_buffer(mp_obj_t self_in, mp_buffer_info_t *buffer, mp_uint_t flags) {
    if (flags & MP_BUFFER_WRITE) {
        return 1;
    }
    buffer->buf = use(self_in, &buffer->len);
    buffer->typecode = BYTEARRAY_TYPECODE;
    return 0;
}

static mp_obj_t raw_unary_op(mp_unary_op_t op, mp_obj_t self_in) {
    size_t length;
    switch (op) {
        case MP_UNARY_OP_BOOL:
        case MP_UNARY_OP_LEN:
            use(self_in, &length);
            return op == MP_UNARY_OP_LEN ? MP_OBJ_NEW_SMALL_INT(length) : mp_obj_new_bool(length != 0);
        default:
            return MP_OBJ_NULL;
    }
}

static mp_obj_t raw_binary_op(mp_binary_op_t op, mp_obj_t self_in, mp_obj_t other) {
    return mempool_bytes_binary_op(op, self_in, other, use);
}

static mp_obj_t view_new(mp_obj_t self_in, size_t start, size_t length) {
    raw_obj_t *self = MP_OBJ_TO_PTR(self_in);
    return raw_new(self->event, self->handle, self->offset + start, length);
}

static mp_obj_t raw_subscr(mp_obj_t self_in, mp_obj_t index_in, mp_obj_t value) {
    static const mempool_bytes_t bytes = { use, view_new, NULL };
    return mempool_bytes_subscr(self_in, index_in, value, &bytes);
}

MP_DEFINE_CONST_OBJ_TYPE(eventbus_type_Raw, MP_QSTR_Raw, MP_TYPE_FLAG_EQ_CHECKS_OTHER_TYPE | MP_TYPE_FLAG_ITER_IS_GETITER,
    unary_op, raw_unary_op, binary_op, raw_binary_op, subscr, raw_subscr, iter, mempool_bytes_getiter, buffer, raw_get_buffer);

#endif // CONFIG_MEMORY_POOL_ENABLE
