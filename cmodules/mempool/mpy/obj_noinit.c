// mempool.noinit: the bytes that a reset leaves alone (core/noinit.c) as a sequence, like a Block that is never freed. A slice is of
// the same type, and writes go through.
//
// Who asks for the buffer to write (readinto, struct.pack_into) writes behind our back: what he wrote is sealed when the VM next
// runs the scheduler, that is, after the call, and at every use of the object. A call that waits may write after that: so where
// bytes were given to write in this life of the interpreter, `valid` seals them anew.

#include "mempool_port.h" // first

#include <string.h>

#include "py/binary.h"
#include "py/objstr.h"

#include "block_sequence.h"

#if CONFIG_MEMORY_POOL_ENABLE && MEMPOOL_NOINIT_BYTES > 0

static mp_sched_node_t node;
static volatile bool lent; // somebody was given the bytes to write, and they are not sealed
static uint32_t lent_in;   // the last life in which somebody was, from 1 on

static void seal_lent(void) {
    if (lent) {
        lent = false;
        mempool_noinit_seal();
    }
}

static bool is_valid(void) {
    lent = lent || lent_in == mempool_epoch + 1u;
    seal_lent();
    return mempool_noinit_valid();
}

static void node_callback(mp_sched_node_t *self) {
    (void)self;
    seal_lent();
}

static uint8_t *use(mp_obj_t self_in, size_t *length) {
    const mempool_noinit_obj_t *self = MP_OBJ_TO_PTR(self_in);
    seal_lent();
    *length = self->length;
    return mempool_noinit_data() + self->offset;
}

static mp_int_t noinit_get_buffer(mp_obj_t self_in, mp_buffer_info_t *buffer, mp_uint_t flags) {
    if ((flags & MP_BUFFER_RW) == MP_BUFFER_RW) {
        return 1; // who keeps it could write whenever he likes: as with a Block
    }
    buffer->buf = use(self_in, &buffer->len);
    buffer->typecode = BYTEARRAY_TYPECODE;
    if ((flags & MP_BUFFER_WRITE) != 0) {
        lent = true;
        lent_in = mempool_epoch + 1u;
        mp_sched_schedule_node(&node, node_callback);
    }
    return 0;
}

static mp_obj_t noinit_unary_op(mp_unary_op_t op, mp_obj_t self_in) {
    const mempool_noinit_obj_t *self = MP_OBJ_TO_PTR(self_in);
    switch (op) {
        case MP_UNARY_OP_BOOL:
            return mp_obj_new_bool(self->length != 0);
        case MP_UNARY_OP_LEN:
            return MP_OBJ_NEW_SMALL_INT(self->length);
        default:
            return MP_OBJ_NULL;
    }
}

static mp_obj_t noinit_binary_op(mp_binary_op_t op, mp_obj_t self_in, mp_obj_t other) {
    return mempool_bytes_binary_op(op, self_in, other, use);
}

static mp_obj_t view_new(mp_obj_t self_in, size_t start, size_t length) {
    const mempool_noinit_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mempool_noinit_obj_t *view = mp_obj_malloc(mempool_noinit_obj_t, self->base.type);
    view->offset = self->offset + (uint32_t)start;
    view->length = (uint32_t)length;
    return MP_OBJ_FROM_PTR(view);
}

static void store(mp_obj_t self_in, size_t start, const void *from, size_t length) {
    const mempool_noinit_obj_t *self = MP_OBJ_TO_PTR(self_in);
    seal_lent();
    mempool_noinit_write(self->offset + (uint32_t)start, from, (uint32_t)length);
}

static mp_obj_t noinit_subscr(mp_obj_t self_in, mp_obj_t index_in, mp_obj_t value) {
    static const mempool_bytes_t bytes = { use, view_new, store };
    return mempool_bytes_subscr(self_in, index_in, value, &bytes);
}

static void noinit_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    const mempool_noinit_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "<noinit %u, %s>", (unsigned)self->length, is_valid() ? "valid" : "not valid");
}

static void noinit_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    (void)self_in;
    if (dest[0] != MP_OBJ_NULL) {
        return; // nothing can be set
    }
    if (attr == MP_QSTR_valid) {
        dest[0] = mp_obj_new_bool(is_valid());
    } else if (attr == MP_QSTR_reset_cause) {
        dest[0] = mp_obj_new_str_from_cstr(mempool_port_reset_cause());
    }
}

static MP_DEFINE_CONST_OBJ_TYPE(noinit_type, MP_QSTR_noinit, MEMPOOL_SEQUENCE_FLAGS, print, noinit_print, unary_op,
    noinit_unary_op, binary_op, noinit_binary_op, attr, noinit_attr, subscr, noinit_subscr, iter, mempool_bytes_getiter, buffer,
    noinit_get_buffer);

const mempool_noinit_obj_t mempool_noinit_obj = { { &noinit_type }, 0, MEMPOOL_NOINIT_BYTES };

#endif // CONFIG_MEMORY_POOL_ENABLE
