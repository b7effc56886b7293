// eventbus_source.h - event sources for interrupts: what happened, when, and which number in a row, as one small event; and
// the check by which a receiver sees what it did not get.
//
// An event of a source is a map {"timestamp": microseconds, "level": 0 or 1, "sequence": number}. The sequence counts every
// fire, those too that found no slot or no block: whatever is lost, and wherever, leaves a gap.
//
//      static eventbus_source_t door;
//      eventbus_source_open(&door, "door.front", EVENTBUS_HIGH);                 // a task, once
//      eventbus_source_fire(&door, now_us, gpio_get_level(DOOR));                // its interrupt
//
//      static eventbus_gap_t gap;
//      uint32_t missing = eventbus_gap_check(&gap, sequence);                    // a receiver, at each event

#ifndef EVENTBUS_SOURCE_H
#define EVENTBUS_SOURCE_H

#include "eventbus.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EVENTBUS_SOURCE_BYTES 37u // the most that the payload of an event takes

// The caller's; only the functions below touch it.
typedef struct {
    int topic; // number
    eventbus_priority_t priority;
    uint32_t fired; // the sequence of the next event
    uint32_t lost;
} eventbus_source_t;

typedef struct {
    uint32_t fired;
    uint32_t published; // fired - lost; what makes way in the queue later is the subscription's `dropped`
    uint32_t lost;      // publishes that returned an error
} eventbus_source_counts_t;

// Makes a source of `topic`; its sequence begins at 0. Calls eventbus_init. While it runs the source does not fire.
// -> EVENTBUS_OK, E_TOPIC, E_TOPICS, E_PRIORITY or E_TASK: then it is as it was. O(length), and O(subscribers) where the
// topic is new. ISR: no.
int eventbus_source_open(eventbus_source_t *source, const char *topic, eventbus_priority_t priority);

// Publishes one event. A source has one interrupt (or thread) that fires it: two at once would come out of order.
// -> EVENTBUS_OK; E_FULL, E_EXHAUSTED, or E_TOPIC where the source was not opened: counted lost. O(1). ISR: yes.
int eventbus_source_fire(eventbus_source_t *source, uint32_t timestamp_us, bool level);

// What it fired since it was opened. O(1). ISR: yes.
void eventbus_source_counts(const eventbus_source_t *source, eventbus_source_counts_t *counts);

// The receiver's: all zero at the beginning.
typedef struct {
    uint32_t next;    // the sequence that is expected
    uint32_t missing; // in all
    bool started;
} eventbus_gap_t;

// Takes note of an event's sequence -> how many are missing before it. The first event that comes is where counting begins. A
// sequence that goes back (less than half its range) is a source that was opened anew, and nothing is missing.
// O(1). ISR: yes, one receiver at a time.
uint32_t eventbus_gap_check(eventbus_gap_t *gap, uint32_t sequence);

#ifdef __cplusplus
}
#endif

#endif // EVENTBUS_SOURCE_H
