// Blocks and views as sequences of bytes: length, index, slices, ==, in, iteration and the buffer protocol.
//
// A view is a window on a Block: it keeps its Block alive, and is good as long as the Block holds what it held
// when the view was cut. A view of a view is a view of the same Block.
//
// MicroPython's buffer protocol has no release hook. Who keeps the pointer for later (memoryview, RingIO and
// drivers) asks for MP_BUFFER_RW, which is refused: so a memoryview of a block cannot be written to, and what
// cannot live without writing does not get it. Who uses the pointer at once asks for READ (write, send,
// struct.unpack_from, uctypes.addressof) or for WRITE (readinto, recv_into, struct.pack_into), which are given.

#include <string.h>

#include "py/binary.h"
#include "py/objstr.h"

#include "block_sequence.h"

#if CONFIG_MEMORY_POOL_ENABLE

typedef struct {
    mempool_block_obj_t head; // handle: what the Block held; parent: the Block
    uint32_t offset;
    uint32_t length;
} view_obj_t;

void mempool_view_clip(const mempool_block_obj_t *head, mempool_block_t *block) {
    const view_obj_t *view = (const view_obj_t *)head;
    block->data = (uint8_t *)block->data + view->offset;
    block->size = view->length;
}

// The bytes, or ValueError.
static uint8_t *use(mp_obj_t self_in, size_t *length) {
    mempool_block_t block;
    if (!mempool_block_look(MP_OBJ_TO_PTR(self_in), &block)) {
        mempool_raise_freed();
    }
    *length = block.size;
    return block.data;
}

mp_int_t mempool_sequence_get_buffer(mp_obj_t self_in, mp_buffer_info_t *buffer, mp_uint_t flags) {
    if ((flags & MP_BUFFER_RW) == MP_BUFFER_RW) {
        return 1;
    }
    buffer->buf = use(self_in, &buffer->len);
    buffer->typecode = BYTEARRAY_TYPECODE;
    return 0;
}

// ---- Operators -----------------------------------------------------------------------------------------

mp_obj_t mempool_sequence_unary_op(mp_unary_op_t op, mp_obj_t self_in) {
    mempool_block_t block;
    switch (op) {
        case MP_UNARY_OP_BOOL: // asks whether there is anything, so it never raises
            return mp_obj_new_bool(mempool_block_look(MP_OBJ_TO_PTR(self_in), &block) && block.size > 0);
        case MP_UNARY_OP_LEN: {
            size_t length;
            use(self_in, &length);
            return MP_OBJ_NEW_SMALL_INT(length);
        }
        default:
            return MP_OBJ_NULL; // as bytearray: its content changes, so it has no hash
    }
}

mp_obj_t mempool_bytes_binary_op(mp_binary_op_t op, mp_obj_t self_in, mp_obj_t other, mempool_use_t use_self) {
    if (op != MP_BINARY_OP_EQUAL && op != MP_BINARY_OP_CONTAINS) {
        return MP_OBJ_NULL;
    }
    // A str has a buffer, too, but it is text.
    mp_buffer_info_t buffer;
    bool bytes = !mp_obj_is_str(other) && mp_get_buffer(other, &buffer, MP_BUFFER_READ);
    if (op == MP_BINARY_OP_EQUAL && !bytes) {
        return mp_const_false; // of a freed Block too: a list that holds one can be searched
    }
    size_t length;
    const uint8_t *data = use_self(self_in, &length);
    if (op == MP_BINARY_OP_EQUAL) {
        return mp_obj_new_bool(buffer.len == length && memcmp(data, buffer.buf, length) == 0);
    }
    if (bytes) {
        return mp_obj_new_bool(find_subbytes(data, length, buffer.buf, buffer.len, 1) != NULL);
    }
    if (mp_obj_is_int(other)) {
        int32_t value = mempool_get_clamped(other, MP_QSTR_value);
        return mp_obj_new_bool(value >= 0 && value <= 255 && memchr(data, value, length) != NULL);
    }
    mempool_raise_type(MP_ERROR_TEXT("a block has bytes in it, not %s"), other);
}

mp_obj_t mempool_sequence_binary_op(mp_binary_op_t op, mp_obj_t self_in, mp_obj_t other) {
    return mempool_bytes_binary_op(op, self_in, other, use);
}

// ---- Index and slices ----------------------------------------------------------------------------------

static mp_bound_slice_t get_slice(mp_obj_t slice_in, size_t length) {
    mp_bound_slice_t slice;
    if (!mp_seq_get_fast_slice_indexes(length, slice_in, &slice)) {
        mp_raise_NotImplementedError(MP_ERROR_TEXT("only slices with step 1"));
    }
    return slice;
}

static void get_filling(mp_obj_t value, size_t room, mp_buffer_info_t *buffer) {
    mp_get_buffer_raise(value, buffer, MP_BUFFER_READ);
    if (buffer->len != room) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("slice of %d bytes cannot take %d"), (int)room,
            (int)buffer->len);
    }
}

mp_obj_t mempool_bytes_subscr(mp_obj_t self_in, mp_obj_t index_in, mp_obj_t value, const mempool_bytes_t *bytes) {
    if (value == MP_OBJ_NULL || (value != MP_OBJ_SENTINEL && bytes->store == NULL)) {
        return MP_OBJ_NULL; // nothing can be deleted, and not everything written to
    }
    size_t length;
    if (mp_obj_is_type(index_in, &mp_type_slice)) {
        bytes->use(self_in, &length);
        mp_bound_slice_t slice = get_slice(index_in, length);
        size_t room = (size_t)(slice.stop - slice.start);
        if (value == MP_OBJ_SENTINEL) {
            return bytes->view(self_in, (size_t)slice.start, room);
        }
        mp_buffer_info_t buffer;
        get_filling(value, room, &buffer);
        bytes->store(self_in, (size_t)slice.start, buffer.buf, room);
        return mp_const_none;
    }
    uint8_t byte = value == MP_OBJ_SENTINEL ? 0 : (uint8_t)mempool_get_between(value, MP_QSTR_value, 0, 255);
    bytes->use(self_in, &length);
    size_t index = mp_get_index(mp_obj_get_type(self_in), length, index_in, false);
    if (value != MP_OBJ_SENTINEL) {
        bytes->store(self_in, index, &byte, 1);
        return mp_const_none;
    }
    const uint8_t *data = bytes->use(self_in, &length);
    if (index >= length) {
        mempool_raise_freed();
    }
    return MP_OBJ_NEW_SMALL_INT(data[index]);
}

// The place of `length` bytes at `start`: they were within the Block when its length was asked for, and it may have been freed
// meanwhile, and filled anew.
static uint8_t *place_of(mp_obj_t self_in, size_t start, size_t length) {
    size_t now;
    uint8_t *data = use(self_in, &now);
    if (start + length > now) {
        mempool_raise_freed();
    }
    return data + start;
}

static mp_obj_t view_new(mp_obj_t self_in, size_t start, size_t length) {
    mempool_block_obj_t *self = MP_OBJ_TO_PTR(self_in);
    view_obj_t *view = mp_obj_malloc(view_obj_t, &mempool_type_Block);
    view->head.parent = self->parent == NULL ? self : self->parent;
    view->head.handle = self->handle;
    view->head.epoch = mempool_epoch;
    place_of(self_in, start, length); // behind the handle: of another Block than the one that was sliced it may be less
    view->offset = (uint32_t)start + (self->parent == NULL ? 0 : ((view_obj_t *)self)->offset);
    view->length = (uint32_t)length;
    return MP_OBJ_FROM_PTR(view);
}

static void store(mp_obj_t self_in, size_t start, const void *from, size_t length) {
    memmove(place_of(self_in, start, length), from, length); // it may be a view of the same Block
}

mp_obj_t mempool_sequence_subscr(mp_obj_t self_in, mp_obj_t index_in, mp_obj_t value) {
    static const mempool_bytes_t bytes = { use, view_new, store };
    return mempool_bytes_subscr(self_in, index_in, value, &bytes);
}

// ---- Iteration -----------------------------------------------------------------------------------------

typedef struct {
    mp_obj_base_t base;
    mp_fun_1_t iternext;
    mp_obj_t sequence;
    size_t index;
} iterator_obj_t;

static mp_obj_t iterator_next(mp_obj_t self_in) {
    iterator_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->index >= (size_t)MP_OBJ_SMALL_INT_VALUE(mp_obj_len(self->sequence))) {
        return MP_OBJ_STOP_ITERATION;
    }
    return mp_obj_subscr(self->sequence, MP_OBJ_NEW_SMALL_INT(self->index++), MP_OBJ_SENTINEL);
}

mp_obj_t mempool_bytes_getiter(mp_obj_t self_in, mp_obj_iter_buf_t *iter_buf) {
    MP_STATIC_ASSERT(sizeof(iterator_obj_t) <= sizeof(mp_obj_iter_buf_t));
    iterator_obj_t *iterator = (iterator_obj_t *)iter_buf;
    *iterator = (iterator_obj_t){ { &mp_type_polymorph_iter }, iterator_next, self_in, 0 };
    return MP_OBJ_FROM_PTR(iterator);
}

#endif // CONFIG_MEMORY_POOL_ENABLE
