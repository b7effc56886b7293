// stress_bus.h - what the threads of stress_bus.c know of each other, and the payload by which every event is told from every
// other: a CBOR byte string with its thread, its number, and bytes that follow from both.

#ifndef STRESS_BUS_H
#define STRESS_BUS_H

#include "eventbus_core.h" // first

#include "../host/stress.h"

#define THREADS_MAX 8u
#define EVENTS_MAX (1u << 23) // of a thread
#define TOPICS_EACH 3u

// What became of each event: a bit a row.
typedef struct {
    uint8_t bits[THREADS_MAX][EVENTS_MAX / 8u];
} record_t;

static inline bool record(record_t *row, unsigned thread, uint32_t number) {
    uint8_t bit = (uint8_t)(1u << (number & 7u));
    bool before = (row->bits[thread][number / 8u] & bit) != 0;
    row->bits[thread][number / 8u] |= bit;
    return before;
}

static inline bool recorded(const record_t *row, unsigned thread, uint32_t number) {
    return (row->bits[thread][number / 8u] >> (number & 7u) & 1u) != 0;
}

// Follow from thread and number, so that nobody has to note them.
static inline uint32_t mixed(unsigned thread, uint32_t number) {
    return (number * THREADS_MAX + thread) * 2654435761u;
}

static inline unsigned priority_of(unsigned thread, uint32_t number) {
    return mixed(thread, number) >> 30;
}

static inline uint32_t length_of(unsigned thread, uint32_t number) {
    static const uint8_t lengths[8] = { 10, 10, 16, 17, 40, 48, 60, 112 };
    return lengths[mixed(thread, number) >> 20 & 7u];
}

static inline void fill_payload(uint8_t *to, unsigned thread, uint32_t number) {
    uint32_t length = length_of(thread, number);
    to[0] = 0x58;
    to[1] = (uint8_t)(length - 2u);
    to[2] = (uint8_t)thread;
    memcpy(to + 3, &number, sizeof(number));
    memset(to + 7, (int)(mixed(thread, number) >> 16 & 0xffu), length - 7u);
}

// Checks every byte of an event -> its thread and number.
static inline unsigned verify_event(const eventbus_event_t *event, uint32_t *number) {
    const uint8_t *bytes = event->payload;
    uint8_t want[128];
    unsigned thread = event->length < 10 ? THREADS_MAX : bytes[2];
    if (thread >= THREADS_MAX) {
        fail("an event of thread %u with %u bytes", thread, event->length);
    }
    memcpy(number, bytes + 3, sizeof(*number));
    fill_payload(want, thread, *number);
    if (event->length != length_of(thread, *number) || memcmp(want, bytes, event->length) != 0 ||
        event->priority != priority_of(thread, *number) || event->raw) {
        fail("event %u of thread %u: priority %u, %u bytes", *number, thread, event->priority, event->length);
    }
    char topic[16];
    snprintf(topic, sizeof(topic), "s.%u.%u", thread, *number % TOPICS_EACH);
    if (strcmp(topic, event->topic) != 0) {
        fail("event %u of thread %u is of %s", *number, thread, event->topic);
    }
    return thread;
}

// A subscription that stays: what it got, each once, and in order within thread and priority.
typedef struct {
    record_t *got;
    _Atomic uint64_t calls;
    uint32_t next[THREADS_MAX][EVENTBUS_PRIORITIES];
} reader_t;

static inline void note(reader_t *reader, const eventbus_event_t *event) {
    uint32_t number;
    unsigned thread = verify_event(event, &number);
    if (record(reader->got, thread, number)) {
        fail("event %u of thread %u came twice", number, thread);
    }
    uint32_t *next = &reader->next[thread][event->priority];
    if (number < *next) {
        fail("event %u of thread %u came after %u", number, thread, *next - 1u);
    }
    *next = number + 1u;
    reader->calls++;
}

#endif // STRESS_BUS_H
