// The operations on the pools that are told apart; the names are what benchmarks/run.py reads.

#ifndef BENCH_OPERATIONS_H
#define BENCH_OPERATIONS_H

#define RECORD_OPERATIONS(X)               \
    X(TAKE, "take")                        \
    X(GIVE, "give")                        \
    X(TAKE_EDGE, "take_edge")              \
    X(GIVE_EDGE, "give_edge")              \
    X(STATS, "stats")                      \
    X(REFUSED, "give_refused")             \
    X(EMPTY, "take_empty")                 \
    X(DENIED, "take_denied")               \
    X(SIZE, "take_size")                   \
    X(CRITICAL, "take_critical")           \
    X(CRITICAL_EDGE, "take_critical_edge") \
    X(DATA, "data")                        \
    X(ALLOC, "alloc")                      \
    X(FREE, "free")                        \
    X(POOL_STATS, "pool_stats")            \
    X(GC_ALLOC, "gc_alloc_empty")          \
    X(GC_FREE, "gc_free_empty")            \
    X(GC_ALLOC_HALF, "gc_alloc_half")      \
    X(GC_FREE_HALF, "gc_free_half")

#endif // BENCH_OPERATIONS_H
