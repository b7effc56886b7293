// bus.c - the operations of a scene with the event bus, and what must hold when all threads are done.
//
//      fire:P          publishes to the topic "a" as an interrupt does, with priority P;  publish:P  by its name
//      turn            the bus's task: at most one thread of a scene
//      deliver         the VM's thread delivers Python's lane;  keep  the same, and keeps the last event;  release  lets it go
//      sub unsub       a subscription of C to "a": begins; ends (this thread's own, else the set-up's)
//      topic:N         registers topic N (0 is "a")
//      clear resetpy busstats businit
//
// The set-up says bus, then sub, pysub (one of Python's) and fire:P. Without bus none of this is there.

#include "ops.h"

#if WITH_BUS

#include <string.h>

#include "eventbus_core.h"

#define SUBS 6

typedef struct {
    uint32_t calls;
    uint32_t last_seq[EVENTBUS_PRIORITIES];
    int number; // of the subscription
    bool ended;
    bool from_the_start;
} sub_t;

static sub_t subs[SUBS]; // 0: C's of the set-up, 1: Python's, then one a thread
static const char *const names[] = { "a", "b", "c", "d" };
static int topic;
static uint32_t accepted, refused; // by the set-up
static uint32_t accepted_in[THREADS], refused_in[THREADS];
static mempool_handle_t kept[THREADS];
static bool is_ready, cleared, task_woken;
static int task = -1;

void unit_wake(void) {
    task_woken = true;
}

bool unit_in_task(void) {
    return weak_in_thread() && (int)weak_thread() == task;
}

// ---- What subscribers see ------------------------------------------------------------------------------

static void check_event(sub_t *sub, uint32_t seq, unsigned priority, const uint8_t *payload, size_t length) {
    weak_read(payload, length);
    if (length != 1 || payload[0] != priority) {
        weak_fail("an event of %u bytes that begin with %u, of priority %u", (unsigned)length, payload[0], priority);
    }
    if (sub->last_seq[priority] != 0 && (int32_t)(seq - sub->last_seq[priority]) <= 0) {
        weak_fail("event %u comes after event %u", seq, sub->last_seq[priority]);
    }
    sub->last_seq[priority] = seq;
    sub->calls++;
}

static void hear(const eventbus_event_t *event, void *ctx) {
    check_event(ctx, event->seq, event->priority, event->payload, event->length);
}

static sub_t *sub_of_thread(void) {
    return &subs[weak_in_thread() ? 2 + weak_thread() : 0];
}

static int32_t subscribe(uint32_t argument) {
    (void)argument;
    sub_t *sub = sub_of_thread();
    sub->number = eventbus_subscribe("a", hear, sub);
    return sub->number > 0 ? 0 : sub->number;
}

static int32_t unsubscribe(uint32_t argument) {
    (void)argument;
    sub_t *sub = sub_of_thread()->number > 0 ? sub_of_thread() : &subs[0];
    int status = eventbus_unsubscribe(sub->number);
    sub->ended = true;
    return status;
}

static void subscribe_python(void) {
    eventbus_want_t want = {
        .pattern = "*",
        .length = 1,
        .lane = EVENTBUS_LANE_PYTHON,
        .kind = EVENTBUS_SUB_CALLBACK,
        .call = hear,
        .ctx = &subs[1],
    };
    subs[1].number = eventbus_sub_open(&eventbus_default, &want);
    eventbus_sub_begin(&eventbus_default, subs[1].number, EVENTBUS_SUB_CALLBACK);
}

// ---- Operations ----------------------------------------------------------------------------------------

static int32_t count(int status) {
    uint32_t *of = status == EVENTBUS_OK ? (weak_in_thread() ? &accepted_in[weak_thread()] : &accepted)
                                         : (weak_in_thread() ? &refused_in[weak_thread()] : &refused);
    (*of)++;
    return status == EVENTBUS_OK || status == EVENTBUS_E_EXHAUSTED || status == EVENTBUS_E_FULL ? 0 : status;
}

static int32_t fire(uint32_t priority) {
    uint8_t payload = (uint8_t)priority; // a small number, in CBOR
    return count(eventbus_publish_from_isr(topic, (eventbus_priority_t)priority, &payload, 1));
}

static int32_t publish(uint32_t priority) {
    uint8_t payload = (uint8_t)priority;
    return count(eventbus_publish("a", (eventbus_priority_t)priority, &payload, 1));
}

static int32_t turn(uint32_t argument) {
    (void)argument;
    eventbus_task_run();
    return 0;
}

static int32_t deliver_and(bool keep) {
    eventbus_t *bus = &eventbus_default;
    eventbus_item_t item;
    if (!eventbus_deliver_begin(bus)) {
        return 0;
    }
    while (eventbus_next(bus, EVENTBUS_LANE_PYTHON, &item)) {
        eventbus_callee_t callee = { 0 };
        while (eventbus_next_callee(bus, EVENTBUS_LANE_PYTHON, &item, &callee)) {
            check_event(callee.ctx, item.header->seq, item.header->priority, item.data, item.header->length);
        }
        if (keep && kept[weak_thread()] == 0 && eventbus_keep(item.handle)) {
            kept[weak_thread()] = item.handle;
        }
        eventbus_release(item.handle);
    }
    eventbus_deliver_end(bus);
    return 0;
}

static int32_t deliver(uint32_t argument) {
    (void)argument;
    return deliver_and(false);
}

static int32_t deliver_and_keep(uint32_t argument) {
    (void)argument;
    return deliver_and(true);
}

static int32_t release(uint32_t argument) {
    (void)argument;
    mempool_handle_t *mine = &kept[weak_thread()];
    if (*mine != 0) {
        eventbus_item_t item;
        if (!eventbus_look(*mine, &item)) {
            return 1;
        }
        weak_read(item.data, 1);
        eventbus_release(*mine);
        *mine = 0;
    }
    return 0;
}

// The same number for the same name, whoever asks.
static int32_t register_topic(uint32_t n) {
    int number = eventbus_topic(names[n]);
    size_t length;
    return number < 1 || strcmp(eventbus_topic_name((unsigned)number, &length), names[n]) != 0 || length != 1 ||
           (n == 0 && topic != 0 && number != topic);
}

static int32_t clear(uint32_t argument) {
    (void)argument;
    eventbus_clear(&eventbus_default);
    return 0;
}

static int32_t reset_python(uint32_t argument) {
    (void)argument;
    eventbus_reset_python();
    return 0;
}

static int32_t read_stats(uint32_t argument) {
    (void)argument;
    eventbus_stats_t s;
    eventbus_stats(&s);
    return s.queue_free > EVENTBUS_QUEUE || s.high_water > EVENTBUS_QUEUE || s.published > OPS || s.refused > OPS ||
           s.delivered > OPS * SUBS || s.high_water < EVENTBUS_QUEUE - s.queue_free;
}

static int32_t init(uint32_t argument) {
    (void)argument;
    return eventbus_init();
}

const verb_t bus_verbs[] = {
    { "fire", BUS, fire },
    { "publish", BUS, publish },
    { "turn", BUS, turn },
    { "deliver", BUS, deliver },
    { "keep", BUS, deliver_and_keep },
    { "release", BUS, release },
    { "sub", BUS, subscribe },
    { "unsub", BUS, unsubscribe },
    { "topic", BUS, register_topic },
    { "clear", BUS, clear },
    { "resetpy", BUS, reset_python },
    { "busstats", BUS, read_stats },
    { "businit", BUS, init },
    { NULL, NOTHING, NULL },
};

bool bus_prepare(const char *verb, uint32_t argument) {
    if (strcmp(verb, "bus") == 0) {
        is_ready = eventbus_init() == EVENTBUS_OK;
        topic = eventbus_topic("a");
    } else if (strcmp(verb, "sub") == 0) {
        (void)subscribe(0);
    } else if (strcmp(verb, "pysub") == 0) {
        subscribe_python();
    } else if (strcmp(verb, "fire") == 0) {
        (void)fire(argument);
    } else {
        return false;
    }
    return true;
}

void bus_ready(void) {
    for (unsigned i = 0; i < OPS && world.ops[i].what != NULL; i++) {
        const verb_t *what = world.ops[i].what;
        if (what->run == turn) {
            task = world.ops[i].thread;
        }
        cleared |= what->run == clear || what->run == reset_python;
    }
    subs[0].from_the_start = subs[0].number > 0;
    subs[1].from_the_start = subs[1].number > 0;
}

// ---- At rest -------------------------------------------------------------------------------------------

// Each event came once to each that was there all the time, or was counted as dropped.
static void judge_sub(const sub_t *sub, uint32_t published) {
    eventbus_counts_t counts;
    if (sub->number <= 0 || sub->ended || eventbus_sub_counts(&eventbus_default, sub->number, &counts) != EVENTBUS_OK) {
        return;
    }
    bool all = !sub->from_the_start || counts.delivered + counts.dropped == published;
    if (counts.delivered != sub->calls || counts.delivered + counts.dropped > published || !all) {
        weak_fail("subscription %#x: called %u times, counted %u delivered and %u dropped of %u", (unsigned)sub->number, sub->calls,
            counts.delivered, counts.dropped, published);
    }
}

void bus_judge(void) {
    if (!is_ready) {
        return;
    }
    eventbus_t *bus = &eventbus_default;
    if (bus->lane[EVENTBUS_LANE_TASK].waiting != 0 && !task_woken) {
        weak_fail("something waits for the task, which nobody woke");
    }
    eventbus_task_run();
    (void)deliver(0);
    for (unsigned t = 0; t < THREADS; t++) {
        if (kept[t] != 0) {
            eventbus_release(kept[t]);
        }
        accepted += accepted_in[t];
        refused += refused_in[t];
    }
    eventbus_stats_t s;
    eventbus_stats(&s);
    if (s.published != accepted || s.refused != refused || s.queue_free != EVENTBUS_QUEUE) {
        weak_fail("published %u of %u, refused %u of %u, %u slots free", s.published, accepted, s.refused, refused, s.queue_free);
    }
    for (unsigned i = 0; i < SUBS; i++) {
        judge_sub(&subs[i], accepted);
    }
    for (unsigned lane = 0; lane < EVENTBUS_LANES; lane++) {
        if (bus->lane[lane].waiting != 0) {
            weak_fail("%u events wait in lane %u for ever", bus->lane[lane].waiting, lane);
        }
    }
}

#else

const verb_t bus_verbs[] = { { NULL, NOTHING, NULL } };

bool bus_prepare(const char *verb, uint32_t argument) {
    (void)verb;
    (void)argument;
    return false;
}

void bus_judge(void) {
}

void bus_ready(void) {
}

#endif
