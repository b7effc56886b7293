// hooks.c - the functions that gcc -fsanitize=thread calls in place of each atomic access and before each plain one: of our own
// instead of ThreadSanitizer's, so that the core's sources are seen whole, whichever way a port's header writes its words.
//
// Volatile accesses (--param tsan-distinguish-volatile) are the words of the ports that have no C11 atomics: relaxed ones. A
// load's value is put into memory just before the access that follows the hook; a store's is found there later. Where the sources
// use C11 atomics that parameter is left out: a volatile access is a plain one then, and races.
//
// masked.h reads and writes its words plainly where interrupts are off. A plain access to a word under the lock counts as a relaxed
// one: one access each, as on the chip.

#include <string.h>

#include "weak.h"

#define FROM __builtin_return_address(0)

static void volatile_read(const volatile void *p, unsigned size, const void *from) {
    size_t offset;
    if (running >= 0 && in_unit(p, size, &offset)) {
        uint64_t value = machine_load(p, size, RELAXED, from);
        memcpy((void *)(uintptr_t)p, &value, size);
    }
}

static void volatile_write(volatile void *p, unsigned size, const void *from) {
    size_t offset;
    if (running >= 0 && in_unit(p, size, &offset)) {
        machine_store_later(p, size, from);
    }
}

static void plain(volatile void *p, unsigned size, bool writes, const void *from) {
    size_t offset;
    if (running < 0 || !in_unit(p, size, &offset)) {
        return;
    }
    machine_settle();
    if (size == 4 && lock_is_mine() && machine_is_word(p)) {
        if (writes) {
            volatile_write(p, size, from);
        } else {
            volatile_read(p, size, from);
        }
        return;
    }
    plain_access(p, size, writes ? PLAIN_WRITE : PLAIN_READ, from);
}

#define PLAIN(n)                              \
    void __tsan_read##n(void *p);             \
    void __tsan_write##n(void *p);            \
    void __tsan_unaligned_read##n(void *p);   \
    void __tsan_unaligned_write##n(void *p);  \
    void __tsan_read##n(void *p) {            \
        plain(p, n, false, FROM);             \
    }                                         \
    void __tsan_write##n(void *p) {           \
        plain(p, n, true, FROM);              \
    }                                         \
    void __tsan_unaligned_read##n(void *p) {  \
        plain(p, n, false, FROM);             \
    }                                         \
    void __tsan_unaligned_write##n(void *p) { \
        plain(p, n, true, FROM);              \
    }
PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

void __tsan_read_range(void *p, size_t size);
void __tsan_write_range(void *p, size_t size);
void __tsan_read_range(void *p, size_t size) {
    plain(p, (unsigned)size, false, FROM);
}
void __tsan_write_range(void *p, size_t size) {
    plain(p, (unsigned)size, true, FROM);
}

#define VOLATILE(n)                          \
    void __tsan_volatile_read##n(void *p);   \
    void __tsan_volatile_write##n(void *p);  \
    void __tsan_volatile_read##n(void *p) {  \
        volatile_read(p, n, FROM);           \
    }                                        \
    void __tsan_volatile_write##n(void *p) { \
        volatile_write(p, n, FROM);          \
    }
VOLATILE(1)
VOLATILE(2)
VOLATILE(4)
VOLATILE(8)

// What no thread runs, setting up and at rest, goes straight to memory; what is on a thread's own stack too.
static bool direct(const volatile void *p, unsigned size) {
    size_t offset;
    return running < 0 || !in_unit(p, size, &offset);
}

#define CHANGE(bits, name, sign, now)                                                                      \
    uint##bits##_t __tsan_atomic##bits##_##name(volatile uint##bits##_t *p, uint##bits##_t v, int order);  \
    uint##bits##_t __tsan_atomic##bits##_##name(volatile uint##bits##_t *p, uint##bits##_t v, int order) { \
        if (direct(p, bits / 8)) {                                                                         \
            uint##bits##_t old = *p;                                                                       \
            *p = (uint##bits##_t)(now);                                                                    \
            return old;                                                                                    \
        }                                                                                                  \
        return (uint##bits##_t)machine_change(p, bits / 8, sign, v, order, FROM);                          \
    }

#define SWAP(bits, name, weak)                                                                               \
    bool __tsan_atomic##bits##_compare_exchange_##name(volatile uint##bits##_t *p, uint##bits##_t *expected, \
        uint##bits##_t v, int order, int failed);                                                            \
    bool __tsan_atomic##bits##_compare_exchange_##name(volatile uint##bits##_t *p, uint##bits##_t *expected, \
        uint##bits##_t v, int order, int failed) {                                                           \
        if (direct(p, bits / 8)) {                                                                           \
            bool same = *p == *expected;                                                                     \
            *expected = *p;                                                                                  \
            *p = same ? v : *p;                                                                              \
            return same;                                                                                     \
        }                                                                                                    \
        uint64_t found = *expected;                                                                          \
        bool done = machine_swap(p, bits / 8, &found, v, order, failed, weak, FROM);                         \
        *expected = (uint##bits##_t)found;                                                                   \
        return done;                                                                                         \
    }

#define ATOMIC(bits)                                                                              \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *p, int order);       \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *p, int order) {      \
        return direct(p, bits / 8) ? *p : (uint##bits##_t)machine_load(p, bits / 8, order, FROM); \
    }                                                                                             \
    void __tsan_atomic##bits##_store(volatile uint##bits##_t *p, uint##bits##_t v, int order);    \
    void __tsan_atomic##bits##_store(volatile uint##bits##_t *p, uint##bits##_t v, int order) {   \
        if (direct(p, bits / 8)) {                                                                \
            *p = v;                                                                               \
        } else {                                                                                  \
            machine_store(p, bits / 8, v, order, FROM);                                           \
        }                                                                                         \
    }                                                                                             \
    CHANGE(bits, exchange, '=', v)                                                                \
    CHANGE(bits, fetch_add, '+', old + v)                                                         \
    CHANGE(bits, fetch_sub, '-', old - v)                                                         \
    CHANGE(bits, fetch_and, '&', old &v)                                                          \
    CHANGE(bits, fetch_or, '|', old | v)                                                          \
    CHANGE(bits, fetch_xor, '^', old ^ v)                                                         \
    SWAP(bits, strong, false)                                                                     \
    SWAP(bits, weak, true)
ATOMIC(8)
ATOMIC(16)
ATOMIC(32)
ATOMIC(64)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_thread_fence(int order) {
    machine_fence(order);
}
void __tsan_atomic_signal_fence(int order) {
    if (options.hart) {
        machine_fence(order);
    }
}

void __tsan_init(void);
void __tsan_init(void) {
}
void __tsan_func_entry(void *p);
void __tsan_func_exit(void);
void __tsan_func_entry(void *p) {
    (void)p;
}
void __tsan_func_exit(void) {
}
