// What grows with what: publish and delivery with one topic in the table and all, and 1 and 8 subscriptions and all, of which
// one matches or every one. The pools go the same way each time, so that nothing else differs.

#include "bus.h"
#include "console.h"

#define EVENTS 256u // twice round the pool

typedef struct {
    uint32_t isr, name, deliver;
} worst_t;

static void raise(uint32_t *worst, uint32_t cost) {
    if (*worst < cost) {
        *worst = cost;
    }
}

static worst_t worst_of(uint32_t wanted) {
    worst_t worst = { 0 };
    // What the pools owe from before is settled by the first, and they come round to where they were.
    for (uint32_t i = 0; i < EVENTS; i++) {
        (void)eventbus_publish_from_isr(1, EVENTBUS_NORMAL, NULL, 0);
        bus_drain();
    }
    record_op_t deliver = wanted == 1 ? OP_DELIVER : OP_DELIVER_ALL;
    for (uint32_t i = 0; i < EVENTS; i++) {
        unsigned priority = i % EVENTBUS_PRIORITIES;
        raise(&worst.isr, bus_publish(OP_PUBLISH, 1, priority, bus_payloads[BUS_TYPICAL], EVENTBUS_OK));
        raise(&worst.deliver, bus_turn(deliver, wanted));
        raise(&worst.name, bus_publish_name(OP_NAMED, bus_topic_name(1), priority, bus_payloads[BUS_TYPICAL], EVENTBUS_OK));
        raise(&worst.deliver, bus_turn(deliver, wanted));
    }
    return worst;
}

void bus_parts_growth(unsigned topics) {
    static const unsigned counts[] = { 1, 8, BUS_SUBSCRIBERS };
    record_phase(topics == 1 ? "1 topic, growing" : "all topics, growing");
    for (unsigned matching = 0; matching < 2; matching++) {
        // With one subscription all that there are and the one that matches are the same.
        for (unsigned i = matching; i < sizeof(counts) / sizeof(counts[0]); i++) {
            unsigned wanted = matching ? counts[i] : 1u;
            bus_subscribe(counts[i] - wanted, wanted);
            worst_t worst = worst_of(wanted);
            console_print("growth %u %u %u %u %u %u\n", topics, counts[i], wanted, worst.isr, worst.name, worst.deliver);
        }
    }
    bus_check();
}
