// lock.c - the lock of the core, and threads that wait: for it, or asleep until something has changed.
//
// The lock is MEMPOOL_LOCK, and the mask of masked.h: one for all, and whoever has it may take it again. It brings the view of the
// one who let it go; a mask brings what everybody has done and released, since all ran on this hart (options.mask). Who sleeps looked at something before: the next one's turn comes when that has changed.

#include <string.h>

#include "weak.h"

static struct {
    int holder; // -1: free
    unsigned depth;
    uint32_t sections; // that have ended
    uint8_t by;        // outlasts an execution
    name_t name;
    view_t view;
} lock;

void lock_begin(void) {
    lock.holder = -1;
    lock.depth = 0;
    lock.sections = 0;
    lock.name = (name_t){ 1, 1 };
    memset(&lock.view, 0, sizeof(lock.view));
}

// Letting go is no step of its own: whoever wants the lock may wait a while longer, so it is as if it came at once.
void weak_lock(void) {
    if (running < 0) {
        return;
    }
    machine_settle();
    thread_t *t = &thread[running];
    if (lock.holder == running) {
        lock.depth++;
        return;
    }
    uint8_t by = lock.by;
    lock.by |= (uint8_t)(1u << running);
    if (by != lock.by) {
        start_again();
    }
    if ((lock.by & (lock.by - 1)) != 0) {
        t->wants_lock = true;
        pause_thread();
        t->wants_lock = false;
    }
    lock.holder = running;
    lock.depth = 1;
    count_step();
    t->view.clock[running]++;
    view_join(&t->view, &lock.view);
    if (options.mask) {
        machine_see_all();
    }
    t->history = mix_name(mix(t->history, 'L'), lock.name);
    t->sections = lock.sections + 1;
    t->looked_locked = true;
    trace(UINT32_MAX, 'L', false, 0, 0, 0, __builtin_return_address(0));
}

bool lock_is_mine(void) {
    return lock.holder == running;
}

void weak_check_lock(void) {
    if (running >= 0 && lock.holder != running) {
        weak_fail("a word is changed without the mask");
    }
}

void weak_unlock(void) {
    if (running < 0) {
        return;
    }
    machine_settle();
    if (lock.holder != running) {
        weak_fail("a lock is let go that is not held");
    }
    if (--lock.depth == 0) {
        thread_t *t = &thread[running];
        lock.holder = -1;
        lock.sections++;
        lock.name = mix(t->history, 'U');
        view_copy(&lock.view, &t->view);
        t->view.clock[running]++;
    }
}

// Has what it looked at before it slept changed?
static bool has_news(const thread_t *t) {
    return t->looked_locked ? lock.sections != t->sections : machine_has_news(t);
}

bool lock_may_go(unsigned t) {
    if ((thread[t].wants_lock || options.mask) && lock.holder >= 0 && lock.holder != (int)t) {
        return false;
    }
    return !thread[t].done && (!thread[t].sleeping || has_news(&thread[t]));
}

// Reading the same again would only lead back to sleep.
void lock_wake(unsigned t) {
    thread_t *sleeper = &thread[t];
    if (!sleeper->sleeping) {
        return;
    }
    sleeper->history = mix(sleeper->history, 'Z'); // it has come on
    if (!sleeper->looked_locked && machine_has_news(sleeper)) {
        machine_show_news(sleeper);
    }
    sleeper->sleeping = false;
}

void weak_sleep(void) {
    if (running < 0) {
        return;
    }
    machine_settle();
    if (lock.holder == running) {
        weak_fail("a thread sleeps with the lock");
    }
    thread[running].sleeping = true;
    pause_thread();
}
