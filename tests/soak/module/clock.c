// clock.c - every clock of the process is the simulation's: it goes on with the real one, and can be moved ahead.

#include "eventbus_port.h" // first

#include <sys/time.h>

#include "soak.h"

#define SECOND_NS 1000000000u

static uint64_t ahead_ns; // of the real clock; the bus's thread reads it

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __real_gettimeofday(struct timeval *now, void *zone);
int __real_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int __real_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *end);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_gettimeofday(struct timeval *now, void *zone);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *end);

static uint64_t ns_of(const struct timespec *time) {
    return (uint64_t)time->tv_sec * SECOND_NS + (uint64_t)time->tv_nsec;
}

static struct timespec time_of(uint64_t ns) {
    return (struct timespec){ .tv_sec = (time_t)(ns / SECOND_NS), .tv_nsec = (long)(ns % SECOND_NS) };
}

static uint64_t real_ns(void) {
    struct timespec now;
    __real_clock_gettime(CLOCK_MONOTONIC, &now);
    return ns_of(&now);
}

uint64_t soak_now_ns(void) {
    return real_ns() + __atomic_load_n(&ahead_ns, __ATOMIC_RELAXED);
}

// The coarse tick, where it was set: port_host.h has its own way to be told one, and takes 0 for none.
static uint32_t tick_ahead;

static uint32_t tick_now(void) {
    return (uint32_t)(soak_now_ns() / (MEMPOOL_TICK_MS * 1000000u));
}

static void tell_tick(void) {
    uint32_t tick = tick_now() + tick_ahead;
    mempool_port_host_tick = tick == 0 ? 1u : tick;
}

void soak_set_tick(uint32_t tick) {
    tick_ahead = tick - tick_now();
    tell_tick();
}

void soak_set_uptime(uint32_t seconds) {
    mempool_port_started = (time_t)(soak_now_ns() / SECOND_NS) - (time_t)seconds;
}

void soak_move_to_ns(uint64_t to_ns) {
    uint64_t now_ns = soak_now_ns();
    if (to_ns > now_ns) {
        __atomic_fetch_add(&ahead_ns, to_ns - now_ns, __ATOMIC_RELAXED);
    }
    if (tick_ahead != 0) {
        tell_tick();
    }
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now) {
    int status = __real_clock_gettime(clock, now);
    if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE) {
        *now = time_of(soak_now_ns()); // the coarse one too, or it would lag behind a move
    } else if (clock == CLOCK_REALTIME) {
        *now = time_of(ns_of(now) + __atomic_load_n(&ahead_ns, __ATOMIC_RELAXED));
    }
    return status;
}

int __wrap_gettimeofday(struct timeval *now, void *zone) {
    (void)zone;
    struct timespec fine;
    int status = __wrap_clock_gettime(CLOCK_REALTIME, &fine);
    *now = (struct timeval){ .tv_sec = fine.tv_sec, .tv_usec = fine.tv_nsec / 1000 };
    return status;
}

static bool task_sleeps; // the bus's thread, which alone waits on a condition; under its mutex

// The bus's thread waits until a time of the monotonic clock: as long in real time as is left of it now.
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *end) {
    uint64_t end_ns = ns_of(end);
    uint64_t now_ns = soak_now_ns();
    struct timespec real_end = time_of(real_ns() + (end_ns > now_ns ? end_ns - now_ns : 0u));
    task_sleeps = true;
    int status = __real_pthread_cond_timedwait(cond, mutex, &real_end);
    task_sleeps = false;
    return status;
}

int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex) {
    task_sleeps = true;
    int status = __real_pthread_cond_wait(cond, mutex);
    task_sleeps = false;
    return status;
}

bool soak_task_rests(void) {
    pthread_mutex_lock(&eventbus_host.mutex);
    bool rests = task_sleeps && !eventbus_host.wake;
    pthread_mutex_unlock(&eventbus_host.mutex);
    return rests;
}
