// Where something is at its end: the queue, with and without an event that makes way; the class of the events and then all
// classes; a payload that is none. And Python's subscribers, for whom publishing rings.

#include "eventbus_core.h" // first: Python's lane has no part in eventbus.h

#include "bus.h"
#include "console.h"

static void fill_queue(unsigned priority) {
    int status;
    do {
        status = eventbus_publish_from_isr(1, priority, NULL, 0);
    } while (status == EVENTBUS_OK);
    if (status != EVENTBUS_E_FULL) {
        console_fail("a queue that fills says", (uint32_t)-status);
    }
}

static void evict(void) {
    bus_subscribe(0, BUS_SUBSCRIBERS);
    for (unsigned lower = EVENTBUS_HIGH; lower < EVENTBUS_PRIORITIES; lower++) {
        for (unsigned priority = EVENTBUS_CRITICAL; priority < lower; priority++) {
            for (unsigned round = 0; round < 8; round++) {
                fill_queue(lower);
                bus_publish(OP_EVICT, 1, priority, bus_payloads[round % BUS_PAYLOADS], EVENTBUS_OK);
                bus_drain();
            }
        }
    }
    for (unsigned priority = 0; priority < EVENTBUS_PRIORITIES; priority++) {
        fill_queue(priority);
        bus_publish(OP_FULL, 1, priority, bus_payloads[BUS_SLOWEST], EVENTBUS_E_FULL);
        bus_drain();
    }
}

// Subscriptions that are younger than something that may wait are asked for their age.
static void fresh(void) {
    for (unsigned priority = 0; priority < EVENTBUS_PRIORITIES; priority++) {
        bus_subscribe(0, BUS_SUBSCRIBERS);
        bus_publish(OP_PUBLISH, 1, priority, bus_payloads[BUS_SLOWEST], EVENTBUS_OK);
        bus_turn(OP_DELIVER_ALL, BUS_SUBSCRIBERS);
    }
}

// CRITICAL events of the classes above, then none of any class is left.
static void exhaust(void) {
    static mempool_handle_t all[1024];
    uint32_t count = 0;
    bus_subscribe(BUS_SUBSCRIBERS - 1u, 1u);
    for (unsigned pool = MEMPOOL_TINY; pool < MEMPOOL_POOLS; pool++) {
        mempool_pool_info_t info;
        mempool_pool_info(pool, &info);
        for (mempool_handle_t handle; (handle = mempool_take_flags(info.block_size, MEMPOOL_NO_OWNER, 0)) > 0;) {
            all[count++] = handle;
            if (pool == MEMPOOL_TINY) {
                continue;
            }
            // The smaller classes are out, and this one is at any fill.
            if (eventbus_publish_from_isr(1, EVENTBUS_CRITICAL, NULL, 0) != EVENTBUS_OK) {
                continue;
            }
            bus_drain();
            bus_publish(OP_SPILL, 1, EVENTBUS_CRITICAL, bus_payloads[BUS_SLOWEST], EVENTBUS_OK);
            bus_drain();
        }
        // Whatever reserve the class has.
        for (mempool_handle_t handle; (handle = mempool_take_flags(info.block_size, MEMPOOL_NO_OWNER, MEMPOOL_CRITICAL)) > 0;) {
            all[count++] = handle;
        }
        for (unsigned priority = 0; priority < EVENTBUS_PRIORITIES && pool == MEMPOOL_POOLS - 1u; priority++) {
            bus_publish(OP_EXHAUSTED, 1, priority, bus_payloads[BUS_SLOWEST], EVENTBUS_E_EXHAUSTED);
        }
    }
    while (count > 0) {
        (void)mempool_give(all[--count]);
    }
}

static void malformed(void) {
    bus_subscribe(BUS_SUBSCRIBERS - 1u, 1u);
    for (unsigned round = 0; round < 4000; round++) {
        uint8_t bytes[BUS_PAYLOAD];
        for (unsigned i = 0; i < BUS_PAYLOAD; i++) {
            bytes[i] = i == 0 ? (uint8_t)(0x80u + bus_random(40)) : (uint8_t)bus_random(256);
        }
        if (!eventbus_cbor_check(bytes, BUS_PAYLOAD)) {
            bus_publish(OP_MALFORMED, 1, EVENTBUS_NORMAL, bytes, EVENTBUS_E_PAYLOAD);
        }
    }
    bus_subscribe(BUS_SUBSCRIBERS, 0u);
    bus_publish(OP_UNWANTED, 1, EVENTBUS_NORMAL, bus_payloads[BUS_TYPICAL], EVENTBUS_OK);
    bus_publish(OP_UNWANTED, 1, EVENTBUS_NORMAL, bus_payloads[BUS_SLOWEST], EVENTBUS_OK);
}

static void bell(void) {
}

static void python_callback(const eventbus_event_t *event, void *ctx) {
    (void)event, (void)ctx;
}

static void drain_python(void) {
    eventbus_item_t item;
    while (eventbus_next(&eventbus_default, EVENTBUS_LANE_PYTHON, &item)) {
        eventbus_callee_t callee = { 0 };
        while (eventbus_next_callee(&eventbus_default, EVENTBUS_LANE_PYTHON, &item, &callee)) {
        }
        eventbus_release(item.handle);
    }
}

static void for_python(void) {
    eventbus_want_t want = { .pattern = "sensor.*", .length = 8, .lane = EVENTBUS_LANE_PYTHON, .call = python_callback };
    want.kind = EVENTBUS_SUB_CALLBACK;
    eventbus_set_bell(bell);
    for (unsigned both = 0; both < 2; both++) {
        bus_subscribe(BUS_SUBSCRIBERS - 1u - both, both);
        int subscription = eventbus_sub_open(&eventbus_default, &want);
        eventbus_sub_begin(&eventbus_default, subscription, EVENTBUS_SUB_CALLBACK);
        for (unsigned round = 0; round < 512; round++) {
            unsigned priority = round % EVENTBUS_PRIORITIES;
            bus_publish(OP_PYTHON, 1, priority, bus_payloads[round / 4u % BUS_PAYLOADS], EVENTBUS_OK);
            if (round & 1u) {
                drain_python();
                eventbus_task_run();
            }
        }
        drain_python();
        bus_drain();
        eventbus_counts_t counts;
        (void)eventbus_sub_close(&eventbus_default, subscription, &counts);
    }
}

void bus_parts_limits(void) {
    record_phase("the queue is full");
    evict();
    record_phase("fresh subscriptions");
    fresh();
    record_phase("pools are full");
    exhaust();
    record_phase("8 bytes that are no item");
    malformed();
    record_phase("a subscriber in Python");
    for_python();
    bus_check();
}
