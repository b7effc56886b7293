// eventbus.h - the C contract of the event bus: publish from tasks, threads and interrupts, subscribe in the bus's own
// task. C reaches the default bus, the one that Python sees as eventbus.bus.
//
// An event is a topic, a priority and a payload of CBOR (RFC 8949; eventbus_cbor.h writes and reads it), in one block
// of a pool. All its subscribers share the block; the last to be done gives it back. C subscribers do not wait for
// Python: they are called while the VM runs, sleeps or collects garbage.
//
// "ISR: yes" means: callable from interrupts, tasks, threads and either core, at the same time. Nothing here
// allocates from a heap, but for the task that eventbus_init makes; nothing blocks, but eventbus_unsubscribe. Interrupts (ESP32: this core's, and a
// spinlock) are off for a bounded number of instructions at a time.

#ifndef EVENTBUS_H
#define EVENTBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Results below zero.
typedef enum {
    EVENTBUS_OK = 0,
    EVENTBUS_E_FULL = -1,        // the queue holds nothing of a lower priority that could make way
    EVENTBUS_E_EXHAUSTED = -2,   // no block of a class that may serve the event is free
    EVENTBUS_E_TOPIC = -3,       // topic or pattern: empty, too long, an empty level, a misplaced *, or no such number
    EVENTBUS_E_TOPICS = -4,      // the topic table is full (CONFIG_MEMORY_POOL_EVENT_TOPICS)
    EVENTBUS_E_PAYLOAD = -5,     // not CBOR, CBOR of a kind that events do not have, or nested too deep
    EVENTBUS_E_SIZE = -6,        // more than EVENTBUS_MAX_PAYLOAD bytes
    EVENTBUS_E_PRIORITY = -7,    // not one of the four
    EVENTBUS_E_SUBSCRIBERS = -8, // the table is full (CONFIG_MEMORY_POOL_EVENT_SUBSCRIBERS)
    EVENTBUS_E_STALE = -9,       // a subscription that has ended
    EVENTBUS_E_TASK = -10,       // no memory for the bus's task (on ESP32: CONFIG_MEMORY_POOL_EVENT_TASK_STACK)
} eventbus_status_t;

// Higher first, first-in-first-out within one.
typedef enum {
    EVENTBUS_CRITICAL,
    EVENTBUS_HIGH,
    EVENTBUS_NORMAL,
    EVENTBUS_LOW,
    EVENTBUS_PRIORITIES,
} eventbus_priority_t;

#define EVENTBUS_MAX_TOPIC 63u    // bytes of a topic or pattern
#define EVENTBUS_HEADER 16u       // bytes of a block that the bus keeps for itself, at its end
#define EVENTBUS_MAX_PAYLOAD 496u // bytes: the largest block without them

// Makes the bus ready: once, before the first use; later calls do nothing. Calls mempool_init. Importing eventbus calls it, and
// eventbus_subscribe.
// Before it, and while it runs elsewhere, nobody can be subscribed: topics are numbered and publishing is EVENTBUS_OK, as without a
// subscriber.
// -> EVENTBUS_OK or E_TASK: a later call tries again. O(queue). ISR: no.
int eventbus_init(void);

// ---- Publishing ----------------------------------------------------------------------------------------

// The number of a topic, 1 to CONFIG_MEMORY_POOL_EVENT_TOPICS: what an interrupt publishes by. A topic is 1 to 63 bytes
// of levels joined by dots, none empty, without `*`. It stays registered until the next power-on.
// -> number, E_TOPIC or E_TOPICS. O(length), and O(subscribers) where it is new. ISR: no.
int eventbus_topic(const char *name);

// Publishes `length` bytes of CBOR, one item (NULL and 0: null), copied into a block. When the queue is full, the oldest
// event of the lowest priority below the new one makes way. Without a subscriber it is EVENTBUS_OK, and takes no block.
// -> EVENTBUS_OK, E_FULL, E_EXHAUSTED, E_TOPIC, E_TOPICS, E_PAYLOAD, E_SIZE or E_PRIORITY: nothing was published then.
// O(length) and O(1), whatever the number of subscribers; O(its subscribers) where an event makes way. ISR: no.
int eventbus_publish(const char *topic, eventbus_priority_t priority, const void *payload, size_t length);

// The same, by the number of a topic. Where several things are wrong, the priority is told first, then the payload. ISR: yes.
int eventbus_publish_from_isr(int topic, eventbus_priority_t priority, const void *payload, size_t length);

// ---- Subscribing ---------------------------------------------------------------------------------------

typedef struct {
    const char *topic; // ends with a NUL
    const void *payload;
    uint32_t length;  // bytes of the payload
    uint32_t time_ms; // when it was published, by MicroPython's time.ticks_ms() where it runs
    uint32_t seq;     // of this bus: one more for each event with a subscriber, also where it then found no slot
    uint8_t priority;
    bool raw; // a block that Python handed over: bytes of its own, no CBOR
} eventbus_event_t;

// Runs in the bus's own task: on ESP32 a FreeRTOS task, on unix a thread, on the bare boards an interrupt of the lowest
// priority. Never two at once. The event and what it points to are good until it returns. It may publish
// (bare boards: from_isr), subscribe and unsubscribe (not on the bare boards), itself too.
typedef void (*eventbus_fn_t)(const eventbus_event_t *event, void *ctx);

// Subscribes to `pattern`: a topic; `*` stands for one level, at the end for one or more, alone for everything. The
// string is not copied: it stays where it is as long as the subscription lasts. An event reaches the
// subscriptions that there were when it was published.
// A number is obeyed again after 2^23 - 1 later uses of its very place in the table; before that a subscription that has ended is
// E_STALE.
// -> subscription > 0, E_TOPIC, E_SUBSCRIBERS or E_TASK. O(topics). ISR: no.
int eventbus_subscribe(const char *pattern, eventbus_fn_t fn, void *ctx);

// Ends a subscription. When it returns, `fn` does not run and will not, unless it is `fn` that calls.
// -> EVENTBUS_OK or E_STALE. O(1), and waits for `fn`. ISR: no.
int eventbus_unsubscribe(int subscription);

typedef struct {
    uint32_t delivered; // calls
    uint32_t dropped;   // events that made way before they came to it
} eventbus_counts_t;

// -> EVENTBUS_OK or E_STALE. O(1). ISR: yes.
int eventbus_counts(int subscription, eventbus_counts_t *counts);

// ---- Seeing --------------------------------------------------------------------------------------------
//
// All counts are of 32 bits and come round to 0, a subscription's too; so do seq and the sequence of a source. What compares two
// of them does so by their difference. Latencies are of events that waited less than 2^32 us (71 minutes); longer ones come round.
// The mean is of all calls since power-on, of late ones more where there were over 2^31.

typedef struct {
    uint32_t published;                    // events accepted; those that nobody wanted, or that made way later, too
    uint32_t delivered;                    // calls of subscribers, Python's and C's; listeners count for themselves
    uint32_t dropped[EVENTBUS_PRIORITIES]; // events that made way, or were cleared, before all had them
    uint32_t refused;                      // publishes that returned an error for want of a topic, a slot or a block
    uint32_t high_water;                   // most slots of the queue in use
    uint32_t queue_free;                   // slots
    uint32_t latency_max_us;               // from publish to the call
    uint32_t latency_mean_us;
} eventbus_stats_t;

// Of the default bus. O(1). ISR: yes.
void eventbus_stats(eventbus_stats_t *stats);

#ifdef __cplusplus
}
#endif

#endif // EVENTBUS_H
