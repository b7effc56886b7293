// source.c - event sources for interrupts, and the check of their sequences: see eventbus_source.h.

#include "eventbus_port.h" // first

#include "eventbus_cbor.h"
#include "eventbus_source.h"

int eventbus_source_open(eventbus_source_t *source, const char *topic, eventbus_priority_t priority) {
    if ((unsigned)priority >= EVENTBUS_PRIORITIES) {
        return EVENTBUS_E_PRIORITY;
    }
    int status = eventbus_init();
    if (status != EVENTBUS_OK) {
        return status;
    }
    int number = eventbus_topic(topic);
    if (number < 0) {
        return number;
    }
    MEMPOOL_LOCK();
    *source = (eventbus_source_t){ .topic = number, .priority = priority };
    MEMPOOL_UNLOCK();
    return EVENTBUS_OK;
}

// Draws the sequence and says where to publish.
static MEMPOOL_HOT eventbus_source_t draw(eventbus_source_t *source) {
    MEMPOOL_LOCK();
    eventbus_source_t drawn = *source;
    source->fired++;
    MEMPOOL_UNLOCK();
    return drawn;
}

static MEMPOOL_HOT void count_lost(eventbus_source_t *source) {
    MEMPOOL_LOCK();
    source->lost++;
    MEMPOOL_UNLOCK();
}

MEMPOOL_HOT int eventbus_source_fire(eventbus_source_t *source, uint32_t timestamp_us, bool level) {
    // Where an interrupt may read them while the flash is busy.
    static const MEMPOOL_FAST_CONST char timestamp_key[] = "timestamp";
    static const MEMPOOL_FAST_CONST char level_key[] = "level";
    static const MEMPOOL_FAST_CONST char sequence_key[] = "sequence";
    eventbus_source_t drawn = draw(source);
    uint8_t payload[EVENTBUS_SOURCE_BYTES];
    eventbus_cbor_writer_t w = { payload, sizeof(payload), 0 };
    eventbus_cbor_map(&w, 3);
    eventbus_cbor_text(&w, timestamp_key, sizeof(timestamp_key) - 1u);
    eventbus_cbor_uint(&w, timestamp_us);
    eventbus_cbor_text(&w, level_key, sizeof(level_key) - 1u);
    eventbus_cbor_uint(&w, level ? 1u : 0u);
    eventbus_cbor_text(&w, sequence_key, sizeof(sequence_key) - 1u);
    eventbus_cbor_uint(&w, drawn.fired);
    int status = eventbus_publish_from_isr(drawn.topic, drawn.priority, payload, w.length);
    if (status != EVENTBUS_OK) {
        count_lost(source);
    }
    return status;
}

MEMPOOL_HOT void eventbus_source_counts(const eventbus_source_t *source, eventbus_source_counts_t *counts) {
    MEMPOOL_LOCK();
    counts->fired = source->fired;
    counts->lost = source->lost;
    MEMPOOL_UNLOCK();
    counts->published = counts->fired - counts->lost;
}

MEMPOOL_HOT uint32_t eventbus_gap_check(eventbus_gap_t *gap, uint32_t sequence) {
    uint32_t missing = gap->started ? sequence - gap->next : 0u;
    if (missing >= 0x80000000u) {
        missing = 0;
    }
    gap->started = true;
    gap->next = sequence + 1u;
    gap->missing += missing;
    return missing;
}
