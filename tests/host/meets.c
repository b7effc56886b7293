// meets.c - what meets.h promises: one call, before the n-th access of the thread that asked for it.

#include "meets.h"

bool meets_no_memory;

static _Thread_local uint32_t left; // accesses until the call, 0: none is to come
static _Thread_local void (*call)(void);
static _Thread_local bool patient; // it takes the lock: where it would come while this thread has it, it comes when it has it not
static _Thread_local int depth;
static uint32_t naps; // of all threads: who naps again and again waits for another

void meets_at(uint32_t access, void (*then)(void), bool takes_the_lock);
uint32_t meets_naps(void);

void meets_at(uint32_t access, void (*then)(void), bool takes_the_lock) {
    left = access;
    call = then;
    patient = takes_the_lock;
}

uint32_t meets_naps(void) {
    return __atomic_load_n(&naps, __ATOMIC_SEQ_CST);
}

void meets_nap(void) {
    __atomic_fetch_add(&naps, 1, __ATOMIC_SEQ_CST);
}

void meets_locked(int change) {
    depth += change;
}

void meets_point(void) {
    if (left != 0 && --left == 0) {
        if (patient && depth != 0) {
            left = 1;
        } else {
            call();
        }
    }
}
