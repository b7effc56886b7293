// mempool_port.h - what core/ needs of a platform; picks the header that supplies it.
//
// A word is 32 bits of internal RAM that tasks, interrupts and cores share. Word operations:
//
//      mempool_load(w)  mempool_store(w, v)            acquire, release
//      mempool_peek(w)  mempool_poke(w, v)             relaxed
//    words that are counted:
//      mempool_fetch_add/and/or(w, v)                  the old value; acquire and release
//      mempool_at_least(w, v), mempool_at_most(w, v)   raise / lower a signed word to v
//    words that are compared:
//      mempool_cas(w, expected, desired)               true where it was stored
//      mempool_add(w, v, &zero)                        *w += v; what it is then; zero = 0
//      mempool_add_if(w, least, delta, &now)           while (int32_t)*w >= least: *w += delta, now = *w, true; else false
//      mempool_sub_if(w, amount, &now)                 the same with least = amount, delta = -amount
//      mempool_swap_if(w, shift, top, bar, next, &was)
//                                                      while *w >> shift == top and (shift != 15 or *w != bar):
//                                                      was = *w, *w = next, true; else false
//
// Each word is changed by one of the two groups only, on every port, as there are machines where a change of the one kind is lost
// in the middle of one of the other (atomic_riscv.h). What is added to is never stored to while others run. Where two sides each
// write one word and then read the other's, both do so by a read-modify-write:
//
//      counted     leaf, summary; an owner's balance, lowest, denied; who holds an owner; all counters; resizing
//      compared    state, a block's word, levels, the sequence of a trace entry, busy
//      stored      up, down, next_bits, stamp, count, held, grown, marks, an owner's floor: hints, or one writer at a time
//
// They come in four makes: atomic_c11.h, atomic_riscv.h (one hart, written out), atomic_cas.h (ESP32: built on its one
// compare-and-set) and masked.h (chips without one: plain accesses). Two brackets stand around every operation of core/:
//
//      MEMPOOL_ENTER() ... MEMPOOL_LEAVE()             masked.h: interrupts off; the atomic makes: nothing
//      MEMPOOL_LOCK() ... MEMPOOL_UNLOCK()             tables that change rarely, never within take and give
//
// What a platform may have: MEMPOOL_PORT_EXTENT_ALLOC(bytes) and _FREE(data), memory that pools grow into, aligned to
// MEMPOOL_ALIGN (else an arena); MEMPOOL_PORT_HEAPS with mempool_port_heap_info(number, info), its heaps.
//
// And of the platform: mempool_port_tick() with MEMPOOL_TICK_MS (a variable, not a clock that has to be read),
// mempool_port_uptime_s() since boot, mempool_port_sleep_ms(ms), mempool_port_heap_alloc/free, mempool_port_must_defer() (this interrupt may run no code outside of
// MEMPOOL_HOT) with mempool_port_defer(fn) (a task calls fn soon; false where it cannot), MEMPOOL_PORT_CTZ(v) where the machine counts
// trailing zeros, and where things lie: MEMPOOL_HOT (code that interrupts run), MEMPOOL_FAST (words), MEMPOOL_FAST_CONST (constants
// that interrupts read), MEMPOOL_PAYLOAD (blocks), MEMPOOL_NOINIT (what no start-up clears, so that a reset leaves it alone;
// mempool_port_reset_cause() is a word for the reset). MEMPOOL_PORT_INLINE is inlined always: so it lies where its caller does.
// MEMPOOL_PORT_IN_ORDER: everybody sees the order of the program, so that a look behind a store needs only a load.
// MEMPOOL_PORT_FETCH(result, table, number): result = table[number], where a port knows a shorter way.

#ifndef MEMPOOL_PORT_H
#define MEMPOOL_PORT_H

// port_host.h needs recursive mutexes and clocks also under -std=c11; so this header comes before the system's.
#if defined(__unix__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mempool.h"

#ifndef MEMPOOL_PORT_MASKED
#define MEMPOOL_PORT_MASKED 0
#endif

#if defined(ESP_PLATFORM)
#include "port_esp32.h"
#elif defined(__unix__) || defined(__APPLE__)
#include "port_host.h"
#else
#include "port_bare.h"
#endif

#ifndef MEMPOOL_PORT_FETCH
#define MEMPOOL_PORT_FETCH(result, table, number) ((result) = (table)[number])
#endif

// A pointer that tasks, interrupts and cores share. Where the compiler would call a library for it, a plain access is as atomic.
#if __GCC_ATOMIC_POINTER_LOCK_FREE == 2
#define MEMPOOL_POINTER_PEEK(pointer) __atomic_load_n(&(pointer), __ATOMIC_RELAXED)
#define MEMPOOL_POINTER_LOAD(pointer) __atomic_load_n(&(pointer), __ATOMIC_ACQUIRE)
#define MEMPOOL_POINTER_STORE(pointer, value) __atomic_store_n(&(pointer), value, __ATOMIC_RELEASE)
#else
#define MEMPOOL_POINTER_PEEK(pointer) (*(__typeof__(pointer) volatile *)&(pointer))
#define MEMPOOL_POINTER_LOAD(pointer) MEMPOOL_POINTER_PEEK(pointer)
#define MEMPOOL_POINTER_STORE(pointer, value) (*(__typeof__(pointer) volatile *)&(pointer) = (value))
#endif

#endif // MEMPOOL_PORT_H
