// The operations on the bus that are told apart; the names are what benchmarks/run.py reads.

#ifndef BENCH_OPERATIONS_H
#define BENCH_OPERATIONS_H

#define RECORD_OPERATIONS(X)              \
    X(PUBLISH, "publish_isr")             \
    X(NAMED, "publish_name")              \
    X(NAMED_LONG, "publish_name_long")    \
    X(EDGE, "publish_edge")               \
    X(SPILL, "publish_spill")             \
    X(PYTHON, "publish_python")           \
    X(UNWANTED, "publish_unwanted")       \
    X(EVICT, "publish_evict")             \
    X(FULL, "publish_full")               \
    X(EXHAUSTED, "publish_exhausted")     \
    X(MALFORMED, "publish_malformed")     \
    X(NEW_TOPIC, "publish_new_topic")     \
    X(TOPICS_FULL, "publish_topics_full") \
    X(DELIVER, "deliver")                 \
    X(DELIVER_ALL, "deliver_all")         \
    X(DELIVER_EDGE, "deliver_edge")       \
    X(IDLE, "idle")

#endif // BENCH_OPERATIONS_H
