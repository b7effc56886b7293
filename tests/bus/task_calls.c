// task_calls.c - the bus's own thread and those who subscribe and unsubscribe around it, scene by scene.
//
//      task_calls

#include "eventbus_core.h" // first

#include "../host/stress.h"

// Waits where the task is behind: on a busy computer its thread may not run for long.
static void publish(const char *topic) {
    int status;
    WAIT_UNTIL((status = eventbus_publish(topic, EVENTBUS_NORMAL, NULL, 0)) != EVENTBUS_E_FULL,
        "publish(%s): the queue stays full", topic);
    if (status != EVENTBUS_OK) {
        fail("publish(%s) is %d", topic, status);
    }
}

static void wait_for(const _Atomic unsigned *count, unsigned n, const char *what) {
    WAIT_UNTIL(*count >= n, "%s: %u and not %u", what, *count, n);
}

static void expect(int got, int want, const char *what) {
    if (got != want) {
        fail("%s is %d and not %d", what, got, want);
    }
}

static eventbus_counts_t counts_of(int sub) {
    eventbus_counts_t counts;
    expect(eventbus_counts(sub, &counts), EVENTBUS_OK, "counts");
    return counts;
}

static _Atomic unsigned calls, more_calls;

static void count(const eventbus_event_t *event, void *ctx) {
    (void)event;
    ++*(_Atomic unsigned *)ctx;
}

// Who unsubscribes waits for the call that runs.
static _Atomic bool within, leave, asked;

static void linger(const eventbus_event_t *event, void *ctx) {
    (void)event;
    (void)ctx;
    within = true;
    while (!leave) {
        mempool_port_sleep_ms(1);
    }
    mempool_port_sleep_ms(30);
    within = false;
    calls++;
}

static void *let_go(void *arg) {
    (void)arg;
    while (!asked) {
        mempool_port_sleep_ms(1);
    }
    mempool_port_sleep_ms(30);
    leave = true;
    return NULL;
}

// -> how often its subscriber was called: more than once where we stood for so long before we unsubscribed that the call
// had ended and the next one begun.
static unsigned a_running_call(void) {
    pthread_t other;
    within = leave = asked = false;
    calls = more_calls = 0;
    int sub = eventbus_subscribe("linger", linger, NULL);
    int bystander = eventbus_subscribe("linger", count, (void *)&more_calls);
    publish("linger");
    publish("linger");
    WAIT_UNTIL(within, "it is not called");
    expect(eventbus_unsubscribe(bystander), EVENTBUS_OK, "unsubscribe while another's call runs");
    if (!within) {
        fail("who was not called was waited for");
    }
    pthread_create(&other, NULL, let_go, NULL);
    asked = true;
    expect(eventbus_unsubscribe(sub), EVENTBUS_OK, "unsubscribe");
    unsigned called = calls;
    if (within || called == 0) {
        fail("unsubscribe returned while its subscriber ran");
    }
    pthread_join(other, NULL);
    mempool_port_sleep_ms(20);
    if (calls != called || more_calls != 0) {
        fail("%u and %u calls after unsubscribe", calls - called, more_calls);
    }
    return called;
}

static void a_running_call_is_waited_for(void) {
    WAIT_UNTIL(a_running_call() == 1, "what was queued is delivered after unsubscribe");
}

// What never was a subscription does not make anyone wait.
static void no_subscription(void) {
    eventbus_counts_t counts;
    static const int numbers[] = { 0, -1, EVENTBUS_E_SUBSCRIBERS, 1, 255, 256, 0x7fffffff, -0x7fffffff - 1 };
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        expect(eventbus_unsubscribe(numbers[i]), EVENTBUS_E_STALE, "unsubscribe of none");
        expect(eventbus_counts(numbers[i], &counts), EVENTBUS_E_STALE, "counts of none");
    }
}

// From within: itself, another, a new one.
typedef struct {
    int self;
    int other;
    int made;
    unsigned nested;
} scene_t;

static void on_scene(const eventbus_event_t *event, void *ctx) {
    scene_t *scene = ctx;
    if (scene->nested++ != 0) {
        fail("two calls at once, or one after its end");
    }
    expect(eventbus_unsubscribe(scene->self), EVENTBUS_OK, "unsubscribe of itself");
    expect(eventbus_unsubscribe(scene->self), EVENTBUS_E_STALE, "the same again");
    expect(eventbus_unsubscribe(scene->other), EVENTBUS_OK, "unsubscribe of another");
    scene->made = eventbus_subscribe("scene.*", count, (void *)&more_calls);
    publish("scene.two");
    if (strcmp(event->topic, "scene.one") != 0 || event->length != 1 || *(const uint8_t *)event->payload != 0xf6) {
        fail("the event changed under its subscriber");
    }
    scene->nested--;
    calls++;
}

static void from_within(void) {
    calls = more_calls = 0;
    static scene_t scene;
    _Atomic unsigned never = 0;
    scene.self = eventbus_subscribe("scene.*", on_scene, &scene);
    scene.other = eventbus_subscribe("scene.one", count, (void *)&never);
    publish("scene.one");
    wait_for(&more_calls, 1, "what was published within a call");
    WAIT_UNTIL(counts_of(scene.made).delivered >= 1, "a call is not counted");
    mempool_port_sleep_ms(20); // for one too many
    if (calls != 1 || more_calls != 1 || never != 0) {
        fail("calls: %u, of the new one %u, of the one that ended %u", calls, more_calls, never);
    }
    expect((int)counts_of(scene.made).delivered, 1, "counts of the new one");
    expect(eventbus_unsubscribe(scene.made), EVENTBUS_OK, "unsubscribe of the new one");
}

// Two that end each other's subscriptions: one by the task, one from outside, over and over.
static void on_race(const eventbus_event_t *event, void *ctx) {
    (void)event;
    int *sub = ctx;
    (void)eventbus_unsubscribe(*sub);
    calls++;
}

static void ended_from_both_sides(void) {
    unsigned by_us = 0;
    calls = 0;
    end_s = now_s();
    for (unsigned i = 0; i < 1000 || goes_on(by_us > 0); i++) {
        int sub = 0;
        _Atomic unsigned late = 0;
        int watch = eventbus_subscribe("race", count, (void *)&late);
        sub = eventbus_subscribe("race", on_race, &sub);
        publish("race");
        if (i % 4 == 0) {
            sched_yield();
        }
        unsigned before = calls;
        by_us += eventbus_unsubscribe(sub) == EVENTBUS_OK;
        expect(eventbus_unsubscribe(watch), EVENTBUS_OK, "unsubscribe of the one that watches");
        if (calls - before > 1) {
            fail("called again");
        }
    }
    if (by_us == 0) {
        fail("it was never ended from outside");
    }
}

// Whatever C does, nothing of it is left.
static void all_is_given_back(void) {
    eventbus_stats_t stats;
    WAIT_UNTIL((eventbus_stats(&stats), stats.queue_free == EVENTBUS_QUEUE), "%u of %u slots are free",
        stats.queue_free, EVENTBUS_QUEUE);
    WAIT_UNTIL(mempool_unused(), "blocks are held when all is done");
    check_empty();
}

int main(void) {
    eventbus_init();
    eventbus_init();
    no_subscription();
    a_running_call_is_waited_for();
    from_within();
    ended_from_both_sides();
    all_is_given_back();
    puts("calls 1");
    return 0;
}
