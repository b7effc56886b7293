// eventbus_core.h - the state of a bus, for the files of core/ and for the Python binding.
//
// An event is a block: the payload at its start, the header at the very end, so that a Block that Python filled becomes an
// event without a copy.
//
//      | payload ... length bytes | spare | seq time_ms refs length topic priority flags |
//      ^ data                              ^ data + capacity - 16
//
// A bus has one queue of slots. A slot waits in up to two lanes, Python's and the task's, each with a list per priority; it is
// free again when no lane waits for it. One lock (MEMPOOL_LOCK) guards slots, lists, tables and the counts of references; it
// is held for a bounded number of instructions, never while a subscriber runs, and never while a block is taken
// or given back.
//
//      slot:   handle, header, stamp, lanes that wait, next in each lane
//      lane:   head and tail of 4 lists, which subscriptions are served by it
//      topic:  name, hash; for each bus a bit per subscription that matches: publishing compares no patterns (of
//              subscriptions that no lane serves the bits mean nothing)
//
// References: one for each lane, taken before the slot can be seen; one for each listener and each kept event, taken while a
// lane's is held. Who gives back the last one gives back the block.

#ifndef EVENTBUS_CORE_H
#define EVENTBUS_CORE_H

#include "eventbus_port.h" // first

#include "eventbus.h"
#include "eventbus_cbor.h"
#include "eventbus_config.h"
#include "mempool.h"

#define EVENTBUS_MASK_WORDS ((EVENTBUS_SUBSCRIBERS + 31) / 32)
#define EVENTBUS_TOPIC_WORDS ((EVENTBUS_TOPICS + 31) / 32)

enum {
    EVENTBUS_LANE_PYTHON,
    EVENTBUS_LANE_TASK,
    EVENTBUS_LANES,
};

#define EVENTBUS_RAW 1u // flags of an event: bytes of the publisher's own

typedef struct {
    uint32_t seq;
    uint32_t time_ms;
    uint16_t refs;
    uint16_t length; // bytes of payload
    uint16_t topic;  // number
    uint8_t priority;
    uint8_t flags;
} eventbus_header_t;

_Static_assert(sizeof(eventbus_header_t) == EVENTBUS_HEADER, "the header has the size that the contract names");

typedef struct {
    eventbus_header_t *header;
    mempool_handle_t handle;
    uint32_t stamp_us;             // when it was published
    uint16_t next[EVENTBUS_LANES]; // index + 1 of a slot, 0: none; of a free slot [0] is the next free one
    uint8_t lanes;                 // bit n: lane n waits for it
} eventbus_slot_t;

typedef struct {
    uint16_t head[EVENTBUS_PRIORITIES]; // index + 1, 0: none
    uint16_t tail[EVENTBUS_PRIORITIES];
    uint16_t waiting;
    uint32_t served[EVENTBUS_MASK_WORDS]; // subscriptions
    uint32_t calls;
    uint32_t timed; // calls that the sum is of
    uint32_t latency_max_us;
    uint64_t latency_sum_us;
} eventbus_lane_t;

// An event that a lane has taken out of the queue: with it goes the lane's reference.
typedef struct {
    mempool_handle_t handle; // 0: none
    eventbus_header_t *header;
    const uint8_t *data;
    uint32_t stamp_us;
} eventbus_item_t;

// What a listener's subscription does with an event, under the lock: it keeps it with one reference more (header->refs), or
// not. -> the event that makes way for it, whose reference the bus then releases, or 0.
typedef mempool_handle_t (*eventbus_push_t)(const eventbus_item_t *item, void *ctx);

enum {
    EVENTBUS_SUB_FREE,
    EVENTBUS_SUB_OPENING,  // has its place, and matches nothing yet
    EVENTBUS_SUB_CALLBACK, // Python's or C's
    EVENTBUS_SUB_LISTENER, // pushed to
};

typedef struct {
    const char *pattern; // the subscriber's
    union {
        eventbus_fn_t call;
        eventbus_push_t push;
    } fn;
    void *ctx;
    uint32_t since; // events up to this number came before it
    eventbus_counts_t counts;
    uint32_t generation; // 23 bits: as many as a number has room for beside the place
    uint8_t length;      // of the pattern
    uint8_t kind;
    uint8_t lane;
} eventbus_sub_t;

typedef struct {
    eventbus_slot_t *slots;
    uint16_t size; // slots
    uint16_t used;
    uint16_t high_water;
    uint16_t free; // index + 1 of the first free slot
    bool running;  // Python's lane is being delivered: it does not nest
    bool paused;   // Python's lane waits
    bool closed;   // it is given back: nothing is queued any more
    uint32_t seq;
    uint32_t published;
    uint32_t refused;
    uint32_t filtered;
    uint32_t dropped[EVENTBUS_PRIORITIES];
    eventbus_lane_t lane[EVENTBUS_LANES];
    uint32_t fresh[EVENTBUS_MASK_WORDS];  // subscriptions that may be younger than something that waits or is delivered
    uint32_t known[EVENTBUS_TOPIC_WORDS]; // topics whose matches are worked out
    uint32_t match[EVENTBUS_TOPICS][EVENTBUS_MASK_WORDS];
    eventbus_sub_t subs[EVENTBUS_SUBSCRIBERS];
} eventbus_t;

extern eventbus_t eventbus_default;

// Gives a bus that is all zeros its queue: `size` (1 to EVENTBUS_QUEUE_MAX) slots that are the caller's. Others may ask the bus and
// publish to nobody meanwhile. O(size).
void eventbus_open(eventbus_t *bus, eventbus_slot_t *slots, unsigned size);

// ---- Topics (topics.c) ---------------------------------------------------------------------------------

// EVENTBUS_OK or E_TOPIC. O(length).
int eventbus_check_topic(const char *name, size_t length);
int eventbus_check_pattern(const char *pattern, size_t length);

// Whether a well-formed pattern matches a well-formed topic. O(length).
bool eventbus_match(const char *pattern, size_t pattern_length, const char *topic, size_t topic_length);

// The number of a well-formed topic, registered where it is new, its matches on `bus` worked out; E_TOPICS. `keep`: also
// beyond a soft reset. O(length), and O(subscribers) where it is new to the bus.
int eventbus_intern(eventbus_t *bus, const char *name, size_t length, bool keep);

// The name of a registered topic, with a NUL behind it. O(1).
const char *eventbus_topic_name(unsigned topic, size_t *length);

// Whether a topic has this number. Under the lock. O(1).
bool eventbus_topic_is(int topic);

// Works out anew what a subscription matches, as long as it has this generation. O(topics).
void eventbus_match_all(eventbus_t *bus, unsigned index, uint32_t generation);

// Forgets the topics that neither C registered nor an event of the task's lane has. O(topics).
void eventbus_forget_topics(eventbus_t *bus);

// ---- Subscriptions (subscribe.c): numbers as eventbus_subscribe's --------------------------------------

typedef struct {
    const char *pattern;
    size_t length;
    uint8_t lane;
    uint8_t kind; // EVENTBUS_SUB_CALLBACK or _LISTENER: call or push
    eventbus_fn_t call;
    eventbus_push_t push;
    void *ctx;
} eventbus_want_t;

// A place for a subscription: number, E_TOPIC or E_SUBSCRIBERS. It gets events from eventbus_sub_begin on, so that the caller
// can note the number first.
int eventbus_sub_open(eventbus_t *bus, const eventbus_want_t *want);
void eventbus_sub_begin(eventbus_t *bus, int subscription, unsigned kind);

// Ends it -> its last counts, or E_STALE. A call that has begun may still run. O(1).
int eventbus_sub_close(eventbus_t *bus, int subscription, eventbus_counts_t *counts);
int eventbus_sub_counts(eventbus_t *bus, int subscription, eventbus_counts_t *counts);

#define EVENTBUS_SUB_GENERATIONS 0x7fffffu // 1 to this; a number is obeyed again after so many uses of its place
#define EVENTBUS_SUB_INDEX(number) (((uint32_t)(number)&0xffu) - 1u)
#define EVENTBUS_SUB_NUMBER(index, generation) ((int)((uint32_t)(generation) << 8 | ((index) + 1u)))

// ---- The queue (queue.c) -------------------------------------------------------------------------------

// Whether anyone is subscribed to a topic: 1 or 0, or E_TOPIC where none has this number. O(1).
int eventbus_is_wanted(eventbus_t *bus, unsigned topic);

// A block for an event of `length` bytes of payload (1 to EVENTBUS_MAX_PAYLOAD): what its priority is allowed. -> handle or
// E_EXHAUSTED. O(classes).
mempool_handle_t eventbus_take(uint32_t length, unsigned priority);

// Queues a block that C owns as an event, and rings. Where it returns EVENTBUS_OK the block is the bus's, else (E_FULL) it stays
// the caller's. `vm`: the caller is MicroPython's thread, between two of its bytecodes. O(1), O(subscribers of the
// event that makes way).
int eventbus_send(eventbus_t *bus, unsigned topic, unsigned priority, mempool_handle_t handle, uint32_t length,
    unsigned flags, bool vm);

// Counts what is not sent, and why. -> status.
int eventbus_refuse(eventbus_t *bus, int status);
void eventbus_count_unwanted(eventbus_t *bus); // published, to nobody
void eventbus_count_filtered(eventbus_t *bus);

// The next event of a lane, of the highest priority; false where there is none. O(1).
bool eventbus_next(eventbus_t *bus, unsigned lane, eventbus_item_t *item);

// Who is to be called with an event.
typedef struct {
    unsigned index; // where to go on; starts at 0
    int subscription;
    eventbus_fn_t call;
    void *ctx;
    unsigned pushed; // listeners served so far
} eventbus_callee_t;

// The next callback of the lane at or after index that gets the event, counted as called; listeners between are pushed to.
// False where there is none. O(subscribers).
bool eventbus_next_callee(eventbus_t *bus, unsigned lane, const eventbus_item_t *item, eventbus_callee_t *callee);

// What an event's handle stands for: false where it is none. O(1).
bool eventbus_look(mempool_handle_t handle, eventbus_item_t *item);

// One reference more: false where the event has ended meanwhile. One less: the last gives the block back. O(1).
bool eventbus_keep(mempool_handle_t handle);
void eventbus_release(mempool_handle_t handle);

// Gives back what waits in a lane; in all of them: counted dropped. O(queue).
void eventbus_clear(eventbus_t *bus);
void eventbus_clear_lane(eventbus_t *bus, unsigned lane);

void eventbus_read_stats(eventbus_t *bus, eventbus_stats_t *stats);

// ---- Python's doorbell, and the task (task.c) ----------------------------------------------------------

// Asks for the delivery of Python's lane. Called by MicroPython's thread or by the bus's task, never while a delivery runs, and
// but by MicroPython's own thread never earlier than 1 ms after one: so that no producer can keep the VM busy for good.
typedef void (*eventbus_bell_t)(void);
void eventbus_set_bell(eventbus_bell_t bell);

// Claims the delivery of Python's lane of a bus: false where one runs, or it is paused. end: tells what is left to be rung for.
bool eventbus_deliver_begin(eventbus_t *bus);
void eventbus_deliver_end(eventbus_t *bus);

// Python's lane of a paused bus waits; who goes on rings.
void eventbus_set_paused(eventbus_t *bus, bool paused);

// Rings, or sees to it that it is rung, where something waits in Python's lane that nobody delivers.
void eventbus_ring(eventbus_t *bus, bool vm);

// Ends all that Python has of the default bus: subscriptions, what waits for it, the bell. C goes on. O(queue + topics).
void eventbus_reset_python(void);

// One turn of the bus's task: see port/.
void eventbus_task_run(void);

// What the task is at: the topic of the event and the subscription that it calls, 0: none. Written under the lock.
extern uint16_t eventbus_task_topic;
extern int eventbus_task_callee;

#endif // EVENTBUS_CORE_H
