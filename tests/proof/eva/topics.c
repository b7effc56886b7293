// topics.c - for Frama-C's Eva: names, patterns and the table of topics, and the sources of eventbus_source.h, in any order and any
// number of times, with any name, pattern and number. The queue is what eventbus.h says of it, no more: a publish may fail.

#include "eventbus_core.h"

#include "any.h"
#include "eventbus_source.h"

eventbus_t eventbus_default;
uint16_t eventbus_task_topic;

static eventbus_slot_t slots[2];
static eventbus_header_t header;
static eventbus_source_t source;
static eventbus_gap_t gap;
static char pattern[EVENTBUS_MAX_TOPIC + 1u];
static char name[EVENTBUS_MAX_TOPIC + 2u]; // one byte longer than a topic may be

// ---- What they call ------------------------------------------------------------------------------------

int eventbus_init(void) {
    return proof_below(2) != 0 ? EVENTBUS_OK : EVENTBUS_E_TASK;
}

// Every byte of the payload is looked at.
int eventbus_publish_from_isr(int topic, eventbus_priority_t priority, const void *payload, size_t length) {
    uint32_t sum = (uint32_t)topic + (uint32_t)priority;
    for (size_t i = 0; i < length; ++i) {
        sum += ((const uint8_t *)payload)[i];
    }
    return sum != 0 && proof_below(2) != 0 ? EVENTBUS_OK : EVENTBUS_E_FULL;
}

// ---- What calls them -----------------------------------------------------------------------------------

static void any_text(char *text, uint32_t room) {
    for (uint32_t i = 0; i + 1u < room; ++i) {
        text[i] = (char)proof_uint();
    }
    text[room - 1u] = 0;
}

static void look_up(void) {
    uint32_t length = proof_below(sizeof(name));
    size_t topic_length;
    int topic;
    switch (proof_below(6)) {
        case 0:
            eventbus_topic(name);
            break;
        case 1:
            if (eventbus_check_topic(name, length) == EVENTBUS_OK) {
                eventbus_intern(&eventbus_default, name, length, proof_below(2) != 0);
            }
            break;
        case 2:
            eventbus_check_pattern(name, length);
            break;
        case 3:
            topic = (int)proof_uint();
            if (eventbus_topic_is(topic)) {
                // What it tells of a topic may be looked at, its end too.
                (void)*eventbus_topic_name((unsigned)topic, &topic_length);
            }
            break;
        case 4:
            eventbus_match_all(&eventbus_default, proof_below(EVENTBUS_SUBSCRIBERS), proof_uint());
            break;
        default:
            eventbus_task_topic = (uint16_t)proof_below(EVENTBUS_TOPICS + 1u);
            header.topic = (uint16_t)(1u + proof_below(EVENTBUS_TOPICS));
            slots[proof_below(2)].lanes = (uint8_t)proof_below(4);
            eventbus_forget_topics(&eventbus_default);
            break;
    }
}

// As subscribe.c does, with a pattern that is well-formed.
static void subscribe(void) {
    eventbus_sub_t *sub = &eventbus_default.subs[proof_below(EVENTBUS_SUBSCRIBERS)];
    uint32_t length = proof_below(sizeof(pattern));
    any_text(pattern, sizeof(pattern));
    if (eventbus_check_pattern(pattern, length) == EVENTBUS_OK) {
        sub->pattern = pattern;
        sub->length = (uint8_t)length;
        sub->kind = EVENTBUS_SUB_CALLBACK;
    }
}

static void fire(void) {
    eventbus_source_counts_t counts;
    switch (proof_below(4)) {
        case 0:
            eventbus_source_open(&source, name, (eventbus_priority_t)proof_uint());
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
    eventbus_default.slots = slots;
    eventbus_default.size = 2;
    slots[0].header = &header;
    slots[1].header = &header;
    for (int i = 0; i < EVENTBUS_SUBSCRIBERS; ++i) {
        eventbus_default.subs[i].pattern = pattern;
    }
    while (proof_below(2) != 0) {
        any_text(name, sizeof(name));
        switch (proof_below(3)) {
            case 0:
                look_up();
                break;
            case 1:
                subscribe();
                break;
            default:
                fire();
                break;
        }
    }
    return 0;
}
