// stress_bus.c - threads publish at all priorities, Python's lane is delivered as the binding does it, C's by the bus's own
// thread; others subscribe, unsubscribe, keep and release meanwhile.
//
//      stress_bus SECONDS THREADS SEED
//
// At the end every event was delivered once to each subscription that stayed, or is counted as dropped or refused.

#include "stress_bus.h"

#include <semaphore.h>

#define CHURNERS 2u
#define KEPT 8u
#define DEPTH 8u

static record_t accepted, got_by_python, got_by_task;
static reader_t python_reader = { .got = &got_by_python };
static reader_t task_reader = { .got = &got_by_task };
static _Atomic bool stop, stop_consumer;
static _Atomic uint64_t published, refused, kept, churned, churned_calls, rings;
static uint32_t ends[THREADS_MAX]; // numbers of each thread
static uint32_t seed0;
static sem_t bell;

// What a run is for has come about.
static bool seen(void) {
    return python_reader.calls > ENOUGH && task_reader.calls > ENOUGH && refused > 0 && churned > 10 &&
           churned_calls > SOME;
}

// ---- Publishing ----------------------------------------------------------------------------------------

static void *publisher(void *arg) {
    unsigned thread = (unsigned)(uintptr_t)arg;
    uint32_t seed = seed0 * 2654435761u + (thread + 1u) * 40503u;
    char topics[TOPICS_EACH][16];
    int numbers[TOPICS_EACH] = { 0 };
    uint8_t payload[128];
    uint32_t n = 0;
    for (; n < EVENTS_MAX && (n % 64u != 0 || goes_on(seen())); n++) {
        unsigned which = n % TOPICS_EACH;
        if (numbers[which] == 0) { // several threads make topics known at once
            snprintf(topics[which], sizeof(topics[which]), "s.%u.%u", thread, which);
            numbers[which] = n % 2u == 0 ? eventbus_topic(topics[which]) : 0;
        }
        fill_payload(payload, thread, n);
        eventbus_priority_t priority = (eventbus_priority_t)priority_of(thread, n);
        int status = numbers[which] != 0 && (n & 4u) != 0
                         ? eventbus_publish_from_isr(numbers[which], priority, payload, length_of(thread, n))
                         : eventbus_publish(topics[which], priority, payload, length_of(thread, n));
        if (status == EVENTBUS_OK) {
            (void)record(&accepted, thread, n);
            published++;
        } else if (status == EVENTBUS_E_FULL || status == EVENTBUS_E_EXHAUSTED) {
            refused++;
            if (random_below(&seed, 4) == 0) {
                struct timespec pause = { 0, 100000 };
                nanosleep(&pause, NULL);
            }
        } else {
            fail("publish is %d", status);
        }
        if (random_below(&seed, 16) == 0) {
            sched_yield(); // bursts, so that the queue is full and empty by turns
        }
    }
    ends[thread] = n;
    return NULL;
}

// ---- Python's lane, as mpy/deliver.c does it -----------------------------------------------------------

static void ring(void) {
    rings++;
    sem_post(&bell);
}

static _Atomic int32_t mailbox[KEPT];

static void keep(mempool_handle_t handle, uint32_t at) {
    if (!eventbus_keep(handle)) {
        fail("an event that is delivered is not kept");
    }
    kept++;
    mempool_handle_t before = atomic_exchange(&mailbox[at], handle);
    if (before != 0) {
        eventbus_release(before);
    }
}

static void deliver(uint32_t *seed) {
    eventbus_t *bus = &eventbus_default;
    if (!eventbus_deliver_begin(bus)) {
        fail("a delivery runs already");
    }
    eventbus_item_t item;
    unsigned most = 1u + random_below(seed, 2) * random_below(seed, 1000);
    for (unsigned n = 0; n < most && eventbus_next(bus, EVENTBUS_LANE_PYTHON, &item); n++) {
        size_t length;
        const eventbus_event_t event = {
            .topic = eventbus_topic_name(item.header->topic, &length),
            .payload = item.data,
            .length = item.header->length,
            .time_ms = item.header->time_ms,
            .seq = item.header->seq,
            .priority = item.header->priority,
            .raw = (item.header->flags & EVENTBUS_RAW) != 0,
        };
        if (random_below(seed, 8) == 0) {
            keep(item.handle, random_below(seed, KEPT));
        }
        eventbus_callee_t callee = { 0 };
        while (eventbus_next_callee(bus, EVENTBUS_LANE_PYTHON, &item, &callee)) {
            callee.call(&event, callee.ctx);
        }
        eventbus_release(item.handle);
    }
    eventbus_deliver_end(bus);
}

// Works when the bell has rung, and only then: were a ring lost, events would wait for ever.
static void *consumer(void *arg) {
    (void)arg;
    uint32_t seed = seed0 + 77u;
    while (!stop_consumer) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 1;
        if (sem_timedwait(&bell, &until) == 0) {
            deliver(&seed);
            if (random_below(&seed, 2) == 0) {
                eventbus_ring(&eventbus_default, true); // as a publish of MicroPython's own thread does
            }
        }
    }
    return NULL;
}

static void on_event(const eventbus_event_t *event, void *reader) {
    note(reader, event);
}

// ---- A listener ----------------------------------------------------------------------------------------

static struct {
    mempool_handle_t ring[DEPTH];
    unsigned waiting;
    uint64_t pushed;
    uint64_t displaced;
} listener;
static _Atomic uint64_t listened;

static mempool_handle_t pop(void) {
    mempool_handle_t handle = listener.waiting == 0 ? 0 : listener.ring[0];
    listener.waiting -= handle != 0;
    memmove(listener.ring, listener.ring + 1, listener.waiting * sizeof(handle));
    return handle;
}

static mempool_handle_t push(const eventbus_item_t *item, void *ctx) {
    (void)ctx;
    mempool_handle_t out = listener.waiting == DEPTH ? pop() : 0;
    listener.displaced += out != 0;
    listener.pushed++;
    listener.ring[listener.waiting++] = item->handle;
    item->header->refs++;
    return out;
}

static bool listen(void) {
    MEMPOOL_LOCK();
    mempool_handle_t handle = pop();
    MEMPOOL_UNLOCK();
    eventbus_item_t item;
    if (handle == 0) {
        return false;
    }
    if (!eventbus_look(handle, &item) || item.data[0] != 0x58 || item.data[2] >= THREADS_MAX) {
        fail("a listener has %#x", (unsigned)handle);
    }
    listened++;
    eventbus_release(handle);
    return true;
}

// ---- Those who come and go -----------------------------------------------------------------------------

typedef struct {
    _Atomic bool alive;
} visitor_t;

static void on_visit(const eventbus_event_t *event, void *ctx) {
    visitor_t *visitor = ctx;
    uint32_t number;
    (void)verify_event(event, &number);
    if (!visitor->alive) {
        fail("called after eventbus_unsubscribe returned");
    }
    churned_calls++;
}

static void on_python_visit(const eventbus_event_t *event, void *ctx) {
    (void)ctx;
    uint32_t number;
    (void)verify_event(event, &number);
}

static void visit_python(uint32_t *seed) {
    eventbus_want_t want = {
        .pattern = "s.*.1",
        .length = 5,
        .lane = EVENTBUS_LANE_PYTHON,
        .kind = EVENTBUS_SUB_CALLBACK,
        .call = on_python_visit,
    };
    eventbus_counts_t counts;
    int sub = eventbus_sub_open(&eventbus_default, &want);
    if (sub < 0) {
        fail("sub_open is %d", sub);
    }
    eventbus_sub_begin(&eventbus_default, sub, want.kind);
    if (random_below(seed, 4) == 0) {
        eventbus_port_pause();
    }
    if (eventbus_sub_counts(&eventbus_default, sub, &counts) != EVENTBUS_OK ||
        eventbus_sub_close(&eventbus_default, sub, &counts) != EVENTBUS_OK ||
        eventbus_sub_close(&eventbus_default, sub, &counts) != EVENTBUS_E_STALE) {
        fail("a subscription of Python's does not end");
    }
}

static void *churner(void *arg) {
    static const char *const patterns[] = { "*", "s.*", "s.3.*", "s.*.2", "s.0.0", "t" };
    uint32_t seed = seed0 * 31u + (uint32_t)(uintptr_t)arg;
    visitor_t visitor;
    while (!stop) {
        visitor.alive = true;
        int sub = eventbus_subscribe(patterns[random_below(&seed, 6)], on_visit, &visitor);
        if (sub < 0) {
            fail("subscribe is %d", sub);
        }
        if (random_below(&seed, 2) == 0) {
            visit_python(&seed);
        }
        mempool_handle_t handle = atomic_exchange(&mailbox[random_below(&seed, KEPT)], 0);
        if (handle != 0) {
            eventbus_item_t item;
            if (!eventbus_look(handle, &item) || item.data[2] >= THREADS_MAX) {
                fail("a kept event is %#x", (unsigned)handle);
            }
            eventbus_release(handle);
        }
        while (listen() && random_below(&seed, 16) != 0) {
        }
        if (eventbus_unsubscribe(sub) != EVENTBUS_OK || eventbus_unsubscribe(sub) != EVENTBUS_E_STALE) {
            fail("unsubscribe");
        }
        visitor.alive = false;
        churned++;
        eventbus_stats_t stats;
        eventbus_stats(&stats);
        if (stats.queue_free > EVENTBUS_QUEUE || stats.high_water > EVENTBUS_QUEUE) {
            fail("queue_free %u high_water %u", stats.queue_free, stats.high_water);
        }
    }
    return NULL;
}

// ---- The sum -------------------------------------------------------------------------------------------

static void wait_until_empty(void) {
    eventbus_stats_t stats;
    WAIT_UNTIL((eventbus_stats(&stats), stats.queue_free == EVENTBUS_QUEUE), "%u events wait, and nobody rings",
        EVENTBUS_QUEUE - stats.queue_free);
}

// Whether each event was delivered to a subscription or counted as dropped there.
static bool all_counted(int sub) {
    eventbus_counts_t counts;
    return eventbus_counts(sub, &counts) == EVENTBUS_OK && counts.delivered + counts.dropped == published;
}

// What each event's rows say, together with the bus's own counts.
static void judge(unsigned threads, int python, int task, int listening) {
    uint32_t dropped[EVENTBUS_PRIORITIES] = { 0 };
    for (unsigned thread = 0; thread < threads; thread++) {
        for (uint32_t n = 0; n < ends[thread]; n++) {
            bool by_python = recorded(&got_by_python, thread, n);
            bool by_task = recorded(&got_by_task, thread, n);
            if (!recorded(&accepted, thread, n)) {
                if (by_python || by_task) {
                    fail("event %u of thread %u was refused, and delivered", n, thread);
                }
            } else if (!by_python || !by_task) {
                dropped[priority_of(thread, n)]++;
            }
        }
    }
    eventbus_stats_t stats;
    eventbus_counts_t counts[3];
    eventbus_stats(&stats);
    for (unsigned p = 0; p < EVENTBUS_PRIORITIES; p++) {
        if (dropped[p] != stats.dropped[p]) {
            fail("priority %u: %u dropped, counted are %u", p, dropped[p], stats.dropped[p]);
        }
    }
    if (stats.published != (uint32_t)published || stats.refused != (uint32_t)refused || stats.dropped[0] != 0) {
        fail("published %u refused %u critical dropped %u", stats.published, stats.refused, stats.dropped[0]);
    }
    if (eventbus_counts(python, &counts[0]) != EVENTBUS_OK || eventbus_counts(task, &counts[1]) != EVENTBUS_OK ||
        eventbus_counts(listening, &counts[2]) != EVENTBUS_OK) {
        fail("who stayed has no counts");
    }
    if (counts[0].delivered != python_reader.calls || counts[0].delivered + counts[0].dropped != published ||
        counts[1].delivered != task_reader.calls || counts[1].delivered + counts[1].dropped != published ||
        listener.pushed + counts[2].dropped != published || listener.pushed != listener.displaced + listened) {
        fail("Python %u + %u, task %u + %u, listener %llu + %u of %llu", counts[0].delivered, counts[0].dropped,
            counts[1].delivered, counts[1].dropped, (unsigned long long)listener.pushed, counts[2].dropped,
            (unsigned long long)published);
    }
    printf("published %llu refused %llu dropped %u %u %u %u python %u task %u listener %llu kept %llu churned %llu "
           "churned_calls %llu rings %llu high_water %u latency_max_us %u latency_mean_us %u\n",
        (unsigned long long)published, (unsigned long long)refused, dropped[0], dropped[1], dropped[2], dropped[3],
        counts[0].delivered, counts[1].delivered, (unsigned long long)listened, (unsigned long long)kept,
        (unsigned long long)churned, (unsigned long long)churned_calls, (unsigned long long)rings, stats.high_water,
        stats.latency_max_us, stats.latency_mean_us);
}

static int subscribe_python(unsigned kind) {
    eventbus_want_t want = {
        .pattern = "*",
        .length = 1,
        .lane = EVENTBUS_LANE_PYTHON,
        .kind = (uint8_t)kind,
        .call = on_event,
        .push = push,
        .ctx = &python_reader,
    };
    int sub = eventbus_sub_open(&eventbus_default, &want);
    eventbus_sub_begin(&eventbus_default, sub, kind);
    return sub;
}

int main(int argc, char **argv) {
    unsigned threads = argc == 4 ? (unsigned)atoi(argv[2]) : 0;
    if (threads < 1 || threads > THREADS_MAX) {
        fail("usage: stress_bus SECONDS THREADS SEED");
    }
    double seconds = atof(argv[1]);
    seed0 = (uint32_t)atoi(argv[3]);
    sem_init(&bell, 0, 0);
    eventbus_init();
    eventbus_default.seq = UINT32_MAX - 1000u; // numbers come round on the way
    eventbus_set_bell(ring);
    int python = subscribe_python(EVENTBUS_SUB_CALLBACK);
    int listening = subscribe_python(EVENTBUS_SUB_LISTENER);
    int task = eventbus_subscribe("s.*", on_event, &task_reader);
    end_s = now_s() + seconds;
    pthread_t consuming, churning[CHURNERS];
    pthread_create(&consuming, NULL, consumer, NULL);
    for (unsigned i = 0; i < CHURNERS; i++) {
        pthread_create(&churning[i], NULL, churner, (void *)(uintptr_t)i);
    }
    run_threads(threads, publisher);
    stop = true;
    for (unsigned i = 0; i < CHURNERS; i++) {
        pthread_join(churning[i], NULL);
    }
    wait_until_empty();
    stop_consumer = true;
    pthread_join(consuming, NULL);
    WAIT_UNTIL(all_counted(task), "the bus's own thread does not end its last turn");
    while (listen()) {
    }
    for (unsigned i = 0; i < KEPT; i++) {
        mempool_handle_t handle = atomic_exchange(&mailbox[i], 0);
        if (handle != 0) {
            eventbus_release(handle);
        }
    }
    judge(threads, python, task, listening);
    WAIT_UNTIL(mempool_unused(), "blocks are held when all is done");
    check_empty();
    return 0;
}
