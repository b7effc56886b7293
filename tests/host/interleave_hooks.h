// interleave_hooks.h - put in front of every source of the core (gcc -include) by the interleaving checker: each
// atomic access becomes a point where another thread may go on. The sources themselves are compiled as shipped.
//
// compare_exchange_weak may fail for no reason on the machines we serve; here it fails only for a cause,
// which every other interleaving covers: a spurious failure is one more turn of the same loop.

#ifndef INTERLEAVE_HOOKS_H
#define INTERLEAVE_HOOKS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE // as the port's header would, which now comes second
#endif

#include <stdatomic.h>
#include <stdint.h>

extern void interleave_point(const volatile void *address);

// All threads are one here, and going back to a state does not bring back how often it had locked.
#define MEMPOOL_PORT_CHECK_LOCK() ((void)0)

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_fetch_and_explicit
#undef atomic_fetch_or_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub_explicit
#undef atomic_exchange_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak_explicit

#define atomic_load_explicit(p, o) (interleave_point(p), __atomic_load_n(p, __ATOMIC_SEQ_CST))
#define atomic_store_explicit(p, v, o) (interleave_point(p), __atomic_store_n(p, v, __ATOMIC_SEQ_CST))
#define atomic_fetch_and_explicit(p, v, o) INTERLEAVE_RMW(p, v, &, BREAK_AND)
#define atomic_fetch_or_explicit(p, v, o) INTERLEAVE_RMW(p, v, |, BREAK_OR)
#define atomic_fetch_add_explicit(p, v, o) INTERLEAVE_RMW(p, v, +, BREAK_ADD)
#define atomic_fetch_sub_explicit(p, v, o) INTERLEAVE_RMW(p, v, -, BREAK_ADD)
#define atomic_exchange_explicit(p, v, o) (interleave_point(p), __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST))
#define atomic_compare_exchange_strong_explicit(p, e, d, s, f) INTERLEAVE_CAS(p, e, d)
#define atomic_compare_exchange_weak_explicit(p, e, d, s, f) INTERLEAVE_CAS(p, e, d)

// Threads stop nowhere but at points, so that two plain accesses without one between them are atomic. A broken
// primitive has one there: the checker must see what comes of it (-DBREAK_AND=1 ...).
#ifndef BREAK_AND
#define BREAK_AND 0
#endif
#ifndef BREAK_OR
#define BREAK_OR 0
#endif
#ifndef BREAK_ADD
#define BREAK_ADD 0
#endif
#ifndef BREAK_CAS
#define BREAK_CAS 0
#endif

#define INTERLEAVE_RMW(p, v, operator, broken)                               \
    ({                                                                       \
        uint32_t hook_value = (v);                                           \
        interleave_point(p);                                                 \
        uint32_t hook_old = __atomic_load_n(p, __ATOMIC_SEQ_CST);            \
        if (broken) {                                                        \
            interleave_point(p);                                             \
        }                                                                    \
        __atomic_store_n(p, hook_old operator hook_value, __ATOMIC_SEQ_CST); \
        hook_old;                                                            \
    })

#define INTERLEAVE_CAS(p, e, d)                                   \
    ({                                                            \
        uint32_t hook_value = (d);                                \
        interleave_point(p);                                      \
        uint32_t hook_old = __atomic_load_n(p, __ATOMIC_SEQ_CST); \
        int hook_done = hook_old == *(e);                         \
        if (hook_done && BREAK_CAS) {                             \
            interleave_point(p);                                  \
        }                                                         \
        if (hook_done) {                                          \
            __atomic_store_n(p, hook_value, __ATOMIC_SEQ_CST);    \
        } else {                                                  \
            *(e) = hook_old;                                      \
        }                                                         \
        hook_done;                                                \
    })

#endif // INTERLEAVE_HOOKS_H
