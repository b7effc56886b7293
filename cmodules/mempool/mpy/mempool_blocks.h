// mempool_blocks.h - what the bindings of other modules may use of mempool's: Blocks as they travel, bytes as a sequence, and
// numbers that come from Python. Everything else of mpy/ is mempool's own.

#ifndef MEMPOOL_BLOCKS_H
#define MEMPOOL_BLOCKS_H

#include "py/obj.h"
#include "py/runtime.h"

#include "mempool.h"

bool mempool_is_block(mp_obj_t object);

// Calls fn, once, when this life of the interpreter ends: for one module above this one.
void mempool_at_end(void (*fn)(void));

// A new Block of `size` bytes with `room` bytes more behind it (MEMPOOL_ROOM); MemoryError as alloc raises it.
mp_obj_t mempool_block_make(uint32_t size, uint32_t room);

// Takes what a Block holds out of it, or puts it back; ValueError for a view, an empty or freed Block, or a full one.
mempool_handle_t mempool_block_take_out(mp_obj_t block);
void mempool_block_put_back(mp_obj_t block, mempool_handle_t handle);

// ==, in and [] of whatever is a sequence of bytes. An index or a value may have code of its own, so what was true of an object
// before it was looked at need not be true after.
typedef uint8_t *(*mempool_use_t)(mp_obj_t self, size_t *length);
typedef struct {
    mempool_use_t use; // the bytes of an object, or it raises
    mp_obj_t (*view)(mp_obj_t self, size_t start, size_t length);
    void (*store)(mp_obj_t self, size_t start, const void *from, size_t length); // NULL: they are only read
} mempool_bytes_t;
mp_obj_t mempool_bytes_binary_op(mp_binary_op_t op, mp_obj_t self, mp_obj_t other, mempool_use_t use);
mp_obj_t mempool_bytes_subscr(mp_obj_t self, mp_obj_t index, mp_obj_t value, const mempool_bytes_t *bytes);

// Iterates over what has a length and an index. No heap.
mp_obj_t mempool_bytes_getiter(mp_obj_t self, mp_obj_iter_buf_t *iter_buf);

// TypeError with a text that has one %s: the type of what came.
__attribute__((noreturn)) void mempool_raise_type(mp_rom_error_text_t text, mp_obj_t got);

// Whether an exception is for the program: KeyboardInterrupt, SystemExit.
bool mempool_asks_to_end(mp_obj_t exception);

// Prints an exception that may get no further, behind printf(title, what). -> what asks the program to end, which is that
// exception or another that printing it raised, or MP_OBJ_NULL.
mp_obj_t mempool_report(const char *title, const char *what, mp_obj_t exception);

// TypeError that names the argument for what cannot be called, and is not None where that is good, too.
void mempool_check_callable(mp_obj_t callback, qstr name, bool or_none);

// The value of any int, clamped to 32 bits; TypeError that names the argument for what is none. No heap.
int32_t mempool_get_clamped(mp_obj_t arg, qstr name);

// The same, ValueError that names the argument and its limits when it is outside of them.
int32_t mempool_get_between(mp_obj_t arg, qstr name, int32_t min, int32_t max);

// An array of 4-byte items that can be written to, as words; TypeError or ValueError otherwise.
uint32_t *mempool_get_words(mp_obj_t array, size_t min_words, size_t *words);

#endif // MEMPOOL_BLOCKS_H
