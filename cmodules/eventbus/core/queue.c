// queue.c - events that wait: slots, the lanes' lists, who makes way when the queue is full, and references.

#include "eventbus_core.h"

#include <string.h>

eventbus_t eventbus_default MEMPOOL_FAST;

#define LANE_BIT(lane) (1u << (lane))
#define ALL_LANES (LANE_BIT(EVENTBUS_LANES) - 1u)
#define SEQ_FAR (1u << 30)                           // events that a fresh subscription's number stays behind at most, and
#define SEQ_STEP (1u << 28)                          // how often that is seen to
#define KEEP_MAX (UINT16_MAX - EVENTBUS_SUBSCRIBERS) // listeners to come add theirs without asking

void eventbus_open(eventbus_t *bus, eventbus_slot_t *slots, unsigned size) {
    for (unsigned i = 0; i < size; ++i) {
        slots[i] = (eventbus_slot_t){ .next = { (uint16_t)(i + 1u < size ? i + 2u : 0u), 0 } };
    }
    MEMPOOL_LOCK();
    bus->slots = slots;
    bus->size = (uint16_t)size;
    bus->free = 1;
    MEMPOOL_UNLOCK();
}

// ---- Lists: all under the lock -------------------------------------------------------------------------

static MEMPOOL_HOT void append(eventbus_t *bus, unsigned lane_index, unsigned priority, uint16_t slot) {
    eventbus_lane_t *lane = &bus->lane[lane_index];
    bus->slots[slot - 1u].next[lane_index] = 0;
    if (lane->tail[priority] == 0) {
        lane->head[priority] = slot;
    } else {
        bus->slots[lane->tail[priority] - 1u].next[lane_index] = slot;
    }
    lane->tail[priority] = slot;
    lane->waiting++;
}

static MEMPOOL_HOT uint16_t remove_head(eventbus_t *bus, unsigned lane_index, unsigned priority) {
    eventbus_lane_t *lane = &bus->lane[lane_index];
    uint16_t slot = lane->head[priority];
    lane->head[priority] = bus->slots[slot - 1u].next[lane_index];
    if (lane->head[priority] == 0) {
        lane->tail[priority] = 0;
    }
    lane->waiting--;
    bus->slots[slot - 1u].lanes &= (uint8_t)~LANE_BIT(lane_index);
    return slot;
}

static MEMPOOL_HOT void free_slot(eventbus_t *bus, uint16_t slot) {
    bus->slots[slot - 1u].next[0] = bus->free;
    bus->free = slot;
    bus->used--;
}

// Of 32 subscriptions, the w-th so many, those that were there when the event was published.
static MEMPOOL_HOT uint32_t were_there(const eventbus_t *bus, unsigned w, uint32_t subs, const eventbus_header_t *header) {
    uint32_t fresh = subs & bus->fresh[w];
    for (const eventbus_sub_t *sub = &bus->subs[32u * w]; fresh != 0; fresh >>= 1, ++sub) {
        if ((fresh & 1u) != 0 && (int32_t)(header->seq - sub->since) <= 0) {
            subs &= ~(1u << ((unsigned)(sub - bus->subs) & 31u));
        }
    }
    return subs;
}

// Numbers come round: long before one is as far ahead of a fresh subscription as it may be behind, the subscription follows.
static MEMPOOL_HOT __attribute__((noinline)) void catch_up(eventbus_t *bus) {
    for (unsigned i = 0; i < EVENTBUS_SUBSCRIBERS; ++i) {
        if ((bus->fresh[i / 32u] >> (i & 31u) & 1u) != 0 && bus->seq - bus->subs[i].since > SEQ_FAR) {
            bus->subs[i].since = bus->seq - SEQ_FAR;
        }
    }
}

static MEMPOOL_HOT void count_dropped(eventbus_t *bus, const eventbus_header_t *header, unsigned lanes) {
    bus->dropped[header->priority]++;
    for (unsigned w = 0; w < EVENTBUS_MASK_WORDS; ++w) {
        uint32_t missed = 0;
        for (unsigned lane = 0; lane < EVENTBUS_LANES; ++lane) {
            missed |= (lanes & LANE_BIT(lane)) != 0 ? bus->lane[lane].served[w] : 0u;
        }
        missed = were_there(bus, w, missed & bus->match[header->topic - 1u][w], header);
        for (unsigned i = 32u * w; missed != 0; missed >>= 1, ++i) {
            bus->subs[i].counts.dropped += missed & 1u;
        }
    }
}

// The oldest event of a priority, of those of `lanes` that wait for it: it is the head of each of them, since all lists are in the
// order of publishing. So a head that also waits in the other lane, but not as its head, is the younger one, however
// far the numbers have come round meanwhile.
static MEMPOOL_HOT uint16_t oldest(const eventbus_t *bus, unsigned lanes, unsigned priority) {
    uint16_t python = (lanes & LANE_BIT(EVENTBUS_LANE_PYTHON)) != 0 ? bus->lane[EVENTBUS_LANE_PYTHON].head[priority] : 0;
    uint16_t task = (lanes & LANE_BIT(EVENTBUS_LANE_TASK)) != 0 ? bus->lane[EVENTBUS_LANE_TASK].head[priority] : 0;
    if (python == 0 || task == 0) {
        return python | task;
    }
    if (bus->slots[python - 1u].lanes == ALL_LANES) {
        return task;
    }
    if (bus->slots[task - 1u].lanes == ALL_LANES) {
        return python;
    }
    uint32_t ahead = bus->slots[python - 1u].header->seq - bus->slots[task - 1u].header->seq;
    return (int32_t)ahead < 0 ? python : task;
}

// One reference less -> true where it was the last: the block is to be given back.
static MEMPOOL_HOT bool let_go(eventbus_header_t *header) {
    header->refs--;
    return header->refs == 0;
}

// Takes the event in a slot out of those of `lanes` that wait for it -> the block, where it is to be given back, or 0.
static MEMPOOL_HOT mempool_handle_t drop(eventbus_t *bus, unsigned lanes, unsigned priority, uint16_t slot) {
    const eventbus_slot_t *entry = &bus->slots[slot - 1u];
    bool last = false;
    lanes &= entry->lanes;
    count_dropped(bus, entry->header, lanes);
    for (unsigned lane = 0; lane < EVENTBUS_LANES; ++lane) {
        if ((lanes & LANE_BIT(lane)) != 0) {
            (void)remove_head(bus, lane, priority);
            last = let_go(entry->header);
        }
    }
    if (entry->lanes == 0) {
        free_slot(bus, slot);
    }
    return last ? entry->handle : 0;
}

// Drops the oldest event of the lowest priority below `priority` that there is in `lanes`: false where there is none. *out: a
// block to be given back, or 0.
static MEMPOOL_HOT bool make_way(eventbus_t *bus, unsigned lanes, int priority, mempool_handle_t *out) {
    for (int lower = EVENTBUS_PRIORITIES - 1; lower > priority; --lower) {
        uint16_t slot = oldest(bus, lanes, (unsigned)lower);
        if (slot != 0) {
            *out = drop(bus, lanes, (unsigned)lower, slot);
            return true;
        }
    }
    return false;
}

// ---- In ------------------------------------------------------------------------------------------------

// The lanes that have a subscription to the topic, as bits. Under the lock.
static MEMPOOL_HOT unsigned wanted_by(const eventbus_t *bus, unsigned topic) {
    unsigned lanes = 0;
    const uint32_t *match = bus->match[topic - 1u];
    for (unsigned w = 0; w < EVENTBUS_MASK_WORDS; ++w) {
        for (unsigned lane = 0; lane < EVENTBUS_LANES; ++lane) {
            lanes |= (match[w] & bus->lane[lane].served[w]) != 0 ? LANE_BIT(lane) : 0u;
        }
    }
    return lanes;
}

MEMPOOL_HOT int eventbus_is_wanted(eventbus_t *bus, unsigned topic) {
    MEMPOOL_LOCK();
    int wanted = !eventbus_topic_is((int)topic) ? EVENTBUS_E_TOPIC
                 : wanted_by(bus, topic) != 0u  ? 1
                                                : 0;
    MEMPOOL_UNLOCK();
    return wanted;
}

MEMPOOL_HOT static eventbus_header_t *header_of(const mempool_block_t *block) {
    return (eventbus_header_t *)(void *)((uint8_t *)block->data + block->capacity - EVENTBUS_HEADER);
}

// Links the event into the lanes that want it -> those, 0 where none does, or E_FULL. Under the lock.
static MEMPOOL_HOT int link_in(eventbus_t *bus, const eventbus_header_t *draft, eventbus_header_t *header,
    mempool_handle_t handle, uint32_t now_us, mempool_handle_t *out) {
    unsigned lanes = bus->closed ? 0u : wanted_by(bus, draft->topic);
    if (lanes == 0) {
        bus->published++;
        return 0;
    }
    bus->seq++;
    if (bus->seq % SEQ_STEP == 0) {
        catch_up(bus);
    }
    if (bus->free == 0 && !make_way(bus, ALL_LANES, draft->priority, out)) {
        bus->refused++;
        return EVENTBUS_E_FULL;
    }
    bus->published++;
    uint16_t slot = bus->free;
    eventbus_slot_t *entry = &bus->slots[slot - 1u];
    bus->free = entry->next[0];
    bus->used++;
    if (bus->used > bus->high_water) {
        bus->high_water = bus->used;
    }
    *header = *draft;
    header->seq = bus->seq;
    header->refs = (uint16_t)((lanes & 1u) + (lanes >> 1));
    entry->header = header;
    entry->handle = handle;
    entry->stamp_us = now_us;
    entry->lanes = (uint8_t)lanes;
    for (unsigned lane = 0; lane < EVENTBUS_LANES; ++lane) {
        if ((lanes & LANE_BIT(lane)) != 0) {
            append(bus, lane, draft->priority, slot);
        }
    }
    return (int)lanes;
}

MEMPOOL_HOT int eventbus_send(eventbus_t *bus, unsigned topic, unsigned priority, mempool_handle_t handle, uint32_t length,
    unsigned flags, bool vm) {
    mempool_block_t block;
    if (mempool_inspect(handle, &block) != MEMPOOL_OK) {
        return EVENTBUS_E_STALE;
    }
    eventbus_header_t draft = {
        .time_ms = eventbus_port_ms(),
        .length = (uint16_t)length,
        .topic = (uint16_t)topic,
        .priority = (uint8_t)priority,
        .flags = (uint8_t)flags,
    };
    mempool_handle_t out = 0;
    MEMPOOL_LOCK();
    int lanes = link_in(bus, &draft, header_of(&block), handle, eventbus_port_us(), &out);
    MEMPOOL_UNLOCK();
    if (out != 0) {
        (void)mempool_give(out);
    }
    if (lanes == 0) {
        (void)mempool_give(handle); // who wanted it has gone meanwhile
    }
    if (lanes < 0) {
        return lanes;
    }
    if (((unsigned)lanes & LANE_BIT(EVENTBUS_LANE_TASK)) != 0) {
        eventbus_port_wake();
    }
    if (((unsigned)lanes & LANE_BIT(EVENTBUS_LANE_PYTHON)) != 0) {
        eventbus_ring(bus, vm);
    }
    return EVENTBUS_OK;
}

// ---- Out -----------------------------------------------------------------------------------------------

bool eventbus_next(eventbus_t *bus, unsigned lane, eventbus_item_t *item) {
    item->handle = 0;
    MEMPOOL_LOCK();
    if (lane == EVENTBUS_LANE_TASK) {
        eventbus_task_topic = 0;
    }
    for (unsigned priority = 0; priority < EVENTBUS_PRIORITIES; ++priority) {
        if (bus->lane[lane].head[priority] != 0) {
            uint16_t slot = remove_head(bus, lane, priority);
            const eventbus_slot_t *entry = &bus->slots[slot - 1u];
            item->handle = entry->handle;
            item->header = entry->header;
            item->stamp_us = entry->stamp_us;
            if (lane == EVENTBUS_LANE_TASK) {
                eventbus_task_topic = entry->header->topic;
            }
            if (entry->lanes == 0) {
                free_slot(bus, slot);
            }
            break;
        }
    }
    for (unsigned w = 0; w < EVENTBUS_MASK_WORDS && item->handle == 0; ++w) {
        bus->fresh[w] &= ~bus->lane[lane].served[w]; // nothing older than these waits, or is being delivered
    }
    MEMPOOL_UNLOCK();
    if (item->handle == 0) {
        return false;
    }
    item->data = mempool_data(item->handle);
    return true;
}

// Counts a call that is about to be made. Under the lock.
static MEMPOOL_HOT void count_call(eventbus_lane_t *lane, eventbus_sub_t *sub, uint32_t late_us) {
    sub->counts.delivered++;
    lane->calls++;
    lane->latency_sum_us += late_us;
    if (++lane->timed == 1u << 31) {
        lane->timed >>= 1; // a mean that goes on for years
        lane->latency_sum_us >>= 1;
    }
    if (late_us > lane->latency_max_us) {
        lane->latency_max_us = late_us;
    }
}

// The next subscription at or after *index that gets the event; NULL where there is none. Under the lock.
static MEMPOOL_HOT eventbus_sub_t *next_sub(eventbus_t *bus, const eventbus_lane_t *lane, const eventbus_header_t *header,
    unsigned *index) {
    const uint32_t *match = bus->match[header->topic - 1u];
    for (unsigned i = *index; i < EVENTBUS_SUBSCRIBERS; i = (i | 31u) + 1u) {
        uint32_t bits = (match[i / 32u] & lane->served[i / 32u]) >> (i & 31u);
        uint32_t fresh = bus->fresh[i / 32u] >> (i & 31u);
        for (unsigned at = i; bits != 0; bits >>= 1, fresh >>= 1, ++at) {
            if ((bits & 1u) != 0 && ((fresh & 1u) == 0 || (int32_t)(header->seq - bus->subs[at].since) > 0)) {
                *index = at;
                return &bus->subs[at];
            }
        }
    }
    return NULL;
}

bool eventbus_next_callee(eventbus_t *bus, unsigned lane_index, const eventbus_item_t *item,
    eventbus_callee_t *callee) {
    eventbus_lane_t *lane = &bus->lane[lane_index];
    eventbus_sub_t *sub;
    callee->subscription = 0;
    do {
        mempool_handle_t out = 0;
        MEMPOOL_LOCK();
        sub = next_sub(bus, lane, item->header, &callee->index);
        if (sub != NULL && sub->kind == EVENTBUS_SUB_LISTENER) {
            out = sub->fn.push(item, sub->ctx);
            callee->pushed++;
        } else if (sub != NULL) {
            count_call(lane, sub, eventbus_port_us() - item->stamp_us);
            callee->subscription = EVENTBUS_SUB_NUMBER(callee->index, sub->generation);
            callee->call = sub->fn.call;
            callee->ctx = sub->ctx;
        }
        if (lane_index == EVENTBUS_LANE_TASK) {
            eventbus_task_callee = callee->subscription;
        }
        MEMPOOL_UNLOCK();
        callee->index++;
        if (out != 0) {
            eventbus_release(out);
        }
    } while (sub != NULL && callee->subscription == 0);
    return sub != NULL;
}

// ---- References ----------------------------------------------------------------------------------------

MEMPOOL_HOT bool eventbus_look(mempool_handle_t handle, eventbus_item_t *item) {
    mempool_block_t block;
    if (handle <= 0 || mempool_inspect(handle, &block) != MEMPOOL_OK || block.python) {
        return false;
    }
    item->handle = handle;
    item->header = header_of(&block);
    item->data = block.data;
    item->stamp_us = 0;
    return true;
}

MEMPOOL_HOT bool eventbus_keep(mempool_handle_t handle) {
    eventbus_item_t item;
    MEMPOOL_LOCK();
    bool kept = eventbus_look(handle, &item) && item.header->refs != 0 && item.header->refs < KEEP_MAX;
    if (kept) {
        item.header->refs++;
    }
    MEMPOOL_UNLOCK();
    return kept;
}

MEMPOOL_HOT void eventbus_release(mempool_handle_t handle) {
    eventbus_item_t item;
    if (!eventbus_look(handle, &item)) {
        return;
    }
    MEMPOOL_LOCK();
    bool last = let_go(item.header);
    MEMPOOL_UNLOCK();
    if (last) {
        (void)mempool_give(handle);
    }
}

// One event at a time: all make way for what is above every priority there is.
static void clear(eventbus_t *bus, unsigned lanes) {
    for (bool more = true; more;) {
        mempool_handle_t out = 0;
        MEMPOOL_LOCK();
        more = make_way(bus, lanes, -1, &out);
        MEMPOOL_UNLOCK();
        if (out != 0) {
            (void)mempool_give(out);
        }
    }
}

void eventbus_clear_lane(eventbus_t *bus, unsigned lane) {
    clear(bus, LANE_BIT(lane));
}

void eventbus_clear(eventbus_t *bus) {
    clear(bus, ALL_LANES);
}
