// publish.c - events from C: checked, copied into a block, sent.

#include "eventbus_core.h"

#include <string.h>

static eventbus_slot_t slots[EVENTBUS_QUEUE] MEMPOOL_FAST;
static MEMPOOL_FAST mempool_word_t begun; // 1: someone makes the bus ready, 2: it is
static MEMPOOL_FAST mempool_owner_t owner;

static const char owner_name[] = "eventbus";

int eventbus_init(void) {
    mempool_init();
    MEMPOOL_LOCK();
    uint32_t was = mempool_peek(&begun);
    if (was == 0) {
        mempool_poke(&begun, 1u);
    }
    MEMPOOL_UNLOCK();
    if (was == 0) {
        // So that its blocks are known by name; where the table is full they are nobody's.
        int opened = mempool_owner_open(owner_name, sizeof(owner_name) - 1u, 0u, 0u);
        owner = opened > 0 ? (mempool_owner_t)opened : MEMPOOL_NO_OWNER;
        if (eventbus_default.size == 0) { // else it has one, and only the task did not start
            eventbus_open(&eventbus_default, slots, EVENTBUS_QUEUE);
        }
        bool started = eventbus_port_start();
        mempool_store(&begun, started ? 2u : 0u); // 0: the next caller tries again
        return started ? EVENTBUS_OK : EVENTBUS_E_TASK;
    }
    for (;;) {
        was = mempool_load(&begun);
        if (was != 1u) {
            return was == 2u ? EVENTBUS_OK : EVENTBUS_E_TASK;
        }
        eventbus_port_pause();
    }
}

MEMPOOL_HOT mempool_handle_t eventbus_take(uint32_t length, unsigned priority) {
    uint32_t flags = MEMPOOL_ROOM(EVENTBUS_HEADER);
    if (priority == EVENTBUS_CRITICAL) {
        flags |= MEMPOOL_SPILL | MEMPOOL_CRITICAL;
    }
#if defined(CONFIG_MEMORY_POOL_SPILL) && CONFIG_MEMORY_POOL_SPILL
    flags |= MEMPOOL_SPILL;
#endif
    return mempool_take_flags(length, owner, flags);
}

static const MEMPOOL_FAST_CONST uint8_t null_item = 0xf6;

static MEMPOOL_HOT int check(unsigned priority, const void *payload, size_t length) {
    if (priority >= EVENTBUS_PRIORITIES) {
        return EVENTBUS_E_PRIORITY;
    }
    if (length > EVENTBUS_MAX_PAYLOAD) {
        return EVENTBUS_E_SIZE;
    }
    return length == 0 || (payload != NULL && eventbus_cbor_check(payload, length)) ? EVENTBUS_OK : EVENTBUS_E_PAYLOAD;
}

// Priority and payload are good.
static MEMPOOL_HOT int publish(unsigned topic, unsigned priority, const void *payload, size_t length) {
    eventbus_t *bus = &eventbus_default;
    if (length == 0) {
        payload = &null_item;
        length = 1;
    }
    int wanted = eventbus_is_wanted(bus, topic);
    if (wanted <= 0) {
        if (wanted == 0) {
            eventbus_count_unwanted(bus);
        }
        return wanted;
    }
    mempool_handle_t handle = eventbus_take((uint32_t)length, priority);
    if (handle <= 0) {
        return eventbus_refuse(bus, EVENTBUS_E_EXHAUSTED);
    }
    memcpy(mempool_data(handle), payload, length);
    int status = eventbus_send(bus, topic, priority, handle, (uint32_t)length, 0u, false);
    if (status != EVENTBUS_OK) {
        (void)mempool_give(handle);
    }
    return status;
}

MEMPOOL_HOT int eventbus_publish_from_isr(int topic, eventbus_priority_t priority, const void *payload, size_t length) {
    int status = check((unsigned)priority, payload, length);
    return status != EVENTBUS_OK ? status : publish((unsigned)topic, (unsigned)priority, payload, length);
}

int eventbus_publish(const char *topic, eventbus_priority_t priority, const void *payload, size_t length) {
    size_t topic_length = strlen(topic);
    if (eventbus_check_topic(topic, topic_length) != EVENTBUS_OK) {
        return EVENTBUS_E_TOPIC;
    }
    int status = check((unsigned)priority, payload, length); // first: what is not published registers no topic
    if (status != EVENTBUS_OK) {
        return status;
    }
    int number = eventbus_intern(&eventbus_default, topic, topic_length, true);
    if (number < 0) {
        return eventbus_refuse(&eventbus_default, number);
    }
    return publish((unsigned)number, (unsigned)priority, payload, length);
}
