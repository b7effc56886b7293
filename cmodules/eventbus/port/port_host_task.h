// port_host_task.h - the bus's task on a PC: a thread that MicroPython does not know, so that its garbage collector neither
// stops nor waits for it.
//
// The thread sleeps on a condition, whose mutex is held for a few instructions only, and no other lock is taken within it.
//
// MicroPython's thread may sleep in a system call. A signal that does nothing ends that call, so that it looks at its
// scheduler; one that comes just before the call is lost on it, so it is sent again every millisecond until the VM answers.

#ifndef EVENTBUS_PORT_HOST_H
#define EVENTBUS_PORT_HOST_H

#include <errno.h>
#include <signal.h>

void eventbus_task_run(void);

typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed; // waits by the monotonic clock
    bool wake;
    bool later;
    bool calling;       // for the VM, which has not answered yet
    uint64_t called_ns; // when, the last time
    pthread_t vm;       // MicroPython's main thread
} eventbus_host_t;

// One object a program, whichever files include this.
__attribute__((weak)) eventbus_host_t eventbus_host = { .mutex = PTHREAD_MUTEX_INITIALIZER };

#define EVENTBUS_HOST_LATER_NS 1000000L
#define EVENTBUS_HOST_SIGNAL (SIGRTMIN + 6) // the collector of MicroPython's unix port has SIGRTMIN + 5

static inline uint64_t eventbus_host_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint32_t eventbus_port_us(void) {
    return (uint32_t)(eventbus_host_ns() / 1000u);
}

// MicroPython's unix port counts the real time here where it has CLOCK_MONOTONIC.
static inline uint32_t eventbus_port_ms(void) {
    return (uint32_t)(eventbus_host_ns() / 1000000u);
}

static inline void eventbus_port_wake(void) {
    pthread_mutex_lock(&eventbus_host.mutex);
    eventbus_host.wake = true;
    pthread_cond_signal(&eventbus_host.changed);
    pthread_mutex_unlock(&eventbus_host.mutex);
}

static inline void eventbus_port_later(void) {
    pthread_mutex_lock(&eventbus_host.mutex);
    eventbus_host.later = true;
    pthread_cond_signal(&eventbus_host.changed);
    pthread_mutex_unlock(&eventbus_host.mutex);
}

#define eventbus_port_more() eventbus_port_wake()

// Set by the thread itself, so that others may ask while it is being made.
__attribute__((weak)) _Thread_local bool eventbus_host_is_task;

static inline bool eventbus_port_in_task(void) {
    return eventbus_host_is_task;
}

static inline void eventbus_port_pause(void) {
    mempool_port_sleep_ms(1);
}

// Under the mutex.
static inline void eventbus_host_call_vm(void) {
    eventbus_host.called_ns = eventbus_host_ns();
    pthread_kill(eventbus_host.vm, EVENTBUS_HOST_SIGNAL);
}

// Waits until there is something to do, and calls the VM again where it is time, however busy the task is. Under the mutex.
static inline void eventbus_host_wait(void) {
    if (!eventbus_host.wake && !eventbus_host.later && !eventbus_host.calling) {
        pthread_cond_wait(&eventbus_host.changed, &eventbus_host.mutex);
    } else if (!eventbus_host.wake) {
        uint64_t until = eventbus_host_ns() + EVENTBUS_HOST_LATER_NS;
        struct timespec end = { (time_t)(until / 1000000000u), (long)(until % 1000000000u) };
        while (!eventbus_host.wake && pthread_cond_timedwait(&eventbus_host.changed, &eventbus_host.mutex, &end) != ETIMEDOUT) {
        }
    }
    if (eventbus_host.calling && eventbus_host_ns() - eventbus_host.called_ns >= EVENTBUS_HOST_LATER_NS) {
        eventbus_host_call_vm();
    }
}

static void *eventbus_host_main(void *unused) {
    (void)unused;
    eventbus_host_is_task = true;
    pthread_mutex_lock(&eventbus_host.mutex);
    for (;;) {
        eventbus_host_wait();
        if (eventbus_host.wake || eventbus_host.later) {
            eventbus_host.wake = false;
            eventbus_host.later = false;
            pthread_mutex_unlock(&eventbus_host.mutex);
            eventbus_task_run();
            pthread_mutex_lock(&eventbus_host.mutex);
        }
    }
    return NULL;
}

// The thread takes no signals: they are the program's, Ctrl-C first of all.
static inline bool eventbus_port_start(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&eventbus_host.changed, &attributes);
    pthread_condattr_destroy(&attributes);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    bool started = pthread_create(&thread, NULL, eventbus_host_main, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

// ---- Waking the VM -------------------------------------------------------------------------------------

static inline void eventbus_host_interrupt(int signal) {
    (void)signal;
}

static inline void eventbus_port_vm_is_here(void) {
    struct sigaction action = { 0 };
    action.sa_handler = eventbus_host_interrupt;
    sigemptyset(&action.sa_mask);
    sigaction(EVENTBUS_HOST_SIGNAL, &action, NULL);
    eventbus_host.vm = pthread_self();
}

static inline void eventbus_port_wake_vm(void) {
    if (eventbus_port_in_task()) {
        pthread_mutex_lock(&eventbus_host.mutex);
        eventbus_host.calling = true;
        eventbus_host_call_vm();
        pthread_mutex_unlock(&eventbus_host.mutex);
    }
}

static inline void eventbus_port_vm_awake(void) {
    pthread_mutex_lock(&eventbus_host.mutex);
    eventbus_host.calling = false;
    pthread_mutex_unlock(&eventbus_host.mutex);
}

#endif // EVENTBUS_PORT_HOST_H
