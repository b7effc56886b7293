// search.c - tries every choice: which thread goes on, and which message it reads or follows.
//
//      weak UNIT [option=value ...] -- SETUP THREAD THREAD [THREAD...]
//
// Depth first, by running again from the start with the choices made before, which is cheap where an execution is some
// tens of steps. Threads are coroutines; the unit's memory is put back before each. A state is named by what each thread has
// read and written and by the order of the messages: it is a part of an execution graph, however it was come by, and
// what can follow depends on nothing else. A state that was seen before is not gone into again. Names are of 128 bits: two of n
// states share one with a chance of n^2 / 2^129, 1 in 10^24 for ten million.
//
// Points are only where it matters: at words that two threads touch, one of them writing and one of them without the lock; and
// at the lock. That is found out on the way, and then the search begins again.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "weak.h"

#ifndef __x86_64__
#error "switch_to is written for x86-64"
#endif

#define STACK_BYTES 65536
#define CHOICES 8192
#define ALONE 4000 // steps of one thread without any other's: it needs nobody to end

options_t options = { .rereads = 4, .states = 20000000 };
thread_t thread[THREADS];
unsigned threads;
int running = -1;
uint32_t execution;
unsigned long steps;

static struct {
    uint16_t pick, n;
} path[CHOICES];
static unsigned depth, length;
static bool again;
static unsigned long ends, restarts;
unsigned long executions;
static void *scheduler;
static uint8_t *stacks;
static uint8_t *unit, *unit_copy;
static size_t unit_size;
static const char *unit_path;
uintptr_t unit_base;
static unsigned most_alone;    // points that a thread came to without any other's turn
static unsigned kind[THREADS]; // the first thread with the same script; such threads stand side by side
static unsigned long longest;  // what `steps` may come to before the next decision

static void fell(int number) {
    running = -1;
    weak_fail(number == SIGSEGV ? "an access outside of memory" : "a trap");
}

void *or_die(void *memory) {
    if (memory == NULL || memory == MAP_FAILED) {
        perror("weak");
        exit(2);
    }
    return memory;
}

// ---- The unit ------------------------------------------------------------------------------------------

bool in_unit(const volatile void *p, size_t size, size_t *offset) {
    *offset = (size_t)((const volatile uint8_t *)p - unit);
    return *offset < unit_size && unit_size - *offset >= size;
}

static int find_unit(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size;
    (void)data;
    for (unsigned i = 0; i < info->dlpi_phnum && strcmp(info->dlpi_name, unit_path) == 0; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_LOAD && (p->p_flags & PF_W) != 0) {
            unit = (uint8_t *)(info->dlpi_addr + p->p_vaddr);
            unit_size = p->p_memsz;
            unit_base = info->dlpi_addr;
        }
    }
    return 0;
}

static void (*prepare)(const char *setup, char *const *scripts, unsigned n);
static void (*run)(unsigned t);
static void (*judge)(void);
static void (*end)(void);
static bool (*blind)(const volatile void *p);
static bool (*name)(const volatile void *p, char *text, size_t size);

bool unit_is_blind(const volatile void *p) {
    return blind(p);
}

bool unit_name(const volatile void *p, char *text, size_t size) {
    return name(p, text, size);
}

static void load_unit(void) {
    void *library = dlopen(unit_path, RTLD_NOW);
    if (library == NULL) {
        fprintf(stderr, "weak: %s\n", dlerror());
        exit(2);
    }
    *(void **)&prepare = or_die(dlsym(library, "unit_prepare"));
    *(void **)&run = or_die(dlsym(library, "unit_run"));
    *(void **)&judge = or_die(dlsym(library, "unit_judge"));
    *(void **)&end = or_die(dlsym(library, "unit_end"));
    *(void **)&blind = or_die(dlsym(library, "unit_is_blind"));
    *(void **)&name = or_die(dlsym(library, "unit_name"));
    dl_iterate_phdr(find_unit, NULL);
    or_die(unit);
    if (unit_size > UNIT_BYTES) {
        fprintf(stderr, "weak: a unit of %zu bytes of memory, more than %u\n", unit_size, UNIT_BYTES);
        exit(2);
    }
}

// ---- Coroutines ----------------------------------------------------------------------------------------

// Saves what a call must keep, leaves its stack pointer in *save, and goes on where `load` was saved.
__attribute__((naked, noinline)) static void switch_to(void **save, void *load) {
    (void)save;
    (void)load;
    __asm__("push %rbp\n\tpush %rbx\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\t"
            "mov %rsp, (%rdi)\n\tmov %rsi, %rsp\n\t"
            "pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbx\n\tpop %rbp\n\tret");
}

void count_step(void) {
    if (++steps > longest) {
        weak_fail("thread %d does not end", running + 1);
    }
}

void pause_thread(void) {
    switch_to(&thread[running].stack_pointer, scheduler);
}

void start_again(void) {
    again = true;
    pause_thread(); // for good
}

static void thread_main(void) {
    run((unsigned)running);
    machine_settle();
    thread[running].done = true;
    pause_thread();
}

static void go_on(unsigned t) {
    running = (int)t;
    longest = steps + ALONE;
    switch_to(&scheduler, thread[t].stack_pointer);
    running = -1;
}

// switch_to pops six registers and returns into thread_main, which finds the stack as after a call.
static void start(unsigned t) {
    uint64_t *top = (uint64_t *)(void *)(stacks + (t + 1) * STACK_BYTES) - 2;
    *top = (uint64_t)(uintptr_t)thread_main;
    thread[t].stack_pointer = top - 6;
    thread[t].view.clock[t] = 1;
    thread[t].history = (name_t){ kind[t] + 1, kind[t] + 1 };
    go_on(t);
}

bool weak_in_thread(void) {
    return running >= 0;
}

unsigned weak_thread(void) {
    return (unsigned)running;
}

uint32_t weak_now(void) {
    return thread[running].view.clock[running]++;
}

bool weak_knows(unsigned t, uint32_t clock) {
    return thread[running].view.clock[t] >= clock;
}

// ---- States --------------------------------------------------------------------------------------------

static bool is_less(name_t a, name_t b) {
    return a.a < b.a || (a.a == b.a && a.b < b.b);
}

// Threads of one script are one another's likeness: which of them did what does not matter, so their histories are taken in
// the order of their names. (machine.c sees to it that no two messages share one.)
static name_t state(void) {
    name_t key = { 7, 7 };
    name_t sorted[THREADS];
    for (unsigned t = 0; t < threads; t++) {
        unsigned at = t;
        while (at > 0 && kind[at - 1] == kind[t] && is_less(thread[t].history, sorted[at - 1])) {
            sorted[at] = sorted[at - 1];
            at--;
        }
        sorted[at] = thread[t].history;
    }
    for (unsigned t = 0; t < threads; t++) {
        key = mix_name(key, sorted[t]);
    }
    return machine_state(key);
}

// ---- Choices -------------------------------------------------------------------------------------------

unsigned choose(unsigned n) {
    if (n == 1) {
        return 0;
    }
    if (depth == length) {
        if (length == CHOICES) {
            weak_fail("more than %d choices", CHOICES);
        }
        path[length].n = (uint16_t)n;
        path[length++].pick = 0;
    }
    return path[depth++].pick;
}

// The threads that may go on now; the one that did so last comes first. Who sleeps goes on, where nobody else can.
static unsigned find_ready(int last, unsigned *ready) {
    unsigned n = 0;
    if (last >= 0 && lock_may_go((unsigned)last)) {
        ready[n++] = (unsigned)last;
    }
    for (unsigned t = 0; t < threads; t++) {
        if ((int)t != last && lock_may_go(t)) {
            ready[n++] = t;
        }
    }
    for (unsigned t = 0; n == 0 && t < threads; t++) {
        if (thread[t].sleeping) {
            ready[n++] = t;
        }
    }
    return n;
}

static bool all_done(void) {
    for (unsigned t = 0; t < threads; t++) {
        if (!thread[t].done) {
            return false;
        }
    }
    return true;
}

static void execute(void) {
    memcpy(unit, unit_copy, unit_size);
    memset(thread, 0, threads * sizeof(thread[0]));
    machine_begin();
    depth = 0;
    trace_begin();
    execution++;
    executions++;
    for (unsigned t = 0; t < threads && !again; t++) {
        start(t);
    }
    int last = -1;
    for (unsigned alone = 0; !again;) {
        unsigned ready[THREADS];
        unsigned n = find_ready(last, ready);
        bool over = n == 0;
        // Not while the way here is only repeated.
        if (depth == length && (over || !options.no_pruning) && !states_add(state())) {
            return;
        }
        if (over) {
            break;
        }
        unsigned next = ready[choose(n)];
        alone = (int)next == last ? alone + 1 : 0;
        most_alone = alone > most_alone ? alone : most_alone;
        if (alone > ALONE) {
            weak_fail("thread %u does not end alone", next + 1);
        }
        last = (int)next;
        lock_wake(next);
        go_on(next);
    }
    if (again) {
        return;
    }
    if (!all_done()) {
        weak_fail("all wait");
    }
    ends++;
    machine_rest();
    judge();
}

// Whether there is another way.
static bool step_back(void) {
    while (length != 0 && path[length - 1].pick + 1 == path[length - 1].n) {
        length--;
    }
    if (length == 0) {
        return false;
    }
    path[length - 1].pick++;
    return true;
}

static void forget_all(void) {
    states_forget();
    length = ends = 0;
    restarts++;
    again = false;
}

static void explore(void) {
    for (bool more = true; more;) {
        execute();
        if (again) {
            forget_all();
        } else {
            more = step_back();
        }
        if (states_count() > options.states) {
            printf("TOO MANY states: more than %lu\n", options.states);
            exit(3);
        }
    }
}

// ---- The command ---------------------------------------------------------------------------------------

static bool read_option(const char *text) {
    static const struct {
        const char *name;
        void *to;
        char kind;
    } known[] = {
        { "hart", &options.hart, 'b' },
        { "newest", &options.newest, 'b' },
        { "mask", &options.mask, 'b' },
        { "no_pruning", &options.no_pruning, 'b' },
        { "rereads", &options.rereads, 'u' },
        { "spurious", &options.spurious, 'u' },
        { "states", &options.states, 'l' },
    };
    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t n = strlen(known[i].name);
        if (strncmp(text, known[i].name, n) == 0 && text[n] == '=') {
            long value = strtol(text + n + 1, NULL, 10);
            if (known[i].kind == 'b') {
                *(bool *)known[i].to = value != 0;
            } else if (known[i].kind == 'u') {
                *(int *)known[i].to = (int)value;
            } else {
                *(long *)known[i].to = value;
            }
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv) {
    int at = 2;
    while (at < argc && read_option(argv[at])) {
        at++;
    }
    if (argc < at + 3 || strcmp(argv[at], "--") != 0 || argc - at - 2 > THREADS) {
        fprintf(stderr, "usage: weak UNIT [option=value ...] -- SETUP THREAD [THREAD...], at most %d threads\n", THREADS);
        return 2;
    }
    unit_path = argv[1];
    threads = (unsigned)(argc - at - 2);
    for (unsigned t = 0; t < threads; t++) {
        bool same = t > 0 && strcmp(argv[at + 2 + t], argv[at + 1 + t]) == 0;
        kind[t] = same ? kind[t - 1] : t;
    }
    stacks = or_die(mmap(NULL, THREADS * STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    static uint8_t signal_stack[65536];
    sigaltstack(&(stack_t){ .ss_sp = signal_stack, .ss_size = sizeof(signal_stack) }, NULL);
    sigaction(SIGSEGV, &(struct sigaction){ .sa_handler = fell, .sa_flags = SA_ONSTACK }, NULL);
    sigaction(SIGILL, &(struct sigaction){ .sa_handler = fell, .sa_flags = SA_ONSTACK }, NULL);
    load_unit();
    prepare(argv[at + 1], &argv[at + 2], threads);
    unit_copy = or_die(malloc(unit_size));
    memcpy(unit_copy, unit, unit_size);
    explore();
    memcpy(unit, unit_copy, unit_size);
    end();
    printf("ok graphs %lu states %lu executions %lu steps %lu restarts %lu alone %u\n", ends, states_count(), executions, steps,
        restarts, most_alone);
    return 0;
}
