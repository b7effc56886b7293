// Publishing to one subscriber and delivery to it, at every fill of the pool that the events come from, with waiting events of
// random priorities; few and many topics, few and many subscriptions that do not match.

#include "bus.h"
#include "console.h"
#include "mempool.h"

#define ROUNDS 6u
#define WAIT_MAX (BUS_QUEUE - 1u) // one slot is left

static void some_wait(unsigned topic, uint32_t most) {
    uint32_t count = bus_random(most + 1u);
    for (uint32_t i = 0; i < count; i++) {
        if (eventbus_publish_from_isr((int)topic, bus_random(EVENTBUS_PRIORITIES), NULL, 0) != EVENTBUS_OK) {
            console_fail("an event was refused", i);
        }
    }
}

static void at_a_fill(uint32_t fill, unsigned topics, unsigned round) {
    unsigned topic = 1u + bus_random(topics);
    unsigned priority = bus_random(EVENTBUS_PRIORITIES);
    const uint8_t *payload = bus_payloads[bus_random(BUS_PAYLOADS)];
    bus_others_hold(bus_random(bus_tiny_usable + 1u));
    bus_others_hold(fill);
    bus_reads_pressure = (round & 1u) != 0;
    if (round & 2u) {
        mempool_reset_stats();
    }
    // One event alone, by number: into the empty queue, and out.
    bus_publish(OP_PUBLISH, topic, priority, payload, EVENTBUS_OK);
    bus_turn(OP_DELIVER, 1);
    bus_turn(OP_IDLE, 0);
    // By name.
    bus_publish_name(topic & 1u ? OP_NAMED : OP_NAMED_LONG, bus_topic_name(topic), priority, payload, EVENTBUS_OK);
    bus_turn(OP_DELIVER, 1);
    // Behind others.
    uint32_t room = bus_tiny_usable - fill - 1u;
    some_wait(topic, room < WAIT_MAX ? room : WAIT_MAX);
    bus_publish(OP_PUBLISH, topic, priority, payload, EVENTBUS_OK);
    bus_drain();
}

static void at_every_fill(unsigned topics, unsigned others) {
    bus_subscribe(others - 1u, 1u);
    for (uint32_t fill = 0; fill < bus_tiny_usable; fill++) {
        for (unsigned round = 0; round < ROUNDS; round++) {
            at_a_fill(fill, topics, round);
        }
    }
    bus_check();
}

static void register_topics(void) {
    record_phase("the table of subscriptions full");
    bus_subscribe(BUS_SUBSCRIBERS - 1u, 1u);
    for (unsigned topic = 2; topic <= BUS_TOPICS; topic++) {
        bus_publish_name(OP_NEW_TOPIC, bus_topic_name(topic), EVENTBUS_NORMAL, bus_payloads[0], EVENTBUS_OK);
        bus_drain();
        if (eventbus_topic(bus_topic_name(topic)) != (int)topic) {
            console_fail("a topic has another number", topic);
        }
    }
    for (unsigned i = 1; i < 9; i++) {
        bus_publish_name(OP_TOPICS_FULL, bus_topic_name(BUS_TOPICS + i), EVENTBUS_NORMAL, bus_payloads[0], EVENTBUS_E_TOPICS);
    }
}

void bus_parts_publish(void) {
    if (eventbus_topic(bus_topic_name(1)) != 1) {
        console_fail("the first topic is not number", 1);
    }
    record_phase("1 topic, 1 subscription");
    at_every_fill(1, 1);
    bus_parts_growth(1);
    register_topics();
    record_phase("all topics, 1 subscription");
    at_every_fill(BUS_TOPICS, 1);
    record_phase("all topics, 8 subscriptions");
    at_every_fill(BUS_TOPICS, 8);
    record_phase("all topics, all subscriptions");
    at_every_fill(BUS_TOPICS, BUS_SUBSCRIBERS);
    bus_parts_growth(BUS_TOPICS);
}
