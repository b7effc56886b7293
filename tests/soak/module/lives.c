// lives.c - one life of the interpreter after another, as a board lives them.
//
// A soft reset: main() runs again in the same process. The heap is swept with all its finalisers, as a board does it and the unix
// port does not; what C has stays as it is, its threads go on. A loss of power: the process is replaced by a new one, at once,
// wherever it is; only files are left.

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "py/gc.h"
#include "py/runtime.h"

#include "soak.h"

bool soak_again;
bool soak_cuts_power;
unsigned soak_jumps;

static char **arguments;
static void *heap;

int __real_main(int argc, char **argv);
int __wrap_main(int argc, char **argv);
int __wrap_main(int argc, char **argv) {
    int status;
    arguments = argv;
    do {
        soak_again = false;
        soak_jumps = 0;
        status = __real_main(argc, argv);
        free(heap);
    } while (soak_again);
    return status;
}

void __real_gc_init(void *start, void *end);
void __wrap_gc_init(void *start, void *end);
void __wrap_gc_init(void *start, void *end) {
    heap = start;
    __real_gc_init(start, end);
}

void __real_mp_deinit(void);
void __wrap_mp_deinit(void);
void __wrap_mp_deinit(void) {
    gc_sweep_all();
    __real_mp_deinit();
}

// MicroPython makes a key in each life and keeps it: a process has 1024.
int __real_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *)) {
    static pthread_key_t first;
    static bool made;
    if (!made) {
        int status = __real_pthread_key_create(&first, destructor);
        if (status != 0) {
            return status;
        }
        made = true;
    }
    *key = first;
    return 0;
}

// Signals that are on their way would end a process that does not know them.
static void lose_power(void) {
    signal(SIGRTMIN + 6, SIG_IGN); // port_host_task.h
    signal(SIGRTMIN + 7, SIG_IGN); // bus_machine_unix.c
    execv("/proc/self/exe", arguments);
    abort();
}

void soak_end_of_jumps(void) {
    if (soak_cuts_power) {
        lose_power();
    }
    mp_sched_keyboard_interrupt();
}
