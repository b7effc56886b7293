// task.c - the bus's own task, which calls C's subscribers, and the doorbell that asks MicroPython to call Python's.
//
// The bell must never keep the VM from its program (MicroPython 1.25 runs a node that is armed anew at once, before it goes
// on), so: nobody rings while a delivery runs, whoever is not MicroPython's own thread leaves the ringing to the
// task, and the task waits until the last delivery is 1 ms past.

#include "eventbus_core.h"

#define QUIET_US 1000u // that the VM has for itself between two deliveries

static MEMPOOL_FAST eventbus_bell_t bell;
static MEMPOOL_FAST uint32_t delivering; // buses whose Python lane is being delivered
static MEMPOOL_FAST bool due;            // the task is to ring
static MEMPOOL_FAST bool quiet;          // a delivery ended at quiet_since_us, and the task has not seen 1 ms pass since
static MEMPOOL_FAST uint32_t quiet_since_us;

MEMPOOL_FAST uint16_t eventbus_task_topic;
MEMPOOL_FAST int eventbus_task_callee;

void eventbus_set_bell(eventbus_bell_t fn) {
    MEMPOOL_LOCK();
    bell = fn;
    MEMPOOL_UNLOCK();
}

// ---- The bell ------------------------------------------------------------------------------------------

MEMPOOL_HOT void eventbus_ring(eventbus_t *bus, bool vm) {
    eventbus_bell_t now = NULL;
    bool wake = false;
    MEMPOOL_LOCK();
    if (bus->lane[EVENTBUS_LANE_PYTHON].waiting != 0 && !bus->running && !bus->paused) {
        if (vm && delivering == 0) {
            now = bell;
        } else {
            wake = !due;
            due = true;
        }
    }
    MEMPOOL_UNLOCK();
    if (now != NULL) {
        now();
    } else if (wake) {
        eventbus_port_wake();
    }
}

bool eventbus_deliver_begin(eventbus_t *bus) {
    MEMPOOL_LOCK();
    bool claimed = !bus->running && !bus->paused && !bus->closed;
    if (claimed) {
        bus->running = true;
        delivering++;
    }
    MEMPOOL_UNLOCK();
    return claimed;
}

void eventbus_deliver_end(eventbus_t *bus) {
    MEMPOOL_LOCK();
    if (bus->running) { // a reset may have come between
        bus->running = false;
        delivering--;
    }
    if (bus->lane[EVENTBUS_LANE_PYTHON].waiting != 0 && !bus->paused) {
        due = true;
    }
    bool later = due;
    quiet = true;
    quiet_since_us = eventbus_port_us();
    MEMPOOL_UNLOCK();
    if (later) {
        eventbus_port_later();
    }
}

void eventbus_set_paused(eventbus_t *bus, bool paused) {
    MEMPOOL_LOCK();
    bus->paused = paused;
    MEMPOOL_UNLOCK();
}

// Whether to ring now; *later: not yet. *more: the task's lane is not empty.
static eventbus_bell_t ring_now(const eventbus_t *bus, bool *later, bool *more) {
    eventbus_bell_t now = NULL;
    MEMPOOL_LOCK();
    *more = bus->lane[EVENTBUS_LANE_TASK].waiting != 0;
    if (quiet && eventbus_port_us() - quiet_since_us >= QUIET_US) {
        quiet = false;
    }
    *later = due && quiet && delivering == 0; // the end of a delivery asks again
    if (due && !quiet && delivering == 0) {
        due = false;
        now = bell;
    }
    MEMPOOL_UNLOCK();
    return now;
}

// ---- C's subscribers -----------------------------------------------------------------------------------

static void deliver(eventbus_t *bus, const eventbus_item_t *item) {
    const eventbus_header_t *header = item->header;
    size_t length;
    eventbus_event_t event = {
        .topic = eventbus_topic_name(header->topic, &length),
        .payload = item->data,
        .length = header->length,
        .time_ms = header->time_ms,
        .seq = header->seq,
        .priority = header->priority,
        .raw = (header->flags & EVENTBUS_RAW) != 0,
    };
    eventbus_callee_t callee = { 0 };
    while (eventbus_next_callee(bus, EVENTBUS_LANE_TASK, item, &callee)) {
        callee.call(&event, callee.ctx);
    }
}

// ---- A turn --------------------------------------------------------------------------------------------

void eventbus_task_run(void) {
    eventbus_t *bus = &eventbus_default;
    eventbus_item_t item;
    for (unsigned n = 0; n < bus->size && eventbus_next(bus, EVENTBUS_LANE_TASK, &item); ++n) {
        deliver(bus, &item);
        eventbus_release(item.handle);
    }
    bool later;
    bool more;
    eventbus_bell_t now = ring_now(bus, &later, &more);
    if (now != NULL) {
        now();
    }
    if (later) {
        eventbus_port_later();
    }
    if (more) {
        eventbus_port_more();
    }
}

// ---- The end of a life of the interpreter --------------------------------------------------------------

void eventbus_reset_python(void) {
    eventbus_t *bus = &eventbus_default;
    eventbus_counts_t counts;
    eventbus_set_bell(NULL);
    for (unsigned i = 0; i < EVENTBUS_SUBSCRIBERS; ++i) {
        MEMPOOL_LOCK();
        const eventbus_sub_t *sub = &bus->subs[i];
        bool python = sub->kind != EVENTBUS_SUB_FREE && sub->lane == EVENTBUS_LANE_PYTHON;
        int subscription = EVENTBUS_SUB_NUMBER(i, sub->generation);
        MEMPOOL_UNLOCK();
        if (python) {
            (void)eventbus_sub_close(bus, subscription, &counts);
        }
    }
    eventbus_clear_lane(bus, EVENTBUS_LANE_PYTHON);
    MEMPOOL_LOCK();
    bus->running = false; // a reset out of the middle of a delivery
    bus->paused = false;
    delivering = 0;
    due = false;
    quiet = false;
    MEMPOOL_UNLOCK();
    eventbus_forget_topics(bus);
}
