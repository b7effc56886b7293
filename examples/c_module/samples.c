// `import samples`: the last readings of a sensor, in blocks of the pools. A driver's interrupt or task would call samples_add();
// Python reads them.
//
// Each block holds 15 readings, and the oldest block goes when a new one is needed beyond the limit, or when the pool has none: so
// the newest readings are always there, in memory that nobody else's garbage can take. C owns the blocks; a soft reset
// leaves them alone.

#include "py/runtime.h"

#include "mempool.h"
#include "sdkconfig.h"

#if CONFIG_MEMORY_POOL_ENABLE

#define BLOCKS_MAX 8u
#define READINGS 15u // of a block

typedef struct {
    int32_t count;
    int32_t readings[READINGS];
} page_t;

_Static_assert(sizeof(page_t) == 64, "a page is a block of SMALL");

static struct {
    mempool_owner_t owner;
    unsigned limit; // blocks
    unsigned first; // place of the oldest
    unsigned used;
    mempool_handle_t pages[BLOCKS_MAX];
} ring;

static mempool_handle_t *page_at(unsigned n) {
    return &ring.pages[(ring.first + n) % BLOCKS_MAX];
}

static void drop_oldest(void) {
    mempool_give(*page_at(0));
    ring.first = (ring.first + 1u) % BLOCKS_MAX;
    ring.used -= 1;
}

// The page to write to; NULL: no block, not even one of ours to give up.
static page_t *writable(void) {
    page_t *last = ring.used > 0 ? mempool_data(*page_at(ring.used - 1u)) : NULL;
    if (last != NULL && last->count < (int32_t)READINGS) {
        return last;
    }
    if (ring.used == ring.limit) {
        drop_oldest();
    }
    mempool_handle_t handle = mempool_take(sizeof(page_t), ring.owner);
    if (handle == MEMPOOL_E_EXHAUSTED && ring.used > 0) {
        drop_oldest();
        handle = mempool_take(sizeof(page_t), ring.owner);
    }
    page_t *page = handle > 0 ? mempool_data(handle) : NULL;
    if (page != NULL) {
        page->count = 0;
        *page_at(ring.used) = handle;
        ring.used += 1;
    }
    return page;
}

// One producer at a time. -> false: no block is left.
bool samples_add(int32_t reading);
bool samples_add(int32_t reading) {
    page_t *page = ring.limit > 0 ? writable() : NULL;
    if (page == NULL) {
        return false;
    }
    page->readings[page->count++] = reading;
    return true;
}

// close(): gives all blocks back
static mp_obj_t samples_close(void) {
    while (ring.used > 0) {
        drop_oldest();
    }
    ring.limit = 0;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(samples_close_obj, samples_close);

// open(blocks): begins anew, with so many blocks at most
static mp_obj_t samples_open(mp_obj_t blocks_in) {
    mp_int_t blocks = mp_obj_get_int(blocks_in);
    if (blocks < 1 || blocks > (mp_int_t)BLOCKS_MAX) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("blocks must be 1..%d, not %d"), (int)BLOCKS_MAX, (int)blocks);
    }
    mempool_init();
    samples_close();
    int owner = mempool_owner_open("samples", 7, 0, 0);
    ring.owner = owner > 0 ? (mempool_owner_t)owner : MEMPOOL_NO_OWNER;
    ring.limit = (unsigned)blocks;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(samples_open_obj, samples_open);

static mp_obj_t samples_add_(mp_obj_t reading) {
    return mp_obj_new_bool(samples_add((int32_t)mp_obj_get_int(reading)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(samples_add_obj, samples_add_);

// summary() -> (count, least, most, mean) of what is kept; None where there is nothing
static mp_obj_t samples_summary(void) {
    int32_t count = 0, least = INT32_MAX, most = INT32_MIN;
    int64_t sum = 0;
    for (unsigned n = 0; n < ring.used; ++n) {
        const page_t *page = mempool_data(*page_at(n));
        for (int32_t i = 0; page != NULL && i < page->count; ++i) {
            int32_t reading = page->readings[i];
            least = reading < least ? reading : least;
            most = reading > most ? reading : most;
            sum += reading;
            count += 1;
        }
    }
    if (count == 0) {
        return mp_const_none;
    }
    mp_obj_t items[] = {
        mp_obj_new_int(count),
        mp_obj_new_int(least),
        mp_obj_new_int(most),
        mp_obj_new_int((mp_int_t)(sum / count)),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
static MP_DEFINE_CONST_FUN_OBJ_0(samples_summary_obj, samples_summary);

static const mp_rom_map_elem_t samples_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_samples) },
    { MP_ROM_QSTR(MP_QSTR_open), MP_ROM_PTR(&samples_open_obj) },
    { MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&samples_close_obj) },
    { MP_ROM_QSTR(MP_QSTR_add), MP_ROM_PTR(&samples_add_obj) },
    { MP_ROM_QSTR(MP_QSTR_summary), MP_ROM_PTR(&samples_summary_obj) },
};
static MP_DEFINE_CONST_DICT(samples_globals, samples_globals_table);

const mp_obj_module_t samples_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&samples_globals,
};

MP_REGISTER_MODULE(MP_QSTR_samples, samples_module);

#endif // CONFIG_MEMORY_POOL_ENABLE
