// A C subscriber that judges what comes: how many, how late, and what is missing by the sequences of the sources. It runs in the
// bus's task, and goes on beyond a soft reset until `_platform.sink_stop()`.

#include "eventbus_port.h" // first

#include <string.h>

#include "py/runtime.h"

#include "bus_sources.h"
#include "eventbus.h"
#include "eventbus_cbor.h"
#include "eventbus_source.h"
#include "sdkconfig.h"

#if CONFIG_MEMORY_POOL_ENABLE

#define BINS 25
#define TOPICS 8 // whose sequences are followed

typedef struct {
    char topic[EVENTBUS_MAX_TOPIC + 1]; // empty: the place is free
    eventbus_gap_t gap;
} followed_t;

// The task writes and Python reads: under the lock.
static struct {
    int subscription;
    char pattern[EVENTBUS_MAX_TOPIC + 1];
    uint32_t busy_us; // that it takes for each event
    uint32_t count;
    uint32_t missing;
    uint32_t longest_us;
    uint32_t bins[BINS]; // [n] counts latencies below 2^n us, the last one the rest
    followed_t followed[TOPICS];
} sink;

static bool field_of(const eventbus_event_t *event, const char *key, size_t length, uint32_t *value) {
    eventbus_cbor_item_t item;
    const uint8_t *end = (const uint8_t *)event->payload + event->length;
    const uint8_t *at = eventbus_cbor_find(event->payload, event->length, key, length);
    if (at == NULL || eventbus_cbor_read(at, end, &item) == NULL || item.kind != EVENTBUS_CBOR_UINT) {
        return false;
    }
    *value = (uint32_t)item.value;
    return true;
}

static void count_latency(uint32_t late_us) {
    unsigned bin = 0;
    while (bin + 1 < BINS && late_us >> bin != 0) {
        bin += 1;
    }
    sink.bins[bin] += 1;
    if (late_us > sink.longest_us) {
        sink.longest_us = late_us;
    }
}

static void count_missing(const char *topic, uint32_t sequence) {
    for (size_t i = 0; i < TOPICS; ++i) {
        followed_t *followed = &sink.followed[i];
        if (followed->topic[0] == 0) {
            strcpy(followed->topic, topic);
        }
        if (strcmp(followed->topic, topic) == 0) {
            sink.missing += eventbus_gap_check(&followed->gap, sequence);
            return;
        }
    }
}

static void sink_take(const eventbus_event_t *event, void *ctx) {
    (void)ctx;
    uint32_t timestamp_us, sequence;
    bool timed = !event->raw && field_of(event, "timestamp", 9, &timestamp_us);
    bool numbered = !event->raw && field_of(event, "sequence", 8, &sequence);
    MEMPOOL_LOCK();
    sink.count += 1;
    if (timed) {
        count_latency(bus_machine_us() - timestamp_us);
    }
    if (numbered) {
        count_missing(event->topic, sequence);
    }
    MEMPOOL_UNLOCK();
    for (uint32_t start_us = bus_machine_us(); bus_machine_us() - start_us < sink.busy_us;) {
    }
}

// sink_stop() -> events that made way before they came to it; ends the subscription of sink()
static mp_obj_t platform_sink_stop(void) {
    eventbus_counts_t counts = { 0 };
    if (sink.subscription > 0) {
        eventbus_counts(sink.subscription, &counts);
        eventbus_unsubscribe(sink.subscription);
        sink.subscription = 0;
    }
    return mp_obj_new_int_from_uint(counts.dropped);
}
MP_DEFINE_CONST_FUN_OBJ_0(platform_sink_stop_obj, platform_sink_stop);

// sink(pattern, busy_us=0): subscribes, and counts from 0; busy for so long at each event
static mp_obj_t platform_sink(size_t n_args, const mp_obj_t *args) {
    size_t length;
    const char *text = mp_obj_str_get_data(args[0], &length);
    mp_int_t busy_us = n_args > 1 ? mp_obj_get_int(args[1]) : 0;
    if (length >= sizeof(sink.pattern)) {
        mp_raise_ValueError(MP_ERROR_TEXT("pattern too long"));
    }
    platform_sink_stop();
    memset(&sink, 0, sizeof(sink));
    memcpy(sink.pattern, text, length);
    sink.busy_us = (uint32_t)busy_us;
    sink.subscription = eventbus_subscribe(sink.pattern, sink_take, NULL);
    if (sink.subscription < 0) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("eventbus says %d"), sink.subscription);
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(platform_sink_obj, 1, 2, platform_sink);

// sink_read() -> (events, missing, longest_us, bins): bins[n] counts latencies below 2^n us; missing by their sequences
static mp_obj_t platform_sink_read(void) {
    uint32_t heads[3], counts[BINS];
    mp_obj_t bins[BINS];
    MEMPOOL_LOCK();
    heads[0] = sink.count;
    heads[1] = sink.missing;
    heads[2] = sink.longest_us;
    memcpy(counts, sink.bins, sizeof(counts));
    MEMPOOL_UNLOCK();
    for (size_t i = 0; i < BINS; ++i) {
        bins[i] = mp_obj_new_int_from_uint(counts[i]);
    }
    mp_obj_t items[] = {
        mp_obj_new_int_from_uint(heads[0]),
        mp_obj_new_int_from_uint(heads[1]),
        mp_obj_new_int_from_uint(heads[2]),
        mp_obj_new_tuple(BINS, bins),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
MP_DEFINE_CONST_FUN_OBJ_0(platform_sink_read_obj, platform_sink_read);

#endif // CONFIG_MEMORY_POOL_ENABLE
