// Event sources on unix: a thread that MicroPython does not know plays the timer's interrupt, and a signal the line's. A handler of
// a signal may do next to nothing, so it only wakes a second thread, and that publishes.

#define _GNU_SOURCE

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "bus_sources.h"

#define LINE_SIGNAL (SIGRTMIN + 7) // + 5 and + 6 are MicroPython's and the bus's

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint32_t bus_machine_us(void) {
    return (uint32_t)(now_ns() / 1000u);
}

typedef struct {
    pthread_t thread;
    bool runs;
    bool stop; // the thread reads it
} worker_t;

// Signals are the program's own.
static bool start(worker_t *worker, void *(*run)(void *)) {
    sigset_t all, before;
    __atomic_store_n(&worker->stop, false, __ATOMIC_RELEASE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    worker->runs = pthread_create(&worker->thread, NULL, run, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return worker->runs;
}

static bool stops(const worker_t *worker) {
    return __atomic_load_n(&worker->stop, __ATOMIC_ACQUIRE);
}

// ---- The timer -----------------------------------------------------------------------------------------

#define SLICE_NS 10000000u // that a stop may have to wait

static worker_t timer;
static void (*timer_fn)(void);
static uint64_t timer_period_ns;

static void *run_timer(void *unused) {
    (void)unused;
    uint64_t next_ns = now_ns() + timer_period_ns;
    while (!stops(&timer)) {
        uint64_t now = now_ns();
        if (now >= next_ns) {
            timer_fn();
            next_ns += timer_period_ns;
            if (next_ns < now) {
                next_ns = now; // what a busy computer had no time for is not made up for
            }
            continue;
        }
        uint64_t end_ns = next_ns - now > SLICE_NS ? now + SLICE_NS : next_ns;
        struct timespec end = { (time_t)(end_ns / 1000000000u), (long)(end_ns % 1000000000u) };
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
    }
    return NULL;
}

bool bus_machine_timer(void (*fn)(void), uint32_t period_us) {
    if (timer.runs) {
        __atomic_store_n(&timer.stop, true, __ATOMIC_RELEASE);
        pthread_join(timer.thread, NULL);
        timer.runs = false;
    }
    if (period_us == 0) {
        return true;
    }
    timer_fn = fn;
    timer_period_ns = (uint64_t)period_us * 1000u;
    return start(&timer, run_timer);
}

// ---- The line ------------------------------------------------------------------------------------------

static worker_t line;
static void (*line_fn)(int level);
static sem_t line_wake;
static uint32_t line_edges; // that the handler has counted
static uint32_t line_done;  // that the thread has published

static void line_signal(int signal) {
    (void)signal;
    int error = errno; // the interrupted program's
    __atomic_fetch_add(&line_edges, 1u, __ATOMIC_RELEASE);
    sem_post(&line_wake);
    errno = error;
}

// What was triggered before the stop is published before it.
static void *run_line(void *unused) {
    (void)unused;
    bool last;
    do {
        while (sem_wait(&line_wake) != 0) {
        }
        last = stops(&line);
        while (line_done != __atomic_load_n(&line_edges, __ATOMIC_ACQUIRE)) {
            line_done += 1;
            line_fn(-1);
        }
    } while (!last);
    return NULL;
}

static bool handle(void (*handler)(int)) {
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    return sigaction(LINE_SIGNAL, &action, NULL) == 0;
}

bool bus_machine_line(void (*fn)(int level), int pin) {
    static bool begun;
    if (!begun) {
        begun = sem_init(&line_wake, 0, 0) == 0;
    }
    if (line.runs) {
        handle(SIG_IGN); // one that comes late is nobody's, and ends nothing
        __atomic_store_n(&line.stop, true, __ATOMIC_RELEASE);
        sem_post(&line_wake);
        pthread_join(line.thread, NULL);
        line.runs = false;
    }
    if (fn == NULL) {
        return true;
    }
    if (pin != BUS_MACHINE_NO_PIN) {
        return false;
    }
    line_fn = fn;
    return begun && start(&line, run_line) && handle(line_signal);
}

// As another process would, from outside.
void bus_machine_trigger(void) {
    if (line.runs) {
        kill(getpid(), LINE_SIGNAL);
    }
}
