// subscribe.c - the table of subscriptions: places, what they match, and how they end.
//
// A subscription's number is its place and the generation of the place, so that one that has ended is told from the next
// that got its place. Events that waited or were being delivered when it began are not for it: it is `fresh` as long as some may
// be left, and takes only those numbered beyond `since` then.

#include "eventbus_core.h"

#include <string.h>

#define SUB_BIT(index) (1u << ((index)&31u))

static MEMPOOL_HOT eventbus_sub_t *sub_of(eventbus_t *bus, int subscription) {
    uint32_t index = EVENTBUS_SUB_INDEX(subscription);
    if (index >= EVENTBUS_SUBSCRIBERS) {
        return NULL;
    }
    eventbus_sub_t *sub = &bus->subs[index]; // whose generation no number below 1 has
    return sub->kind != EVENTBUS_SUB_FREE && sub->generation == (uint32_t)subscription >> 8 ? sub : NULL;
}

int eventbus_sub_open(eventbus_t *bus, const eventbus_want_t *want) {
    if (eventbus_check_pattern(want->pattern, want->length) != EVENTBUS_OK) {
        return EVENTBUS_E_TOPIC;
    }
    int subscription = EVENTBUS_E_SUBSCRIBERS;
    MEMPOOL_LOCK();
    for (unsigned i = 0; i < EVENTBUS_SUBSCRIBERS; ++i) {
        eventbus_sub_t *sub = &bus->subs[i];
        if (sub->kind != EVENTBUS_SUB_FREE) {
            continue;
        }
        sub->generation = sub->generation % EVENTBUS_SUB_GENERATIONS + 1u;
        sub->pattern = want->pattern;
        sub->length = (uint8_t)want->length;
        sub->lane = want->lane;
        if (want->kind == EVENTBUS_SUB_LISTENER) {
            sub->fn.push = want->push;
        } else {
            sub->fn.call = want->call;
        }
        sub->ctx = want->ctx;
        sub->counts = (eventbus_counts_t){ 0, 0 };
        sub->kind = EVENTBUS_SUB_OPENING;
        subscription = EVENTBUS_SUB_NUMBER(i, sub->generation);
        break;
    }
    MEMPOOL_UNLOCK();
    return subscription;
}

// From here on, topics that are new match it.
static void set_kind(eventbus_t *bus, int subscription, unsigned kind) {
    MEMPOOL_LOCK();
    eventbus_sub_t *sub = sub_of(bus, subscription);
    if (sub != NULL) {
        sub->kind = (uint8_t)kind;
    }
    MEMPOOL_UNLOCK();
}

void eventbus_sub_begin(eventbus_t *bus, int subscription, unsigned kind) {
    set_kind(bus, subscription, kind);
    unsigned index = EVENTBUS_SUB_INDEX(subscription);
    eventbus_match_all(bus, index, (uint32_t)subscription >> 8);
    MEMPOOL_LOCK();
    eventbus_sub_t *sub = sub_of(bus, subscription);
    if (sub != NULL) {
        sub->since = bus->seq;
        bus->fresh[index / 32u] |= SUB_BIT(index);
        bus->lane[sub->lane].served[index / 32u] |= SUB_BIT(index);
    }
    MEMPOOL_UNLOCK();
}

int eventbus_sub_close(eventbus_t *bus, int subscription, eventbus_counts_t *counts) {
    unsigned index = EVENTBUS_SUB_INDEX(subscription);
    int status = EVENTBUS_E_STALE;
    MEMPOOL_LOCK();
    eventbus_sub_t *sub = sub_of(bus, subscription);
    if (sub != NULL) {
        bus->lane[sub->lane].served[index / 32u] &= ~SUB_BIT(index);
        bus->fresh[index / 32u] &= ~SUB_BIT(index);
        *counts = sub->counts;
        sub->kind = EVENTBUS_SUB_FREE;
        status = EVENTBUS_OK;
    }
    MEMPOOL_UNLOCK();
    return status;
}

MEMPOOL_HOT int eventbus_sub_counts(eventbus_t *bus, int subscription, eventbus_counts_t *counts) {
    MEMPOOL_LOCK();
    eventbus_sub_t *sub = sub_of(bus, subscription);
    if (sub != NULL) {
        *counts = sub->counts;
    }
    MEMPOOL_UNLOCK();
    return sub != NULL ? EVENTBUS_OK : EVENTBUS_E_STALE;
}

// ---- C's -----------------------------------------------------------------------------------------------

int eventbus_subscribe(const char *pattern, eventbus_fn_t fn, void *ctx) {
    int status = eventbus_init(); // else it would be forgotten when someone calls it later
    if (status != EVENTBUS_OK) {
        return status;
    }
    eventbus_want_t want = {
        .pattern = pattern,
        .length = strlen(pattern),
        .lane = EVENTBUS_LANE_TASK,
        .kind = EVENTBUS_SUB_CALLBACK,
        .call = fn,
        .ctx = ctx,
    };
    int subscription = eventbus_sub_open(&eventbus_default, &want);
    if (subscription > 0) {
        eventbus_sub_begin(&eventbus_default, subscription, EVENTBUS_SUB_CALLBACK);
    }
    return subscription;
}

static bool is_called(int subscription) {
    MEMPOOL_LOCK();
    bool called = eventbus_task_callee == subscription;
    MEMPOOL_UNLOCK();
    return called;
}

int eventbus_unsubscribe(int subscription) {
    eventbus_counts_t counts;
    int status = eventbus_sub_close(&eventbus_default, subscription, &counts);
    while (subscription > 0 && !eventbus_port_in_task() && is_called(subscription)) {
        eventbus_port_pause();
    }
    return status;
}

MEMPOOL_HOT int eventbus_counts(int subscription, eventbus_counts_t *counts) {
    return eventbus_sub_counts(&eventbus_default, subscription, counts);
}
