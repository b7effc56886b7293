// meets.h - put in front of every source of a core (gcc -include): before any one of its atomic accesses, or of its locks,
// a test may have something else happen, as another core or an interrupt would (meets.py). And the platform's heap may be out of
// memory. The sources are compiled as shipped.
//
// A compare-and-swap that may fail for no reason fails here for a cause alone: what it read was changed before it.

#ifndef MEETS_H
#define MEETS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE // as the port's header would, which now comes second
#endif

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

extern bool meets_no_memory;
void meets_point(void);
void meets_locked(int change);
void meets_nap(void);

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_fetch_and_explicit
#undef atomic_fetch_or_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub_explicit
#undef atomic_exchange_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak_explicit

#define atomic_load_explicit(p, o) (meets_point(), __atomic_load_n(p, __ATOMIC_SEQ_CST))
#define atomic_store_explicit(p, v, o) (meets_point(), __atomic_store_n(p, v, __ATOMIC_SEQ_CST))
#define atomic_fetch_and_explicit(p, v, o) (meets_point(), __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST))
#define atomic_fetch_or_explicit(p, v, o) (meets_point(), __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST))
#define atomic_fetch_add_explicit(p, v, o) (meets_point(), __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST))
#define atomic_fetch_sub_explicit(p, v, o) (meets_point(), __atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST))
#define atomic_exchange_explicit(p, v, o) (meets_point(), __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST))
#define MEETS_CAS(p, e, d) (meets_point(), __atomic_compare_exchange_n(p, e, d, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
#define atomic_compare_exchange_strong_explicit(p, e, d, s, f) MEETS_CAS(p, e, d)
#define atomic_compare_exchange_weak_explicit(p, e, d, s, f) MEETS_CAS(p, e, d)
#define pthread_mutex_lock(mutex) (meets_point(), pthread_mutex_lock(mutex), meets_locked(1))
#define pthread_mutex_unlock(mutex) (meets_locked(-1), pthread_mutex_unlock(mutex))
#define nanosleep(time, rest) (meets_nap(), nanosleep(time, rest))
#define malloc(size) (meets_no_memory ? NULL : malloc(size))

#endif // MEETS_H
