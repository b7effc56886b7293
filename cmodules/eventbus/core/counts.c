// counts.c - what a bus counts, and what it says of it.

#include "eventbus_core.h"

#include <string.h>

MEMPOOL_HOT int eventbus_refuse(eventbus_t *bus, int status) {
    MEMPOOL_LOCK();
    bus->refused++;
    MEMPOOL_UNLOCK();
    return status;
}

MEMPOOL_HOT void eventbus_count_unwanted(eventbus_t *bus) {
    MEMPOOL_LOCK();
    bus->published++;
    MEMPOOL_UNLOCK();
}

void eventbus_count_filtered(eventbus_t *bus) {
    MEMPOOL_LOCK();
    bus->filtered++;
    MEMPOOL_UNLOCK();
}

MEMPOOL_HOT void eventbus_read_stats(eventbus_t *bus, eventbus_stats_t *stats) {
    uint64_t sum_us = 0;
    uint64_t timed = 0;
    *stats = (eventbus_stats_t){ 0 };
    MEMPOOL_LOCK();
    stats->published = bus->published;
    stats->refused = bus->refused;
    stats->high_water = bus->high_water;
    stats->queue_free = (uint32_t)bus->size - bus->used;
    memcpy(stats->dropped, bus->dropped, sizeof(stats->dropped));
    for (unsigned lane = 0; lane < EVENTBUS_LANES; ++lane) {
        stats->delivered += bus->lane[lane].calls;
        sum_us += bus->lane[lane].latency_sum_us;
        timed += bus->lane[lane].timed;
        if (bus->lane[lane].latency_max_us > stats->latency_max_us) {
            stats->latency_max_us = bus->lane[lane].latency_max_us;
        }
    }
    MEMPOOL_UNLOCK();
    stats->latency_mean_us = timed == 0 ? 0u : (uint32_t)(sum_us / timed);
}

MEMPOOL_HOT void eventbus_stats(eventbus_stats_t *stats) {
    eventbus_read_stats(&eventbus_default, stats);
}
