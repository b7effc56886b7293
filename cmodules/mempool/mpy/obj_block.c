// Block: a block of a pool as a Python object. Every use asks the core whether the handle is still good.
//
// On a 32-bit machine a Block is 16 bytes: one block of the GC heap. Address and size are not kept in it, they
// come with the answer of the core, so that they belong together even where another thread frees the Block and
// fills it anew meanwhile.
//
// The sequence protocol of blocks and views (index, slice, ==, iteration, buffer) is in block_sequence.c.

#include "py/mphal.h"

#include "block_sequence.h"
#include "mempool_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE

// ---- The handle ----------------------------------------------------------------------------------------

// The one place that changes what a Block holds: of two threads that free, detach or fill it at the same time,
// one succeeds. An atomic section, and no atomic instruction: on ESP32 the Block may be in PSRAM.
static bool block_swap(mempool_block_obj_t *self, mempool_handle_t from, mempool_handle_t to) {
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION();
    bool swapped = self->handle == from;
    if (swapped) {
        self->handle = to;
    }
    MICROPY_END_ATOMIC_SECTION(state);
    (void)state;
    return swapped;
}

static bool handle_look(mempool_handle_t handle, mempool_block_t *block) {
    return handle > 0 && mempool_inspect(handle, block) == MEMPOOL_OK && block->python;
}

mempool_block_obj_t *mempool_block_new(void) {
    mempool_block_obj_t *self = mp_obj_malloc_with_finaliser(mempool_block_obj_t, &mempool_type_Block);
    self->handle = MEMPOOL_BLOCK_EMPTY;
    self->parent = NULL;
    self->epoch = mempool_epoch;
    return self;
}

mempool_block_obj_t *mempool_block_get(mp_obj_t block) {
    if (!mp_obj_is_exact_type(block, &mempool_type_Block)) {
        mempool_raise_type(MP_ERROR_TEXT("block must be a Block, not %s"), block);
    }
    return MP_OBJ_TO_PTR(block);
}

bool mempool_block_look(const mempool_block_obj_t *self, mempool_block_t *block) {
    mempool_handle_t handle = self->handle;
    if (self->parent == NULL) {
        return handle_look(handle, block);
    }
    if (self->parent->handle != handle || !handle_look(handle, block)) {
        return false;
    }
    mempool_view_clip(self, block);
    return true;
}

void mempool_raise_freed(void) {
    mp_raise_ValueError(MP_ERROR_TEXT("block is freed"));
}

static void check_owns(const mempool_block_obj_t *self) {
    if (self->parent != NULL) {
        mp_raise_ValueError(MP_ERROR_TEXT("a view owns no block"));
    }
}

void mempool_block_fill(mempool_block_obj_t *self, const mempool_request_t *request) {
    check_owns(self);
    mempool_handle_t before = self->handle;
    mempool_block_t block;
    if (handle_look(before, &block)) {
        mp_raise_ValueError(MP_ERROR_TEXT("block is not empty"));
    }
    mempool_handle_t handle = mempool_request_take(request);
    mempool_held_claim(handle);
    if (!block_swap(self, before, handle)) {
        // Another thread, or a callback that ran during the wait, filled it meanwhile.
        mempool_held_drop(handle);
        mempool_give_flags(handle, MEMPOOL_PYTHON);
        mp_raise_ValueError(MP_ERROR_TEXT("block is not empty"));
    }
}

// Gives back what a Block holds, if it holds something. flags 0 or MEMPOOL_RECLAIM.
static void release(mempool_block_obj_t *self, uint32_t flags) {
    mempool_handle_t handle = self->handle;
    if (handle <= 0 || !block_swap(self, handle, MEMPOOL_BLOCK_FREED)) {
        return;
    }
    mempool_block_t block;
    if (handle_look(handle, &block)) {
        mempool_held_drop(handle);
    }
    mempool_give_flags(handle, MEMPOOL_PYTHON | flags);
}

mempool_handle_t mempool_block_take_out(mp_obj_t self_in) {
    mempool_block_obj_t *self = MP_OBJ_TO_PTR(self_in);
    check_owns(self);
    mempool_handle_t handle = self->handle;
    mempool_block_t block;
    if (!handle_look(handle, &block) || !block_swap(self, handle, MEMPOOL_BLOCK_EMPTY)) {
        mempool_raise_freed();
    }
    mempool_held_drop(handle);
    return handle;
}

// ---- Methods -------------------------------------------------------------------------------------------

static mp_obj_t mempool_Block_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    (void)args;
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    return MP_OBJ_FROM_PTR(mempool_block_new());
}

static mp_obj_t mempool_Block_free(mp_obj_t self_in) {
    mempool_block_obj_t *self = MP_OBJ_TO_PTR(self_in);
    check_owns(self);
    release(self, 0);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(mempool_Block_free_obj, mempool_Block_free);

static mp_obj_t mempool_Block_detach(mp_obj_t self_in) {
    return MP_OBJ_NEW_SMALL_INT(mempool_block_take_out(self_in));
}
static MP_DEFINE_CONST_FUN_OBJ_1(mempool_Block_detach_obj, mempool_Block_detach);

void mempool_block_put_back(mp_obj_t self_in, mempool_handle_t handle) {
    mempool_block_obj_t *self = MP_OBJ_TO_PTR(self_in);
    check_owns(self);
    mempool_handle_t before = self->handle;
    mempool_block_t block;
    if (handle_look(before, &block)) {
        mp_raise_ValueError(MP_ERROR_TEXT("block is not empty"));
    }
    int status = mempool_inspect(handle, &block);
    if (status != MEMPOOL_OK) {
        mempool_read(handle, 0, NULL, 0); // counts the refusal
    }
    if (status == MEMPOOL_E_STALE) {
        mp_raise_ValueError(MP_ERROR_TEXT("handle is stale"));
    }
    if (status != MEMPOOL_OK || !block.python) {
        mp_raise_ValueError(MP_ERROR_TEXT("handle is foreign"));
    }
    if (!mempool_held_claim(handle)) {
        mp_raise_ValueError(MP_ERROR_TEXT("handle is held by a Block"));
    }
    if (!block_swap(self, before, handle)) {
        mempool_held_drop(handle);
        mp_raise_ValueError(MP_ERROR_TEXT("block is not empty"));
    }
}

static mp_obj_t mempool_Block_attach(mp_obj_t self_in, mp_obj_t handle_in) {
    mempool_block_put_back(self_in, mempool_get_clamped(handle_in, MP_QSTR_handle));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(mempool_Block_attach_obj, mempool_Block_attach);

static mp_obj_t mempool_Block___enter__(mp_obj_t self_in) {
    mempool_block_obj_t *self = MP_OBJ_TO_PTR(self_in);
    check_owns(self);
    mempool_block_t block;
    if (self->handle != MEMPOOL_BLOCK_EMPTY && !mempool_block_look(self, &block)) {
        mempool_raise_freed();
    }
    return self_in;
}
static MP_DEFINE_CONST_FUN_OBJ_1(mempool_Block___enter___obj, mempool_Block___enter__);

static mp_obj_t mempool_Block___exit__(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    return mempool_Block_free(args[0]);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mempool_Block___exit___obj, 4, 4, mempool_Block___exit__);

// The safety net. A Block of an earlier life of the interpreter was dealt with when that life ended.
static mp_obj_t mempool_Block___del__(mp_obj_t self_in) {
    mempool_block_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->parent == NULL && self->epoch == mempool_epoch) {
        release(self, MEMPOOL_RECLAIM);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(mempool_Block___del___obj, mempool_Block___del__);

// ---- For other bindings --------------------------------------------------------------------------------

bool mempool_is_block(mp_obj_t object) {
    return mp_obj_is_exact_type(object, &mempool_type_Block);
}

mp_obj_t mempool_block_make(uint32_t size, uint32_t room) {
    mempool_request_t request = { .size = size, .flags = MEMPOOL_PYTHON | MEMPOOL_SPILL_DEFAULT | MEMPOOL_ROOM(room) };
    mempool_block_obj_t *block = mempool_block_new();
    mempool_block_fill(block, &request);
    return MP_OBJ_FROM_PTR(block);
}

// ---- What it says of itself ----------------------------------------------------------------------------

void mempool_block_print_place(const mp_print_t *print, mempool_handle_t handle, const mempool_block_t *block) {
    const char *name = "HEAP";
    mempool_pool_info_t info;
    if (block->pool < MEMPOOL_POOLS && mempool_pool_info(block->pool, &info) == MEMPOOL_OK) {
        name = info.name;
    }
    // The number is the block's place in its pool.
    mp_printf(print, "%u of %s #%u", (unsigned)block->size, name, (unsigned)handle & 1023u);
}

static void mempool_Block_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    mempool_block_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mempool_handle_t handle = self->handle;
    mempool_block_t block;
    if (self->parent == NULL && handle == MEMPOOL_BLOCK_EMPTY) {
        mp_print_str(print, "<Block empty>");
    } else if (!mempool_block_look(self, &block)) {
        mp_print_str(print, self->parent == NULL ? "<Block freed>" : "<view freed>");
    } else {
        if (self->parent == NULL) {
            mp_print_str(print, "<Block ");
        } else {
            mp_printf(print, "<view %u of Block ", (unsigned)block.size);
            handle_look(handle, &block);
        }
        mempool_block_print_place(print, handle, &block);
        mp_print_str(print, ">");
    }
}

static void mempool_Block_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    if (dest[0] != MP_OBJ_NULL) {
        return; // nothing can be stored
    }
    if (attr != MP_QSTR_capacity && attr != MP_QSTR_pool && attr != MP_QSTR_owner && attr != MP_QSTR_handle) {
        dest[1] = MP_OBJ_SENTINEL; // a method
        return;
    }
    mempool_block_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mempool_handle_t handle = self->handle;
    mempool_block_t block;
    if (!mempool_block_look(self, &block)) {
        mempool_raise_freed();
    }
    if (attr == MP_QSTR_capacity) {
        dest[0] = mp_obj_new_int_from_uint(block.capacity);
    } else if (attr == MP_QSTR_pool) {
        dest[0] = block.pool < MEMPOOL_POOLS ? MEMPOOL_POOL_OBJ(block.pool) : mp_const_none;
    } else if (attr == MP_QSTR_owner) {
        dest[0] = mempool_owner_from(block.owner);
    } else {
        dest[0] = MP_OBJ_NEW_SMALL_INT(handle);
    }
}

static const mp_rom_map_elem_t mempool_Block_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_free), MP_ROM_PTR(&mempool_Block_free_obj) },
    { MP_ROM_QSTR(MP_QSTR_detach), MP_ROM_PTR(&mempool_Block_detach_obj) },
    { MP_ROM_QSTR(MP_QSTR_attach), MP_ROM_PTR(&mempool_Block_attach_obj) },
    { MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&mempool_Block___enter___obj) },
    { MP_ROM_QSTR(MP_QSTR___exit__), MP_ROM_PTR(&mempool_Block___exit___obj) },
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&mempool_Block___del___obj) },
};
static MP_DEFINE_CONST_DICT(mempool_Block_locals, mempool_Block_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(mempool_type_Block, MP_QSTR_Block, MEMPOOL_SEQUENCE_FLAGS, make_new, mempool_Block_make_new,
    print, mempool_Block_print, attr, mempool_Block_attr, unary_op, mempool_sequence_unary_op, binary_op,
    mempool_sequence_binary_op, subscr, mempool_sequence_subscr, iter, mempool_bytes_getiter, buffer,
    mempool_sequence_get_buffer, locals_dict, &mempool_Block_locals);

#endif // CONFIG_MEMORY_POOL_ENABLE
