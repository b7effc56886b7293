// Owner: a name in the core's table with a quota, and the blocks that are taken in its name.
//
// Owner objects are kept in a list until the next soft reset, so that a name is always the same object.

#include <string.h>

#include "py/mphal.h"
#include "py/objtuple.h"

#include "mempool_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE

MP_REGISTER_ROOT_POINTER(struct _mempool_owner_obj_t *mempool_owner_list);

// ---- Objects and numbers -------------------------------------------------------------------------------

static mempool_owner_obj_t *find(mempool_owner_t owner) {
    mempool_owner_obj_t *item = MP_STATE_VM(mempool_owner_list);
    while (item != NULL && item->owner != owner) {
        item = item->next;
    }
    return item;
}

// The object of a number: one that is in the list already, or `fresh`, which then is.
static mp_obj_t intern(mempool_owner_obj_t *fresh, mempool_owner_t owner) {
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION();
    mempool_owner_obj_t *self = find(owner);
    if (self == NULL) {
        fresh->owner = owner;
        fresh->next = MP_STATE_VM(mempool_owner_list);
        MP_STATE_VM(mempool_owner_list) = fresh;
        self = fresh;
    }
    MICROPY_END_ATOMIC_SECTION(state);
    (void)state;
    return MP_OBJ_FROM_PTR(self);
}

mp_obj_t mempool_owner_from(mempool_owner_t owner) {
    mempool_owner_info_t info;
    if (owner == MEMPOOL_NO_OWNER || mempool_owner_info(owner, &info) != MEMPOOL_OK) {
        return mp_const_none;
    }
    mempool_owner_obj_t *self = find(owner);
    if (self != NULL) {
        return MP_OBJ_FROM_PTR(self);
    }
    // An owner that only C holds so far: as long as there is an object for it, Python holds it as well.
    self = mp_obj_malloc(mempool_owner_obj_t, &mempool_type_Owner);
    int opened = mempool_owner_open(info.name, strlen(info.name), info.quota, MEMPOOL_PYTHON);
    return opened > 0 ? intern(self, (mempool_owner_t)opened) : mp_const_none;
}

mempool_owner_t mempool_owner_get(mp_obj_t owner) {
    if (owner == mp_const_none) {
        return MEMPOOL_NO_OWNER;
    }
    if (!mp_obj_is_exact_type(owner, &mempool_type_Owner)) {
        mempool_raise_type(MP_ERROR_TEXT("owner must be an Owner or None, not %s"), owner);
    }
    return ((mempool_owner_obj_t *)MP_OBJ_TO_PTR(owner))->owner;
}

// Owner(name, quota=0)
static mp_obj_t mempool_Owner_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    enum { ARG_name,
        ARG_quota,
        ARGS };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_name, MP_ARG_REQUIRED | MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
        { MP_QSTR_quota, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_INT(0) } },
    };
    mp_arg_val_t values[ARGS];
    mp_arg_parse_all_kw_array(n_args, n_kw, args, ARGS, allowed, values);
    if (!mp_obj_is_str(values[ARG_name].u_obj)) {
        mempool_raise_type(MP_ERROR_TEXT("name must be a str, not %s"), values[ARG_name].u_obj);
    }
    size_t length;
    const char *name = mp_obj_str_get_data(values[ARG_name].u_obj, &length);
    if (length < 1 || length > MEMPOOL_NAME_MAX) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("name must be 1..%d bytes of UTF-8, not %d"),
            (int)MEMPOOL_NAME_MAX, (int)length);
    }
    if (memchr(name, 0, length) != NULL) {
        mp_raise_ValueError(MP_ERROR_TEXT("name must not contain a NUL"));
    }
    int32_t quota = mempool_get_between(values[ARG_quota].u_obj, MP_QSTR_quota, 0, MEMPOOL_INT_MAX);

    mempool_owner_obj_t *self = mp_obj_malloc(mempool_owner_obj_t, type);
    int owner = mempool_owner_open(name, length, (uint32_t)quota, MEMPOOL_PYTHON);
    if (owner < 0) { // E_OWNERS: name and quota have been looked at
        mp_raise_msg_varg(&mp_type_MemoryError, MP_ERROR_TEXT("owner table full: CONFIG_MEMORY_POOL_OWNERS is %d"),
            (int)MEMPOOL_OWNERS);
    }
    return intern(self, (mempool_owner_t)owner);
}

// ---- What it can do ------------------------------------------------------------------------------------

static void fill(mempool_block_obj_t *block, size_t n_args, const mp_obj_t *args, mp_map_t *kw_args, mp_obj_t owner) {
    mempool_request_t request;
    mempool_request_parse(&request, MEMPOOL_ARG_SIZE, n_args, args, kw_args);
    request.owner = mempool_owner_get(owner);
    mempool_block_fill(block, &request);
}

// alloc(size, *, critical=False, spill=None, timeout_ms=0) -> Block
static mp_obj_t mempool_Owner_alloc(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    mempool_block_obj_t *block = mempool_block_new();
    fill(block, n_args - 1, args + 1, kw_args, args[0]);
    return MP_OBJ_FROM_PTR(block);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(mempool_Owner_alloc_obj, 1, mempool_Owner_alloc);

// alloc_into(block, size, *, critical=False, spill=None, timeout_ms=0)
static mp_obj_t mempool_Owner_alloc_into(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    fill(mempool_block_get(args[1]), n_args - 2, args + 2, kw_args, args[0]);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(mempool_Owner_alloc_into_obj, 2, mempool_Owner_alloc_into);

// take(size) -> handle, E_EXHAUSTED, E_SIZE, E_QUOTA
static mp_obj_t mempool_Owner_take(mp_obj_t self_in, mp_obj_t size) {
    return mempool_take_for(size, mempool_owner_get(self_in));
}
static MP_DEFINE_CONST_FUN_OBJ_2(mempool_Owner_take_obj, mempool_Owner_take);

static void owner_info(mp_obj_t self_in, mempool_owner_info_t *info) {
    if (mempool_owner_info(mempool_owner_get(self_in), info) != MEMPOOL_OK) {
        mp_raise_ValueError(MP_ERROR_TEXT("owner is closed"));
    }
}

static void mempool_Owner_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    if (dest[0] != MP_OBJ_NULL) {
        return; // nothing can be stored
    }
    mempool_owner_info_t info;
    owner_info(self_in, &info);
    switch (attr) {
        case MP_QSTR_name:
            dest[0] = mp_obj_new_str_from_cstr(info.name);
            break;
        case MP_QSTR_number:
            dest[0] = MP_OBJ_NEW_SMALL_INT(mempool_owner_get(self_in));
            break;
        case MP_QSTR_quota:
            dest[0] = mp_obj_new_int_from_uint(info.quota);
            break;
        case MP_QSTR_used:
            dest[0] = mp_obj_new_int_from_uint(info.used);
            break;
        case MP_QSTR_peak:
            dest[0] = mp_obj_new_int_from_uint(info.peak);
            break;
        case MP_QSTR_denied:
            dest[0] = mp_obj_new_int_from_uint(info.denied);
            break;
        default:
            dest[1] = MP_OBJ_SENTINEL; // a method
    }
}

static void mempool_Owner_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    mempool_owner_info_t info;
    owner_info(self_in, &info);
    mp_print_str(print, "Owner(");
    mp_obj_print_helper(print, mp_obj_new_str_from_cstr(info.name), PRINT_REPR);
    mp_printf(print, ", quota=%u, used=%u, peak=%u)", (unsigned)info.quota, (unsigned)info.used, (unsigned)info.peak);
}

static const mp_rom_map_elem_t mempool_Owner_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_alloc), MP_ROM_PTR(&mempool_Owner_alloc_obj) },
    { MP_ROM_QSTR(MP_QSTR_alloc_into), MP_ROM_PTR(&mempool_Owner_alloc_into_obj) },
    { MP_ROM_QSTR(MP_QSTR_take), MP_ROM_PTR(&mempool_Owner_take_obj) },
};
static MP_DEFINE_CONST_DICT(mempool_Owner_locals, mempool_Owner_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(mempool_type_Owner, MP_QSTR_Owner, MP_TYPE_FLAG_NONE, make_new, mempool_Owner_make_new, print,
    mempool_Owner_print, attr, mempool_Owner_attr, locals_dict, &mempool_Owner_locals);

// owners() -> all that live, C's among them
static mp_obj_t mempool_owners(void) {
    mp_obj_t list[MEMPOOL_OWNERS + 1] = { MP_OBJ_NULL };
    size_t n = 0;
    for (unsigned owner = 1; owner <= MEMPOOL_OWNERS; owner++) {
        mp_obj_t object = mempool_owner_from((mempool_owner_t)owner);
        if (object != mp_const_none) {
            list[n++] = object;
        }
    }
    return mp_obj_new_tuple(n, list);
}
MP_DEFINE_CONST_FUN_OBJ_0(mempool_owners_obj, mempool_owners);

// An entry of owners_into(). Entry 0 is of the blocks that nobody owns; a number that no live owner has is all zeros.
typedef struct {
    uint32_t used;  // bytes of block capacity
    uint32_t quota; // bytes, 0: no limit
    uint32_t peak;  // bytes
    uint32_t denied;
    char name[MEMPOOL_NAME_MAX + 1];
} entry_t;

// owners_into(array('I')) -> entries, one an owner's number; nothing allocated
static mp_obj_t mempool_owners_into(mp_obj_t array) {
    MP_STATIC_ASSERT(sizeof(entry_t) == 8 * sizeof(uint32_t));
    size_t words;
    entry_t *out = (entry_t *)mempool_get_words(array, sizeof(entry_t) / sizeof(uint32_t), &words);
    size_t room = words / (sizeof(entry_t) / sizeof(uint32_t));
    size_t count = MIN(room, MEMPOOL_OWNERS + 1);
    memset(out, 0, count * sizeof(entry_t));
    out[MEMPOOL_NO_OWNER].used = mempool_unowned();
    for (size_t owner = 1; owner < count; owner++) {
        mempool_owner_info_t info;
        if (mempool_owner_info((mempool_owner_t)owner, &info) == MEMPOOL_OK) {
            out[owner] = (entry_t){ info.used, info.quota, info.peak, info.denied, { 0 } };
            memcpy(out[owner].name, info.name, sizeof(info.name));
        }
    }
    return MP_OBJ_NEW_SMALL_INT(count);
}
MP_DEFINE_CONST_FUN_OBJ_1(mempool_owners_into_obj, mempool_owners_into);

#endif // CONFIG_MEMORY_POOL_ENABLE
