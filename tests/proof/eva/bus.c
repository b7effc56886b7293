// bus.c - for Frama-C's Eva: every function of eventbus.h and eventbus_source.h, and the turn of the bus's task, in any order and
// any number of times, with any number for each number, any topic, pattern and payload.

#include "mempool_port.h" // first

#include "any.h"
#include "eventbus_core.h"
#include "eventbus_source.h"

static uint8_t payload[EVENTBUS_MAX_PAYLOAD];
static eventbus_source_t source;
static eventbus_gap_t gap;

// The topic or pattern that C gives: any text of up to 8 bytes, or one beyond what a topic may have.
static char text[9];
static char pattern[9]; // stays where it is while the subscription lasts

static const char *any_text(char *into) {
    static const char too_long[] = "a.topic.of.more.than.sixty.three.bytes.is.none.however.good.it.may.look";
    for (uint32_t i = 0; i < sizeof(text) - 1; ++i) {
        into[i] = (char)proof_uint();
    }
    into[sizeof(text) - 1] = 0;
    return proof_below(2) != 0 ? into : too_long;
}

static void heard(const eventbus_event_t *event, void *ctx) {
    *(uint32_t *)ctx += event->length + (uint32_t)event->topic[0];
    if (event->length != 0) {
        *(uint32_t *)ctx += ((const uint8_t *)event->payload)[0];
    }
}

static void publish(void) {
    uint32_t length = proof_below(sizeof(payload) + 1);
    eventbus_priority_t priority = (eventbus_priority_t)proof_uint();
    for (uint32_t i = 0; i < sizeof(payload); ++i) {
        payload[i] = (uint8_t)proof_uint();
    }
    switch (proof_below(6)) {
        case 0:
            eventbus_publish(any_text(text), priority, payload, length);
            break;
        case 1:
            eventbus_publish(any_text(text), priority, NULL, proof_uint());
            break;
        case 2:
            eventbus_publish_from_isr((int)proof_uint(), priority, payload, length);
            break;
        case 3:
            eventbus_publish_from_isr((int)proof_uint(), priority, payload, sizeof(payload) + 1 + proof_uint() % 0x10000u);
            break;
        default:
            eventbus_topic(any_text(text));
            break;
    }
}

static void subscribe(void) {
    static uint32_t sum;
    eventbus_counts_t counts;
    switch (proof_below(3)) {
        case 0:
            eventbus_subscribe(any_text(pattern), heard, &sum);
            break;
        case 1:
            eventbus_unsubscribe((int)proof_uint());
            break;
        default:
            eventbus_counts((int)proof_uint(), &counts);
            break;
    }
}

static void fire(void) {
    eventbus_source_counts_t counts;
    switch (proof_below(4)) {
        case 0:
            eventbus_source_open(&source, any_text(text), (eventbus_priority_t)proof_uint());
            break;
        case 1:
            eventbus_source_fire(&source, proof_uint(), proof_below(2) != 0);
            break;
        case 2:
            eventbus_source_counts(&source, &counts);
            break;
        default:
            eventbus_gap_check(&gap, proof_uint());
            break;
    }
}

int main(void) {
    eventbus_stats_t stats;
    while (proof_below(2) != 0) {
        switch (proof_below(6)) {
            case 0:
                eventbus_init();
                break;
            case 1:
                publish();
                break;
            case 2:
                subscribe();
                break;
            case 3:
                fire();
                break;
            case 4:
                eventbus_stats(&stats);
                break;
            default:
                eventbus_task_run();
                break;
        }
    }
    return 0;
}
