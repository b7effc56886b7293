// counters.c - the counters of both cores by name, to be read and to be set near where they come round. For a program that stands
// still meanwhile: nothing waits on the bus, and no other thread takes, gives or publishes.

#include "mempool_port.h" // first

#include <string.h>

#include "eventbus_core.h"
#include "mempool_core.h"
#include "soak.h"

extern uint32_t mempool_epoch; // mpy/reset.c

// ---- Pools: a word each --------------------------------------------------------------------------------

#define POOL_WORDS(p)                                                                     \
    &p.pool.allocs, &p.pool.failures, &p.pool.spills, &p.pool.reclaimed, &p.pool.refused, \
        &p.pool.denied
#define POOL_NAMES(p) p ".allocs", p ".failures", p ".spills", p ".reclaimed", p ".refused", p ".denied"

static mempool_word_t *const pool_words[] = {
    POOL_WORDS(mempool_stores.TINY),
    POOL_WORDS(mempool_stores.SMALL),
    POOL_WORDS(mempool_stores.MEDIUM),
    POOL_WORDS(mempool_stores.LARGE),
    POOL_WORDS(mempool_stores.XLARGE),
    &mempool_refused_foreign,
};
#define POOL_WORDS_COUNT (sizeof(pool_words) / sizeof(pool_words[0]))

// ---- The others ----------------------------------------------------------------------------------------

enum {
    OWNER_DENIED = POOL_WORDS_COUNT, // set of all owners, read of the one named soak
    GENERATION,                      // of the free blocks
    TRACE,
    EPOCH,
    SEQ,
    PUBLISHED,
    REFUSED,
    DROPPED, // of all priorities
    CALLS,   // of both lanes
    TIMED,
    LATENCY_SUM,    // its lower 32 bits
    SUB_GENERATION, // of the free places
    SUB_DELIVERED,  // of the subscriptions that there are; SUB_DROPPED likewise
    SUB_DROPPED,
    COUNTERS,
};

static const char *const names[COUNTERS] = {
    POOL_NAMES("TINY"),
    POOL_NAMES("SMALL"),
    POOL_NAMES("MEDIUM"),
    POOL_NAMES("LARGE"),
    POOL_NAMES("XLARGE"),
    "foreign",
    [OWNER_DENIED] = "owner.denied",
    [GENERATION] = "generation",
    [TRACE] = "trace",
    [EPOCH] = "epoch",
    [SEQ] = "bus.seq",
    [PUBLISHED] = "bus.published",
    [REFUSED] = "bus.refused",
    [DROPPED] = "bus.dropped",
    [CALLS] = "bus.delivered",
    [TIMED] = "bus.timed",
    [LATENCY_SUM] = "bus.latency_sum",
    [SUB_GENERATION] = "sub.generation",
    [SUB_DELIVERED] = "sub.delivered",
    [SUB_DROPPED] = "sub.dropped",
};

unsigned soak_counters(void) {
    return COUNTERS;
}

const char *soak_counter_name(unsigned counter) {
    return names[counter];
}

static uint32_t denied_to_soak(void) {
    for (unsigned i = 1; i <= MEMPOOL_OWNERS; ++i) {
        if (strcmp(mempool_owners[i].name, "soak") == 0) {
            return mempool_load(&mempool_owners[i].denied);
        }
    }
    return 0;
}

static bool is_free(mempool_pool_t *pool, uint32_t index) {
    return (mempool_load(mempool_leaf(pool, index / 32u)) >> (index & 31u) & 1u) != 0;
}

// Of one block, which has its turn like all others.
static uint32_t a_generation(void) {
    return mempool_load(mempool_word(mempool_pool(0), mempool_blocks(0) - 1u)) >> 15;
}

static void set_generations(uint32_t generation) {
    for (unsigned p = 0; p < MEMPOOL_POOLS; ++p) {
        mempool_pool_t *pool = mempool_pool(p);
        for (uint32_t i = 0; i < mempool_blocks(p); ++i) {
            mempool_word_t *word = mempool_word(pool, i);
            if (is_free(pool, i)) {
                mempool_store(word, (mempool_load(word) & 0x7fffu) | generation << 15);
            }
        }
    }
}

// A fresh subscription's `since` keeps its distance to the number of the last event.
static void set_seq(uint32_t seq) {
    eventbus_t *bus = &eventbus_default;
    uint32_t moved = seq - bus->seq;
    bus->seq = seq;
    for (unsigned i = 0; i < EVENTBUS_SUBSCRIBERS; ++i) {
        bus->subs[i].since += moved;
    }
}

// Of the place that the next subscription gets.
static uint32_t sub_generation(void) {
    for (unsigned i = 0; i < EVENTBUS_SUBSCRIBERS; ++i) {
        if (eventbus_default.subs[i].kind == EVENTBUS_SUB_FREE) {
            return eventbus_default.subs[i].generation;
        }
    }
    return 0;
}

// What the counts of subscriptions were set to, and which subscriptions: with the first bit, generation << 1; 0: none.
static struct {
    uint32_t value;
    uint32_t subs[EVENTBUS_SUBSCRIBERS];
} subs_set[COUNTERS - SUB_DELIVERED];

static uint32_t sub_now(const eventbus_sub_t *sub) {
    return sub->kind == EVENTBUS_SUB_CALLBACK ? (uint32_t)sub->generation << 1 | 1u : 0u;
}

// Of the one that has come furthest since they were set.
static uint32_t sub_count(unsigned counter) {
    uint32_t value = subs_set[counter - SUB_DELIVERED].value;
    uint32_t furthest = 0;
    for (unsigned i = 0; i < EVENTBUS_SUBSCRIBERS; ++i) {
        const eventbus_sub_t *sub = &eventbus_default.subs[i];
        uint32_t known = subs_set[counter - SUB_DELIVERED].subs[i];
        if (known != 0 && known == sub_now(sub)) {
            uint32_t count = counter == SUB_DELIVERED ? sub->counts.delivered : sub->counts.dropped;
            furthest = count - value > furthest ? count - value : furthest;
        }
    }
    return value + furthest;
}

static uint32_t read_bus(unsigned counter) {
    const eventbus_t *bus = &eventbus_default;
    const eventbus_lane_t *lane = &bus->lane[EVENTBUS_LANE_PYTHON];
    switch (counter) {
        case SEQ:
            return bus->seq;
        case PUBLISHED:
            return bus->published;
        case REFUSED:
            return bus->refused;
        case DROPPED:
            return bus->dropped[EVENTBUS_NORMAL];
        case CALLS:
            return lane->calls;
        case TIMED:
            return lane->timed;
        case LATENCY_SUM:
            return (uint32_t)lane->latency_sum_us;
        case SUB_GENERATION:
            return sub_generation();
        default:
            return sub_count(counter);
    }
}

static void set_sub_generations(uint32_t value) {
    for (unsigned i = 0; i < EVENTBUS_SUBSCRIBERS; ++i) {
        eventbus_sub_t *sub = &eventbus_default.subs[i];
        if (sub->kind == EVENTBUS_SUB_FREE) {
            sub->generation = (__typeof__(sub->generation))value;
        }
    }
}

static void set_sub_counts(unsigned counter, uint32_t value) {
    subs_set[counter - SUB_DELIVERED].value = value;
    for (unsigned i = 0; i < EVENTBUS_SUBSCRIBERS; ++i) {
        eventbus_sub_t *sub = &eventbus_default.subs[i];
        uint32_t *count = counter == SUB_DELIVERED ? &sub->counts.delivered : &sub->counts.dropped;
        subs_set[counter - SUB_DELIVERED].subs[i] = sub_now(sub);
        *count = sub->kind == EVENTBUS_SUB_CALLBACK ? value : *count;
    }
}

static void set_bus(unsigned counter, uint32_t value) {
    eventbus_t *bus = &eventbus_default;
    switch (counter) {
        case SEQ:
            set_seq(value);
            break;
        case PUBLISHED:
            bus->published = value;
            break;
        case REFUSED:
            bus->refused = value;
            break;
        case DROPPED:
            for (unsigned i = 0; i < EVENTBUS_PRIORITIES; ++i) {
                bus->dropped[i] = value;
            }
            break;
        default:
            for (unsigned i = 0; i < EVENTBUS_LANES; ++i) {
                eventbus_lane_t *lane = &bus->lane[i];
                if (counter == CALLS) {
                    lane->calls = value;
                } else if (counter == TIMED) {
                    lane->timed = value; // of one us each
                    lane->latency_sum_us = value;
                } else if (counter == LATENCY_SUM) {
                    lane->latency_sum_us = value;
                    lane->timed = value / 64u + 1u;
                }
            }
    }
}

uint32_t soak_counter(unsigned counter) {
    if (counter < POOL_WORDS_COUNT) {
        return mempool_load(pool_words[counter]);
    }
    switch (counter) {
        case OWNER_DENIED:
            return denied_to_soak();
        case GENERATION:
            return a_generation();
        case TRACE:
            return soak_trace_next();
        case EPOCH:
            return mempool_epoch;
        default:
            break;
    }
    MEMPOOL_LOCK();
    uint32_t value = read_bus(counter);
    MEMPOOL_UNLOCK();
    return value;
}

void soak_set_counter(unsigned counter, uint32_t value) {
    if (counter < POOL_WORDS_COUNT) {
        mempool_store(pool_words[counter], value);
        return;
    }
    switch (counter) {
        case OWNER_DENIED:
            for (unsigned i = 1; i <= MEMPOOL_OWNERS; ++i) {
                mempool_store(&mempool_owners[i].denied, value);
            }
            return;
        case GENERATION:
            set_generations(value);
            return;
        case TRACE:
            soak_set_trace_next(value);
            return;
        case EPOCH:
            mempool_epoch = value;
            return;
        default:
            break;
    }
    MEMPOOL_LOCK();
    if (counter >= SUB_DELIVERED) {
        set_sub_counts(counter, value);
    } else if (counter == SUB_GENERATION) {
        set_sub_generations(value);
    } else {
        set_bus(counter, value);
    }
    MEMPOOL_UNLOCK();
}
