// Timed operations on the bus. Publishing and delivery stand behind eventbus.h alone; what the task runs, behind the
// port's contract.

#include <string.h>

#include "bus.h"
#include "console.h"
#include "mempool.h"

#define HELD_MAX 1024u
#define PAYLOAD_TRIALS 60000u

void eventbus_task_run(void);
bool eventbus_cbor_check(const void *payload, size_t length);

uint8_t bus_payloads[BUS_PAYLOADS][BUS_PAYLOAD] = { { 0xa1, 0x61, 'v', 0x1a, 0x12, 0x34, 0x56, 0x78 } };
uint32_t bus_tiny_usable;
bool bus_reads_pressure;

static mempool_handle_t held[HELD_MAX];
static uint32_t held_count;
static uint32_t tiny_size;
static int subscriptions[BUS_SUBSCRIBERS];
static uint32_t subscribed;
static uint32_t calls;
static volatile uint32_t rung;

uint32_t bus_random(uint32_t limit) {
    static uint32_t sequence = 2463534242u;
    sequence ^= sequence << 13;
    sequence ^= sequence >> 17;
    sequence ^= sequence << 5;
    return (uint32_t)(((uint64_t)sequence * limit) >> 32);
}

static void doorbell(void) {
    rung++;
}

// The slowest 8 bytes among many that are one good item. What makes an item slow is how many others it holds.
static void find_slowest_payload(void) {
    static const uint8_t heads[] = { 0x00, 0x17, 0x18, 0x20, 0x40, 0x41, 0x60, 0x61, 0x62, 0x63, 0x67, 0x80, 0x81, 0x82,
        0x83, 0x84, 0x87, 0xa0, 0xa1, 0xa2, 0xa3, 0xf4, 0xf6, 0xc3, 0xa9, 'a' };
    uint32_t result, slowest = 0;
    for (uint32_t trial = 0; trial < PAYLOAD_TRIALS; trial++) {
        uint8_t bytes[BUS_PAYLOAD];
        for (unsigned i = 0; i < BUS_PAYLOAD; i++) {
            bytes[i] = heads[bus_random(sizeof(heads))];
        }
        uint32_t cost = record_cost((void *)eventbus_cbor_check, (uint32_t)bytes, BUS_PAYLOAD, 0, 0, &result);
        if ((result & 0xffu) != 0 && cost > slowest) {
            slowest = cost;
            memcpy(bus_payloads[BUS_SLOWEST], bytes, BUS_PAYLOAD);
        }
    }
    uint32_t typical = record_cost((void *)eventbus_cbor_check, (uint32_t)bus_payloads[0], BUS_PAYLOAD, 0, 0, &result);
    record_once("bus_check_typical", typical);
    record_once("bus_check_slowest", slowest);
    for (unsigned i = 0; i < BUS_PAYLOAD; i++) {
        console_print("payload %u\n", (uint32_t)bus_payloads[BUS_SLOWEST][i]);
    }
}

void bus_init(void) {
    eventbus_init();
    mempool_pool_info_t info;
    if (mempool_pool_info(MEMPOOL_TINY, &info) != MEMPOOL_OK || info.block_size < BUS_PAYLOAD + EVENTBUS_HEADER) {
        console_fail("such events are not of the class TINY", info.block_size);
    }
    bus_tiny_usable = info.count - info.reserve;
    tiny_size = info.block_size;
    mempool_set_pressure_hook(doorbell);
    find_slowest_payload();
}

void bus_others_hold(uint32_t fill) {
    while (held_count < fill) {
        mempool_handle_t handle = mempool_take(tiny_size, MEMPOOL_NO_OWNER);
        if (handle <= 0) {
            console_fail("a block that is free was not given", fill);
        }
        held[held_count++] = handle;
    }
    while (held_count > fill) {
        uint32_t at = bus_random(held_count);
        if (mempool_give(held[at]) != MEMPOOL_OK) {
            console_fail("a block that is held was not taken back", fill);
        }
        held[at] = held[--held_count];
    }
}

// ---- Subscriptions and topics --------------------------------------------------------------------------

static void subscriber(const eventbus_event_t *event, void *ctx) {
    (void)event, (void)ctx;
    calls++;
}

static void subscribe(const char *pattern) {
    int subscription = eventbus_subscribe(pattern, subscriber, NULL);
    if (subscription <= 0) {
        console_fail("a subscription was refused", subscribed);
    }
    subscriptions[subscribed++] = subscription;
}

void bus_subscribe(unsigned others, unsigned wanted) {
    while (subscribed > 0) {
        if (eventbus_unsubscribe(subscriptions[--subscribed]) != EVENTBUS_OK) {
            console_fail("a subscription did not end", subscribed);
        }
    }
    for (unsigned i = 0; i < others; i++) {
        subscribe(i & 1u ? "another.*.measured" : "sensor.elsewhere.*");
    }
    for (unsigned i = 0; i < wanted; i++) {
        subscribe("sensor.temperature.*");
    }
}

const char *bus_topic_name(unsigned number) {
    static char name[EVENTBUS_MAX_TOPIC + 1u];
    static const char start[] = "sensor.temperature.upda000";
    size_t length = number & 1u ? sizeof(start) - 1u : EVENTBUS_MAX_TOPIC;
    memset(name, 'x', sizeof(name));
    memcpy(name, start, sizeof(start) - 1u);
    for (unsigned i = 0; i < 3; i++, number /= 10u) {
        name[length - 1u - i] = (char)('0' + number % 10u);
    }
    name[length] = 0;
    return name;
}

// ---- Timed ---------------------------------------------------------------------------------------------

static void read_pressure(void) {
    unsigned pool;
    mempool_level_t level;
    while (bus_reads_pressure && mempool_pressure_next(&pool, &level)) {
    }
}

uint32_t bus_waiting(void) {
    eventbus_stats_t stats;
    eventbus_stats(&stats);
    static uint32_t size;
    if (size < stats.queue_free) {
        size = stats.queue_free; // seen first with nothing queued
    }
    return size - stats.queue_free;
}

static void as_expected(uint32_t result, int expected) {
    if ((int)result != expected) {
        console_fail("publish answered", (uint32_t) - (int)result);
    }
}

uint32_t bus_publish(record_op_t op, unsigned topic, unsigned priority, const uint8_t *payload, int expected) {
    mempool_stats_t before, after;
    uint32_t result, waiting = bus_waiting();
    mempool_pool_stats(MEMPOOL_TINY, &before);
    rung = 0;
    uint32_t cost = record_cost((void *)eventbus_publish_from_isr, topic, priority, (uint32_t)payload, BUS_PAYLOAD, &result);
    as_expected(result, expected);
    mempool_pool_stats(MEMPOOL_TINY, &after);
    if (op == OP_PUBLISH && after.used == before.used) {
        op = OP_SPILL;
    } else if (rung) {
        op = OP_EDGE;
    }
    record_add(op, MEMPOOL_TINY, waiting, cost);
    read_pressure();
    return cost;
}

uint32_t bus_publish_name(record_op_t op, const char *name, unsigned priority, const uint8_t *payload, int expected) {
    uint32_t result, waiting = bus_waiting();
    rung = 0;
    uint32_t cost = record_cost((void *)eventbus_publish, (uint32_t)name, priority, (uint32_t)payload, BUS_PAYLOAD, &result);
    as_expected(result, expected);
    if (!rung) {
        record_add(op, MEMPOOL_TINY, waiting, cost);
    }
    read_pressure();
    return cost;
}

uint32_t bus_turn(record_op_t op, uint32_t expected) {
    uint32_t result, waiting = bus_waiting();
    calls = 0;
    rung = 0;
    uint32_t cost = record_cost((void *)eventbus_task_run, 0, 0, 0, 0, &result);
    if (calls != expected) {
        console_fail("a turn called subscribers", calls);
    }
    record_add(rung ? OP_DELIVER_EDGE : op, MEMPOOL_TINY, waiting, cost);
    read_pressure();
    return cost;
}

void bus_drain(void) {
    while (bus_waiting()) {
        eventbus_task_run();
    }
}

void bus_check(void) {
    bus_drain();
    bus_others_hold(0);
    mempool_stats_t stats;
    mempool_stats(&stats);
    if (stats.used != 0) {
        console_fail("an idle bus holds blocks, bytes", stats.used);
    }
    uint32_t broken = mempool_check();
    if (broken) {
        console_fail("mempool_check", broken);
    }
}
