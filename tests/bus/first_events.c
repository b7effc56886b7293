// first_events.c - who publishes, counts and looks before eventbus_init, and while it runs: nothing of it is lost, and afterwards the
// bus is as if it had come last. Each start is a process of its own.
//
//      first_events STARTS

#include "eventbus_core.h" // first

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "eventbus_source.h"

#define PUBLISHERS 3u
#define MORE 50u // rounds when the bus is there

static _Atomic unsigned waiting, published, called;
static _Atomic bool begun;
static uint32_t delay;
static eventbus_source_t unopened;

__attribute__((noreturn)) static void fail(const char *what, long is) {
    fprintf(stderr, "FAIL: %s: %ld\n", what, is);
    fflush(stderr);
    _exit(1);
}

static void want(bool right, const char *what, long is) {
    if (!right) {
        fail(what, is);
    }
}

static void publish_all_ways(unsigned self) {
    static const char *const names[PUBLISHERS] = { "a.one", "a.two", "a.three" };
    static const uint8_t item = 7;
    int topic = eventbus_topic(names[self]);
    want(topic > 0 && topic == eventbus_topic(names[self]), "a topic's number", topic);
    want(eventbus_publish(names[self], EVENTBUS_NORMAL, &item, 1) == EVENTBUS_OK, "publish", self);
    want(eventbus_publish_from_isr(topic, EVENTBUS_CRITICAL, NULL, 0) == EVENTBUS_OK, "publish_from_isr", topic);
    published += 2;
    want(eventbus_publish_from_isr(60, EVENTBUS_LOW, NULL, 0) == EVENTBUS_E_TOPIC, "a topic that is none", 60);
}

static void look(void) {
    eventbus_counts_t counts;
    eventbus_stats_t stats;
    unsigned least = published;
    eventbus_stats(&stats);
    want(stats.published >= least && stats.delivered == 0 && stats.refused == 0 && stats.high_water == 0, "statistics",
        (long)stats.published - (long)least);
    want(stats.queue_free == 0 || stats.queue_free == EVENTBUS_QUEUE, "free slots", stats.queue_free);
    want(eventbus_counts(257, &counts) == EVENTBUS_E_STALE && eventbus_unsubscribe(257) == EVENTBUS_E_STALE,
        "a subscription that nobody has", 257);
}

static void fire(uint32_t times) {
    eventbus_source_counts_t counts;
    want(eventbus_source_fire(&unopened, times, true) == EVENTBUS_E_TOPIC, "a source that was not opened", 0);
    eventbus_source_counts(&unopened, &counts);
    want(counts.fired == times + 1 && counts.lost == counts.fired && counts.published == 0, "fired", counts.fired);
}

static void *run(void *arg) {
    unsigned self = (unsigned)(uintptr_t)arg;
    waiting++;
    unsigned fired = 0;
    for (unsigned more = 0; more < MORE; more += begun) {
        if (self == 0) {
            fire(fired++);
        }
        publish_all_ways(self);
        look();
    }
    return NULL;
}

static void note(const eventbus_event_t *event, void *ctx) {
    want(strcmp(event->topic, "a.two") == 0 && event->length == 1 && ctx == &called, "the first event", event->length);
    called++;
}

static void judge(void) {
    eventbus_stats_t stats;
    eventbus_stats(&stats);
    want(stats.published == published && stats.refused == 0 && stats.queue_free == EVENTBUS_QUEUE, "published",
        (long)published - (long)stats.published);
    int subscription = eventbus_subscribe("a.*", note, &called);
    want(subscription > 0, "subscribe", subscription);
    want(eventbus_publish("a.two", EVENTBUS_LOW, NULL, 0) == EVENTBUS_OK, "publish", 0);
    eventbus_counts_t counts = { 0, 0 };
    while (called == 0) {
        sched_yield();
    }
    want(eventbus_counts(subscription, &counts) == EVENTBUS_OK && counts.delivered == 1, "delivered", counts.delivered);
    want(eventbus_unsubscribe(subscription) == EVENTBUS_OK, "unsubscribe", subscription);
    want(mempool_check() == 0, "check()", 1);
}

static int start_once(int number) {
    pthread_t threads[PUBLISHERS];
    delay = (uint32_t)number * 7919u % 20011u;
    for (unsigned i = 0; i < PUBLISHERS; i++) {
        pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)i);
    }
    while (waiting < PUBLISHERS) {
        sched_yield();
    }
    for (volatile uint32_t i = 0; i < delay; i++) {
    }
    want(eventbus_init() == EVENTBUS_OK, "eventbus_init", 0);
    begun = true;
    for (unsigned i = 0; i < PUBLISHERS; i++) {
        pthread_join(threads[i], NULL);
    }
    judge();
    return 0;
}

int main(int argc, char **argv) {
    int starts = argc == 2 ? atoi(argv[1]) : 0;
    want(starts > 0, "first_events STARTS", starts);
    for (int i = 0; i < starts; i++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            alarm(120);
            _exit(start_once(i));
        }
        int status = 0;
        waitpid(child, &status, 0);
        want(status == 0, "start number", i);
    }
    printf("starts %d\n", starts);
    return 0;
}
