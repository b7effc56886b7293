// topics.c - topics and patterns: well-formed or not, the table of the topics that were ever published, and which subscriptions
// each of them matches.
//
// A topic is looked up by its hash (FNV-1a, 32 bits, http://www.isthe.com/chongo/tech/comp/fnv) in a table with open
// addressing that is at most half full; names are compared where the whole hash is the same.
//
// A match is worked out once, by whoever comes later, a topic or a subscription: each makes itself visible under the lock, and
// then goes through the others, one at a time under the lock. The bits of a subscription mean something while a lane serves it,
// which begins when they are all worked out; so nobody has to take them back when it ends.

#include "eventbus_core.h"

#include <string.h>

typedef struct {
    uint32_t hash;
    uint8_t length; // 0: the place is free
    bool keep;      // C has its number
    char name[EVENTBUS_MAX_TOPIC + 1u];
} topic_t;

#define BUCKETS (EVENTBUS_TOPICS <= 16 ? 32u : EVENTBUS_TOPICS <= 32 ? 64u  \
                                           : EVENTBUS_TOPICS <= 64   ? 128u \
                                           : EVENTBUS_TOPICS <= 128  ? 256u \
                                                                     : 512u)

static MEMPOOL_FAST topic_t topics[EVENTBUS_TOPICS];
static MEMPOOL_FAST uint16_t buckets[BUCKETS]; // number of a topic, 0: none
static MEMPOOL_FAST uint16_t opened;           // places that were ever used
static MEMPOOL_FAST uint16_t forgotten;        // number of one that is free again, 0: none; its hash is the next

// ---- Names ---------------------------------------------------------------------------------------------

// Levels joined by dots, none empty; with `star`, a level may be a lone *.
static int check(const char *name, size_t length, bool star) {
    if (length < 1 || length > EVENTBUS_MAX_TOPIC) {
        return EVENTBUS_E_TOPIC;
    }
    size_t start = 0;
    for (size_t i = 0; i <= length; ++i) {
        if (i == length || name[i] == '.') {
            if (i == start) {
                return EVENTBUS_E_TOPIC;
            }
            start = i + 1u;
        } else if (name[i] == 0) {
            return EVENTBUS_E_TOPIC; // C would see it cut
        } else if (name[i] == '*') {
            bool alone = i == start && (i + 1u == length || name[i + 1u] == '.');
            if (!star || !alone) {
                return EVENTBUS_E_TOPIC;
            }
        }
    }
    return EVENTBUS_OK;
}

int eventbus_check_topic(const char *name, size_t length) {
    return check(name, length, false);
}

int eventbus_check_pattern(const char *pattern, size_t length) {
    return check(pattern, length, true);
}

bool eventbus_match(const char *pattern, size_t pattern_length, const char *topic, size_t topic_length) {
    size_t t = 0;
    for (size_t p = 0; p < pattern_length;) {
        if (t >= topic_length) {
            return false; // a level more than the topic has
        }
        if (pattern[p] == '*') {
            if (p + 1u == pattern_length) {
                return true; // one level or more
            }
            while (t < topic_length && topic[t] != '.') {
                ++t;
            }
            p += 1u;
        } else {
            while (p < pattern_length && pattern[p] != '.') {
                if (t >= topic_length || topic[t] != pattern[p]) {
                    return false;
                }
                ++t;
                ++p;
            }
        }
        // Both stand behind a level: at a dot, or at the end.
        bool pattern_ends = p >= pattern_length;
        bool topic_ends = t >= topic_length;
        if (pattern_ends || topic_ends) {
            return pattern_ends && topic_ends;
        }
        if (topic[t] != '.') {
            return false;
        }
        ++p;
        ++t;
    }
    return false;
}

// ---- The table -----------------------------------------------------------------------------------------

static uint32_t hash_of(const char *name, size_t length) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; ++i) {
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    }
    return hash;
}

// The bucket of a topic, or the free one where it would be. Under the lock.
static uint16_t *find(const char *name, size_t length, uint32_t hash) {
    for (uint32_t at = hash;; ++at) {
        uint16_t *bucket = &buckets[at & (BUCKETS - 1u)];
        if (*bucket == 0) {
            return bucket;
        }
        const topic_t *topic = &topics[*bucket - 1u];
        if (topic->hash == hash && topic->length == length && memcmp(topic->name, name, length) == 0) {
            return bucket;
        }
    }
}

// Empties a bucket. What was put behind it because of it moves up, so that every look-up still ends at the first free one. Under
// the lock.
static void vacate(uint16_t *bucket) {
    uint32_t hole = (uint32_t)(bucket - buckets);
    for (uint32_t at = hole + 1u; buckets[at & (BUCKETS - 1u)] != 0; ++at) {
        uint16_t number = buckets[at & (BUCKETS - 1u)];
        uint32_t from_home = (at - topics[number - 1u].hash) & (BUCKETS - 1u);
        if (from_home >= at - hole) {
            buckets[hole & (BUCKETS - 1u)] = number;
            hole = at;
        }
    }
    buckets[hole & (BUCKETS - 1u)] = 0;
}

// The number of a free place, 0 where there is none. Under the lock.
static uint16_t take_place(void) {
    uint16_t place = forgotten;
    if (place != 0) {
        forgotten = (uint16_t)topics[place - 1u].hash;
    } else if (opened < EVENTBUS_TOPICS) {
        place = ++opened;
    }
    return place;
}

static void match_one(eventbus_t *bus, unsigned topic, unsigned index) {
    const eventbus_sub_t *sub = &bus->subs[index];
    const topic_t *entry = &topics[topic - 1u];
    uint32_t *word = &bus->match[topic - 1u][index / 32u];
    uint32_t bit = 1u << (index & 31u);
    if (eventbus_match(sub->pattern, sub->length, entry->name, entry->length)) {
        *word |= bit;
    } else {
        *word &= ~bit;
    }
}

// Works out the matches of a topic that is new to the bus. Of several that do so at once each does all of it.
static void learn(eventbus_t *bus, unsigned topic) {
    for (unsigned i = 0; i < EVENTBUS_SUBSCRIBERS; ++i) {
        MEMPOOL_LOCK();
        if (bus->subs[i].kind >= EVENTBUS_SUB_CALLBACK) {
            match_one(bus, topic, i);
        }
        MEMPOOL_UNLOCK();
    }
    MEMPOOL_LOCK();
    bus->known[(topic - 1u) / 32u] |= 1u << ((topic - 1u) & 31u);
    MEMPOOL_UNLOCK();
}

void eventbus_match_all(eventbus_t *bus, unsigned index, uint32_t generation) {
    for (unsigned topic = 1; topic <= EVENTBUS_TOPICS; ++topic) {
        MEMPOOL_LOCK();
        if (topics[topic - 1u].length != 0 && bus->subs[index].generation == generation && bus->subs[index].kind >= EVENTBUS_SUB_CALLBACK) {
            match_one(bus, topic, index);
        }
        MEMPOOL_UNLOCK();
    }
}

static bool knows(eventbus_t *bus, unsigned topic) {
    return (bus->known[(topic - 1u) / 32u] >> ((topic - 1u) & 31u) & 1u) != 0;
}

int eventbus_intern(eventbus_t *bus, const char *name, size_t length, bool keep) {
    uint32_t hash = hash_of(name, length);
    MEMPOOL_LOCK();
    uint16_t *bucket = find(name, length, hash);
    if (*bucket == 0) {
        uint16_t place = take_place();
        if (place != 0) {
            topic_t *topic = &topics[place - 1u];
            topic->hash = hash;
            topic->length = (uint8_t)length;
            topic->keep = false;
            memcpy(topic->name, name, length);
            topic->name[length] = 0;
            *bucket = place;
        }
    }
    unsigned topic = *bucket;
    bool known = true;
    if (topic != 0) {
        topics[topic - 1u].keep |= keep;
        known = knows(bus, topic);
    }
    MEMPOOL_UNLOCK();
    if (!known) {
        learn(bus, topic);
    }
    return topic == 0 ? EVENTBUS_E_TOPICS : (int)topic;
}

MEMPOOL_HOT const char *eventbus_topic_name(unsigned topic, size_t *length) {
    const topic_t *entry = &topics[topic - 1u];
    *length = entry->length;
    return entry->name;
}

int eventbus_topic(const char *name) {
    size_t length = strlen(name);
    if (eventbus_check_topic(name, length) != EVENTBUS_OK) {
        return EVENTBUS_E_TOPIC;
    }
    return eventbus_intern(&eventbus_default, name, length, true);
}

MEMPOOL_HOT bool eventbus_topic_is(int topic) {
    return topic >= 1 && topic <= EVENTBUS_TOPICS && topics[topic - 1].length != 0;
}

// The topics that the task still has events of, as bits. No more come: whoever could publish them has ended.
static void find_waiting(const eventbus_t *bus, uint32_t *waiting) {
    memset(waiting, 0, EVENTBUS_TOPIC_WORDS * sizeof(*waiting));
    for (unsigned i = 0; i <= bus->size; ++i) {
        MEMPOOL_LOCK();
        const eventbus_slot_t *slot = &bus->slots[i];
        unsigned topic = i == bus->size     ? eventbus_task_topic // last: an event goes from the queue to the task
                         : slot->lanes != 0 ? slot->header->topic
                                            : 0u;
        MEMPOOL_UNLOCK();
        if (topic != 0) {
            waiting[(topic - 1u) / 32u] |= 1u << ((topic - 1u) & 31u);
        }
    }
}

void eventbus_forget_topics(eventbus_t *bus) {
    uint32_t waiting[EVENTBUS_TOPIC_WORDS];
    find_waiting(bus, waiting);
    for (unsigned i = 0; i < EVENTBUS_TOPICS; ++i) {
        uint32_t bit = 1u << (i & 31u);
        topic_t *entry = &topics[i];
        MEMPOOL_LOCK();
        if (entry->length != 0 && !entry->keep && (waiting[i / 32u] & bit) == 0) {
            vacate(find(entry->name, entry->length, entry->hash));
            entry->length = 0;
            entry->hash = forgotten;
            forgotten = (uint16_t)(i + 1u);
            bus->known[i / 32u] &= ~bit;
        }
        MEMPOOL_UNLOCK();
    }
}
