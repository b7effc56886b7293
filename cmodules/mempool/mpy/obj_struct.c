// Struct(layout): a factory of uctypes structs that live each in a block of its own.
//
// A struct is a Block and a uctypes.struct over its bytes. Every access by name asks first whether the Block still
// holds them. What uctypes hands out by address (arrays, nested structs) it hands out for good: such an aggregate
// is as unguarded as everywhere in MicroPython, and must not be used after the struct is freed.
//
// The layout is copied: it decides the size of the block, so it must not grow afterwards.

#include <string.h>

#include "py/cstack.h"
#include "py/objtuple.h"

#include "block_sequence.h"
#include "mempool_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE && MICROPY_PY_UCTYPES

extern const mp_obj_module_t mp_module_uctypes;

typedef struct {
    mp_obj_base_t base;
    mp_obj_t layout;      // dict
    mp_obj_t layout_type; // uctypes.NATIVE ...
    uint32_t size;
} factory_obj_t;

typedef struct {
    mp_obj_base_t base;
    const factory_obj_t *factory;
    mempool_block_obj_t *block;
    mp_obj_t fields; // uctypes.struct
} struct_obj_t;

static const mp_obj_type_t mempool_type_struct;

static mp_obj_t uctypes_name(qstr name) {
    return mp_load_attr(MP_OBJ_FROM_PTR(&mp_module_uctypes), name);
}

// ---- The factory ---------------------------------------------------------------------------------------

// A copy of a layout that nobody else can change: dicts, and the dicts within its tuples.
static mp_obj_t copy_layout(mp_obj_t item) {
    mp_cstack_check();
    if (mp_obj_is_dict_or_ordereddict(item)) {
        mp_obj_t copy = mp_obj_dict_copy(item);
        mp_map_t *map = mp_obj_dict_get_map(copy);
        for (size_t i = 0; i < map->alloc; i++) {
            if (mp_map_slot_is_filled(map, i)) {
                map->table[i].value = copy_layout(map->table[i].value);
            }
        }
        return copy;
    }
    if (mp_obj_is_type(item, &mp_type_tuple)) {
        mp_obj_tuple_t *from = MP_OBJ_TO_PTR(item);
        mp_obj_tuple_t *copy = MP_OBJ_TO_PTR(mp_obj_new_tuple(from->len, from->items));
        for (size_t i = 0; i < copy->len; i++) {
            copy->items[i] = copy_layout(copy->items[i]);
        }
        return MP_OBJ_FROM_PTR(copy);
    }
    return item;
}

// An upper bound of what uctypes.sizeof answers, without its overflow: what multiplies to more is refused before.
// Descriptors of aggregates: kind 2 | offset 29; counts: type of the items 4 | count 27.
#define LAYOUT_MAX (1u << 20)

static uint32_t layout_bound(mp_obj_t item) {
    mp_cstack_check();
    uint64_t bound = 0;
    if (mp_obj_is_dict_or_ordereddict(item)) {
        mp_map_t *map = mp_obj_dict_get_map(item);
        for (size_t i = 0; i < map->alloc; i++) {
            if (mp_map_slot_is_filled(map, i)) {
                uint32_t end = layout_bound(map->table[i].value);
                bound = end > bound ? end : bound;
            }
        }
    } else if (mp_obj_is_small_int(item)) {
        uint32_t descriptor = (uint32_t)MP_OBJ_SMALL_INT_VALUE(item);
        unsigned type = (descriptor >> 27) & 15;
        bound = (descriptor & (type >= 8 && type < 14 ? 0x1ffffu : 0x7ffffffu)) + 8;
    } else if (mp_obj_is_type(item, &mp_type_tuple)) {
        mp_obj_tuple_t *tuple = MP_OBJ_TO_PTR(item);
        bool array = false;
        if (tuple->len >= 2 && mp_obj_is_small_int(tuple->items[0])) {
            uint32_t descriptor = (uint32_t)MP_OBJ_SMALL_INT_VALUE(tuple->items[0]);
            bound = (descriptor & 0x1fffffffu) + sizeof(void *);
            array = ((descriptor >> 29) & 3) == 2;
        }
        if (bound == 0 || (array && !mp_obj_is_small_int(tuple->items[1]))) {
            mp_raise_TypeError(MP_ERROR_TEXT("layout has a tuple that describes nothing"));
        }
        uint64_t item_bound = tuple->len == 3 || !array ? layout_bound(tuple->items[tuple->len - 1]) : 8;
        bound += array ? (MP_OBJ_SMALL_INT_VALUE(tuple->items[1]) & 0x7ffffff) * item_bound : item_bound;
    }
    if (bound > LAYOUT_MAX) {
        mp_raise_ValueError(MP_ERROR_TEXT("layout is too large"));
    }
    return (uint32_t)bound;
}

// Alignment that a scalar of a type needs: its size, 4 at most. 14: FLOAT32.
static uint32_t scalar_align(unsigned type) {
    unsigned size = type == 14 ? 4 : 1u << ((type & 7) >> 1);
    return size < 4 ? size : 4;
}

// uctypes reads a native field as the machine reads it, and some machines stop at one that lies askew. Descriptors:
// type 4 | offset 27, of a bit field 4 | bits 10 | offset 17.
static void check_aligned(mp_obj_t layout, uint32_t base) {
    mp_map_t *map = mp_obj_dict_get_map(layout);
    for (size_t i = 0; i < map->alloc; i++) {
        if (!mp_map_slot_is_filled(map, i)) {
            continue;
        }
        mp_obj_t item = map->table[i].value;
        uint32_t at; // what has to be a multiple of `align`
        uint32_t align = 1;
        if (mp_obj_is_small_int(item)) {
            uint32_t descriptor = (uint32_t)MP_OBJ_SMALL_INT_VALUE(item);
            unsigned type = (descriptor >> 27) & 15;
            at = base + (descriptor & 0x1ffffu);
            align = scalar_align(type);
        } else {
            // An aggregate: layout_bound saw to its form. Items of an array are a multiple of their alignment apart.
            mp_obj_tuple_t *tuple = MP_OBJ_TO_PTR(item);
            uint32_t descriptor = (uint32_t)MP_OBJ_SMALL_INT_VALUE(tuple->items[0]);
            unsigned kind = (descriptor >> 29) & 3;
            at = base + (descriptor & 0x1fffffffu);
            mp_obj_t last = tuple->items[tuple->len - 1];
            if (kind == 1) {
                align = 4; // a pointer; what it points to is the program's
            } else if (mp_obj_is_dict_or_ordereddict(last)) {
                check_aligned(last, at);
            } else if (kind == 2 && tuple->len == 2) {
                align = scalar_align(((uint32_t)MP_OBJ_SMALL_INT_VALUE(last) >> 27) & 15);
            }
        }
        if (at & (align - 1)) {
            mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("field '%s' is not aligned: see LITTLE_ENDIAN"),
                mp_obj_is_str(map->table[i].key) ? mp_obj_str_get_str(map->table[i].key) : "?");
        }
    }
}

// Struct(layout, layout_type=uctypes.NATIVE)
static mp_obj_t mempool_Struct_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 2, false);
    if (!mp_obj_is_dict_or_ordereddict(args[0])) {
        mempool_raise_type(MP_ERROR_TEXT("layout must be a dict, not %s"), args[0]);
    }
    factory_obj_t *self = mp_obj_malloc(factory_obj_t, type);
    self->layout = copy_layout(args[0]);
    self->layout_type = uctypes_name(MP_QSTR_NATIVE);
    if (n_args == 2) {
        self->layout_type = MP_OBJ_NEW_SMALL_INT(mempool_get_between(args[1], MP_QSTR_layout_type, 0, 2));
    }
    layout_bound(self->layout);
    // Looks at every field, so that a wrong one is refused here and not when it is used.
    mp_obj_t size = mp_call_function_2(uctypes_name(MP_QSTR_sizeof), self->layout, self->layout_type);
    if (self->layout_type == uctypes_name(MP_QSTR_NATIVE)) {
        check_aligned(self->layout, 0);
    }
    mempool_request_t request;
    mempool_request_size(&request, size);
    self->size = request.size;
    return MP_OBJ_FROM_PTR(self);
}

static void mempool_Struct_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    const factory_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "<Struct of %u bytes>", (unsigned)self->size);
}

// T(*, critical=False, spill=None, timeout_ms=0, owner=None) -> struct, all bytes 0
static mp_obj_t mempool_Struct_call(mp_obj_t self_in, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    const factory_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_map_t kw_args;
    mp_map_init_fixed_table(&kw_args, n_kw, args + n_args);
    mempool_request_t request;
    mempool_request_parse(&request, MEMPOOL_ARG_OWNER, n_args, args, &kw_args);
    request.size = self->size;

    // Every object first, the block after them.
    struct_obj_t *object = mp_obj_malloc(struct_obj_t, &mempool_type_struct);
    object->factory = self;
    object->fields = MP_OBJ_NULL;
    object->block = mempool_block_new();
    mempool_block_fill(object->block, &request);

    mempool_block_t block;
    if (!mempool_block_look(object->block, &block)) {
        mempool_raise_freed();
    }
    memset(block.data, 0, block.size);
    mp_obj_t field_args[] = {
        mp_obj_new_int_from_uint((uintptr_t)block.data),
        self->layout,
        self->layout_type,
    };
    object->fields = mp_call_function_n_kw(uctypes_name(MP_QSTR_struct), 3, 0, field_args);
    return MP_OBJ_FROM_PTR(object);
}

MP_DEFINE_CONST_OBJ_TYPE(mempool_type_Struct, MP_QSTR_Struct, MP_TYPE_FLAG_NONE, make_new, mempool_Struct_make_new,
    print, mempool_Struct_print, call, mempool_Struct_call);

// ---- A struct ------------------------------------------------------------------------------------------

static void mempool_struct_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    const struct_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mempool_handle_t handle = self->block->handle;
    mempool_block_t block;
    if (!mempool_block_look(self->block, &block)) {
        mp_print_str(print, "<struct freed>");
        return;
    }
    mp_print_str(print, "<struct ");
    mempool_block_print_place(print, handle, &block);
    mp_print_str(print, ">");
}

static void mempool_struct_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    const struct_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_map_t *names = mp_obj_dict_get_map(self->factory->layout);
    if (mp_map_lookup(names, MP_OBJ_NEW_QSTR(attr), MP_MAP_LOOKUP) != NULL) {
        if (dest[1] != MP_OBJ_NULL && dest[0] != MP_OBJ_NULL && !mp_obj_is_int(dest[1]) && !mp_obj_is_bool(dest[1]) && !mp_obj_is_float(dest[1])) {
            // What has an __int__ of its own could free the block between the check and the store.
            mempool_raise_type(MP_ERROR_TEXT("field takes an int or a float, not %s"), dest[1]);
        }
        mempool_block_t block;
        if (!mempool_block_look(self->block, &block)) {
            mempool_raise_freed();
        }
        if (dest[0] == MP_OBJ_NULL) {
            dest[0] = mp_load_attr(self->fields, attr);
        } else if (dest[1] != MP_OBJ_NULL) {
            mp_store_attr(self->fields, attr, dest[1]);
            dest[0] = MP_OBJ_NULL; // stored
        }
    } else if (dest[0] == MP_OBJ_NULL) {
        switch (attr) {
            // What the Block has and does; not attach: the fields stay where they are.
            case MP_QSTR_capacity:
            case MP_QSTR_pool:
            case MP_QSTR_owner:
            case MP_QSTR_handle:
            case MP_QSTR_free:
            case MP_QSTR_detach:
            case MP_QSTR___exit__:
                mp_load_method_maybe(MP_OBJ_FROM_PTR(self->block), attr, dest);
                break;
            default:
                dest[1] = MP_OBJ_SENTINEL; // a method
        }
    }
}

static mp_int_t mempool_struct_get_buffer(mp_obj_t self_in, mp_buffer_info_t *buffer, mp_uint_t flags) {
    const struct_obj_t *self = MP_OBJ_TO_PTR(self_in);
    return mp_get_buffer(MP_OBJ_FROM_PTR(self->block), buffer, flags) ? 0 : 1;
}

// bool: whether it still holds its block. len: its bytes.
static mp_obj_t mempool_struct_unary_op(mp_unary_op_t op, mp_obj_t self_in) {
    const struct_obj_t *self = MP_OBJ_TO_PTR(self_in);
    return mempool_sequence_unary_op(op, MP_OBJ_FROM_PTR(self->block));
}

static mp_obj_t mempool_struct___enter__(mp_obj_t self_in) {
    const struct_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mempool_block_t block;
    if (!mempool_block_look(self->block, &block)) {
        mempool_raise_freed();
    }
    return self_in;
}
static MP_DEFINE_CONST_FUN_OBJ_1(mempool_struct___enter___obj, mempool_struct___enter__);

static const mp_rom_map_elem_t mempool_struct_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&mempool_struct___enter___obj) },
};
static MP_DEFINE_CONST_DICT(mempool_struct_locals, mempool_struct_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(mempool_type_struct, MP_QSTR_struct, MP_TYPE_FLAG_NONE, print, mempool_struct_print,
    attr, mempool_struct_attr, unary_op, mempool_struct_unary_op, buffer, mempool_struct_get_buffer, locals_dict, &mempool_struct_locals);

#endif // CONFIG_MEMORY_POOL_ENABLE && MICROPY_PY_UCTYPES
