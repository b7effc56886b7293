// Blocks as plain ints, for interrupts and hot paths: take, give, write and read. No int makes them raise, they
// never touch the GC heap, and they say what was wrong by a negative code.
//
// And the record of the handles that Block objects hold: one bit a block, so that attach can refuse to make a
// second owner. It is advice, not protection: what protects is the generation in the handle. A bit can be left
// set where C code gives back a block that a Block object holds; the next alloc or take of it puts it right.

#include <string.h>

#include "py/mphal.h"

#include "mempool_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE

// ---- Handles that are held -----------------------------------------------------------------------------

#define HANDLE_INDEX_BITS (10)
#define HANDLE_INDEX(handle) ((uint32_t)(handle) & ((1u << HANDLE_INDEX_BITS) - 1))
#define HANDLE_POOL(handle) (((uint32_t)(handle) >> HANDLE_INDEX_BITS) & 7u)

// Bits of a pool, with those of the blocks that it may grow by, start at these words; pool 0 of a handle is none.
#define WORDS(count) MEMPOOL_LEAVES((count) + MEMPOOL_GROW)
#define HELD_SMALL WORDS(CONFIG_MEMORY_POOL_TINY_COUNT)
#define HELD_MEDIUM (HELD_SMALL + WORDS(CONFIG_MEMORY_POOL_SMALL_COUNT))
#define HELD_LARGE (HELD_MEDIUM + WORDS(CONFIG_MEMORY_POOL_MEDIUM_COUNT))
#define HELD_XLARGE (HELD_LARGE + WORDS(CONFIG_MEMORY_POOL_LARGE_COUNT))
#define HELD_HEAP (HELD_XLARGE + WORDS(CONFIG_MEMORY_POOL_XLARGE_COUNT))
#if MEMPOOL_HEAP_FALLBACK
#define HELD_WORDS (HELD_HEAP + MEMPOOL_LEAVES(1u << HANDLE_INDEX_BITS))
#else
#define HELD_WORDS (HELD_HEAP)
#endif

static const uint8_t held_start[] = { 0, 0, HELD_SMALL, HELD_MEDIUM, HELD_LARGE, HELD_XLARGE, HELD_HEAP, HELD_WORDS };
static uint32_t held[HELD_WORDS];

static uint32_t *held_word(mempool_handle_t handle, uint32_t *bit) {
    uint32_t index = HANDLE_INDEX(handle);
    *bit = 1u << (index % 32);
    return &held[held_start[HANDLE_POOL(handle)] + index / 32];
}

// Only for handles that are, or were, good: their pool and index are within limits.
bool mempool_held_claim(mempool_handle_t handle) {
    uint32_t bit;
    uint32_t *word = held_word(handle, &bit);
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION();
    bool was_held = *word & bit;
    *word |= bit;
    MICROPY_END_ATOMIC_SECTION(state);
    (void)state;
    return !was_held;
}

void mempool_held_drop(mempool_handle_t handle) {
    uint32_t bit;
    uint32_t *word = held_word(handle, &bit);
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION();
    *word &= ~bit;
    MICROPY_END_ATOMIC_SECTION(state);
    (void)state;
}

void mempool_held_clear_all(void) {
    memset(held, 0, sizeof(held));
}

// ---- The four verbs ------------------------------------------------------------------------------------

mp_obj_t mempool_take_for(mp_obj_t size_in, mempool_owner_t owner) {
    int32_t size = mempool_get_clamped(size_in, MP_QSTR_size);
    mempool_handle_t handle = mempool_take_flags(size < 0 ? 0 : (uint32_t)size, owner, MEMPOOL_PYTHON);
    if (handle > 0) {
        mempool_held_drop(handle);
    }
    return MP_OBJ_NEW_SMALL_INT(handle);
}

// take(size) -> handle, E_EXHAUSTED, E_SIZE
static mp_obj_t mempool_take_(mp_obj_t size) {
    return mempool_take_for(size, MEMPOOL_NO_OWNER);
}
MP_DEFINE_CONST_FUN_OBJ_1(mempool_take_obj, mempool_take_);

// give(handle) -> 0, E_STALE, E_FOREIGN. A Block that holds it becomes stale.
static mp_obj_t mempool_give_(mp_obj_t handle_in) {
    mempool_handle_t handle = mempool_get_clamped(handle_in, MP_QSTR_handle);
    // Dropped before it is given: afterwards it may be somebody else's already.
    mempool_block_t block;
    if (mempool_inspect(handle, &block) == MEMPOOL_OK && block.python) {
        mempool_held_drop(handle);
    }
    return MP_OBJ_NEW_SMALL_INT(mempool_give_flags(handle, MEMPOOL_PYTHON));
}
MP_DEFINE_CONST_FUN_OBJ_1(mempool_give_obj, mempool_give_);

// An offset that no block has stands for every one that is negative.
static uint32_t get_offset(mp_obj_t offset_in) {
    int32_t offset = mempool_get_clamped(offset_in, MP_QSTR_offset);
    return offset < 0 ? UINT32_MAX : (uint32_t)offset;
}

static uint32_t get_length(const mp_buffer_info_t *buffer) {
    return buffer->len > INT32_MAX ? INT32_MAX : (uint32_t)buffer->len;
}

// write(handle, offset, buf) -> bytes written, E_STALE, E_FOREIGN, E_RANGE
static mp_obj_t mempool_write_(mp_obj_t handle_in, mp_obj_t offset_in, mp_obj_t buffer_in) {
    mempool_handle_t handle = mempool_get_clamped(handle_in, MP_QSTR_handle);
    uint32_t offset = get_offset(offset_in);
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(buffer_in, &buffer, MP_BUFFER_READ);
    return MP_OBJ_NEW_SMALL_INT(mempool_write_flags(handle, offset, buffer.buf, get_length(&buffer), MEMPOOL_PYTHON));
}
MP_DEFINE_CONST_FUN_OBJ_3(mempool_write_obj, mempool_write_);

// read(handle, offset, buf) -> bytes read into buf, E_STALE, E_FOREIGN, E_RANGE
static mp_obj_t mempool_read_(mp_obj_t handle_in, mp_obj_t offset_in, mp_obj_t buffer_in) {
    mempool_handle_t handle = mempool_get_clamped(handle_in, MP_QSTR_handle);
    uint32_t offset = get_offset(offset_in);
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(buffer_in, &buffer, MP_BUFFER_WRITE);
    return MP_OBJ_NEW_SMALL_INT(mempool_read_flags(handle, offset, buffer.buf, get_length(&buffer), MEMPOOL_PYTHON));
}
MP_DEFINE_CONST_FUN_OBJ_3(mempool_read_obj, mempool_read_);

#endif // CONFIG_MEMORY_POOL_ENABLE
