// block_sequence.h - the slots of the type Block that make it and its views a sequence of bytes.

#ifndef MEMPOOL_BLOCK_SEQUENCE_H
#define MEMPOOL_BLOCK_SEQUENCE_H

#include "mempool_mpy.h"

// From 1.26 on, b[1:2] = x needs no slice object on the GC heap where the type allows it.
#ifdef MP_TYPE_FLAG_SUBSCR_ALLOWS_STACK_SLICE
#define MEMPOOL_SEQUENCE_FLAGS \
    (MP_TYPE_FLAG_EQ_CHECKS_OTHER_TYPE | MP_TYPE_FLAG_ITER_IS_GETITER | MP_TYPE_FLAG_SUBSCR_ALLOWS_STACK_SLICE)
#else
#define MEMPOOL_SEQUENCE_FLAGS (MP_TYPE_FLAG_EQ_CHECKS_OTHER_TYPE | MP_TYPE_FLAG_ITER_IS_GETITER)
#endif

mp_obj_t mempool_sequence_unary_op(mp_unary_op_t op, mp_obj_t self_in);
mp_obj_t mempool_sequence_binary_op(mp_binary_op_t op, mp_obj_t self_in, mp_obj_t other);
mp_obj_t mempool_sequence_subscr(mp_obj_t self_in, mp_obj_t index_in, mp_obj_t value);
mp_int_t mempool_sequence_get_buffer(mp_obj_t self_in, mp_buffer_info_t *buffer, mp_uint_t flags);

// Narrows what stands behind a view's Block to the view's own part.
void mempool_view_clip(const mempool_block_obj_t *view, mempool_block_t *block);

#endif // MEMPOOL_BLOCK_SEQUENCE_H
