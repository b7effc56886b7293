// litmus.c - tests of the checker itself: small well-known programs, and exactly the outcomes that the model has for each.
//
// A unit of its own (see weak.h): the set-up names the program, the threads' scripts are not looked at. An outcome is what the
// program's judge prints: mostly the values that were loaded, in order. Where more or fewer outcomes are seen than stand in the
// table, the checker is wrong. `race` and the like stand for what ends a run: test_weak.py wants to see it.

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weak.h"

#define RLX memory_order_relaxed
#define ACQ memory_order_acquire
#define REL memory_order_release
#define AR memory_order_acq_rel
#define LOAD(p, o) atomic_load_explicit(p, o)
#define STORE(p, v, o) atomic_store_explicit(p, v, o)
#define ADD(p, o) atomic_fetch_add_explicit(p, 1, o)
#define FENCE(o) atomic_thread_fence(o)

static _Atomic uint32_t x, y, z;
static uint32_t r[8], plain;

typedef struct {
    const char *name;
    void (*thread[THREADS])(void);
    const char *shows;   // digits: r[n]; letters: a word at rest
    const char *allowed; // outcomes, sorted
} litmus_t;

// A program with its threads: NAME_0, NAME_1 ...
#define THREAD(name, n, ...)       \
    static void name##_##n(void) { \
        __VA_ARGS__;               \
    }

THREAD(mp, 0, STORE(&x, 1, RLX), STORE(&y, 1, RLX))
THREAD(mp, 1, r[0] = LOAD(&y, RLX), r[1] = LOAD(&x, RLX))
THREAD(mp_release, 0, STORE(&x, 1, RLX), STORE(&y, 1, REL))
THREAD(mp_acquire, 1, r[0] = LOAD(&y, ACQ), r[1] = LOAD(&x, RLX))
THREAD(mp_fence, 0, STORE(&x, 1, RLX), FENCE(REL), STORE(&y, 1, RLX))
THREAD(mp_fence, 1, r[0] = LOAD(&y, RLX), FENCE(ACQ), r[1] = LOAD(&x, RLX))
THREAD(mp_late_fence, 0, STORE(&x, 1, RLX), STORE(&y, 1, RLX), FENCE(REL))
THREAD(mp_signal, 0, STORE(&x, 1, RLX), atomic_signal_fence(AR), STORE(&y, 1, RLX))
THREAD(mp_signal, 1, r[0] = LOAD(&y, RLX), atomic_signal_fence(AR), r[1] = LOAD(&x, RLX))
THREAD(sb, 0, STORE(&x, 1, REL), r[0] = LOAD(&y, ACQ))
THREAD(sb, 1, STORE(&y, 1, REL), r[1] = LOAD(&x, ACQ))
THREAD(sb_fence, 0, STORE(&x, 1, RLX), FENCE(AR), r[0] = LOAD(&y, RLX))
THREAD(sb_fence, 1, STORE(&y, 1, RLX), FENCE(AR), r[1] = LOAD(&x, RLX))
THREAD(sb_add, 0, STORE(&x, 1, RLX), ADD(&z, AR), r[0] = LOAD(&y, RLX))
THREAD(sb_add, 1, STORE(&y, 1, RLX), ADD(&z, AR), r[1] = LOAD(&x, RLX))
THREAD(sb_both, 0, ADD(&x, AR), r[0] = ADD(&y, AR))
THREAD(sb_both, 1, ADD(&y, AR), r[1] = ADD(&x, AR))
THREAD(lb, 0, r[0] = LOAD(&x, RLX), STORE(&y, 1, RLX))
THREAD(lb, 1, r[1] = LOAD(&y, RLX), STORE(&x, 1, RLX))
THREAD(corr, 0, STORE(&x, 1, RLX), STORE(&x, 2, RLX))
THREAD(corr, 1, r[0] = LOAD(&x, RLX), r[1] = LOAD(&x, RLX))
THREAD(cowr, 0, STORE(&x, 1, RLX), r[0] = LOAD(&x, RLX))
THREAD(cowr, 1, STORE(&x, 2, RLX))
THREAD(two_two_w, 0, STORE(&x, 1, REL), STORE(&y, 2, REL))
THREAD(two_two_w, 1, STORE(&y, 1, REL), STORE(&x, 2, REL))
THREAD(sequence, 1, ADD(&y, RLX))
THREAD(sequence, 2, r[0] = LOAD(&y, ACQ), r[1] = LOAD(&x, RLX))
THREAD(broken, 1, STORE(&y, 2, RLX))
THREAD(own_store, 0, STORE(&x, 1, RLX), STORE(&y, 1, REL), STORE(&y, 2, RLX))
THREAD(iriw, 0, STORE(&x, 1, REL))
THREAD(iriw, 1, STORE(&y, 1, REL))
THREAD(iriw, 2, r[0] = LOAD(&x, ACQ), r[1] = LOAD(&y, ACQ))
THREAD(iriw, 3, r[2] = LOAD(&y, ACQ), r[3] = LOAD(&x, ACQ))
THREAD(adds, 0, r[0] = ADD(&x, RLX))
THREAD(adds, 1, r[1] = ADD(&x, RLX))
THREAD(adds, 2, r[2] = ADD(&x, RLX))
THREAD(between, 1, STORE(&x, 5, RLX))
THREAD(wrc, 1, r[0] = LOAD(&x, ACQ), STORE(&y, 1, REL))
THREAD(wrc, 2, r[1] = LOAD(&y, ACQ), r[2] = LOAD(&x, ACQ))
THREAD(stale_add, 0, STORE(&x, 1, RLX), r[0] = ADD(&y, RLX))
THREAD(stale_add, 1, STORE(&y, 2, RLX), r[1] = LOAD(&x, RLX))

static void fails(memory_order order) {
    uint32_t expected = 5;
    atomic_compare_exchange_strong_explicit(&y, &expected, 6, AR, order);
    r[0] = expected;
    r[1] = LOAD(&x, RLX);
}
THREAD(fails_relaxed, 1, fails(RLX))
THREAD(fails_acquire, 1, fails(ACQ))

static void weak_swap(void) {
    uint32_t expected = 0;
    r[0] = atomic_compare_exchange_weak_explicit(&x, &expected, 1, AR, RLX);
}

THREAD(publish, 0, weak_write(&plain, 4), plain = 1, STORE(&y, 1, REL))
static void publish_1(void) {
    r[0] = LOAD(&y, ACQ);
    if (r[0]) {
        weak_read(&plain, 4);
        r[1] = plain;
    }
}
static void publish_relaxed_1(void) {
    if (LOAD(&y, RLX)) {
        weak_read(&plain, 4);
    }
}
static void publish_unasked_1(void) {
    (void)LOAD(&y, ACQ);
    weak_write(&plain, 4);
}
THREAD(mixed, 0, STORE(&x, 1, REL))
THREAD(mixed, 1, weak_read(&x, 4))
static void locked(void) {
    for (unsigned i = 0; i < 2; i++) {
        weak_lock();
        weak_write(&plain, 4);
        plain++;
        weak_unlock();
    }
}
static void half_locked_1(void) {
    weak_read(&plain, 4);
}
static void spin_1(void) {
    while (LOAD(&y, ACQ) == 0) {
    }
    weak_read(&plain, 4);
    r[0] = plain;
}
static void becomes_visible_1(void) {
    r[0] = 9;
    for (uint32_t i = 0; LOAD(&y, ACQ) != 0 && i < r[0]; i++) {
        r[0] = LOAD(&x, RLX) == 0 ? 9 : i;
    }
}
static void sleep_1(void) {
    while (LOAD(&y, ACQ) == 0) {
        weak_sleep();
    }
    weak_read(&plain, 4);
    r[0] = plain;
}
static void sleeps_alone_0(void) {
    while (LOAD(&y, ACQ) == 0) {
        weak_sleep();
    }
}
static void hangs_0(void) {
    weak_lock();
    while (LOAD(&y, ACQ) == 0) {
    }
    weak_unlock();
}
static void hangs_1(void) {
    weak_lock();
    STORE(&y, 1, REL);
    weak_unlock();
}
THREAD(ordered, 0, atomic_store(&x, 1))

static const litmus_t programs[] = {
    { "MP", { mp_0, mp_1 }, "01", "00 01 10 11" },
    { "MP release acquire", { mp_release_0, mp_acquire_1 }, "01", "00 01 11" },
    { "MP release", { mp_release_0, mp_1 }, "01", "00 01 10 11" },
    { "MP acquire", { mp_0, mp_acquire_1 }, "01", "00 01 10 11" },
    { "MP fences", { mp_fence_0, mp_fence_1 }, "01", "00 01 11" },
    { "MP fence and acquire", { mp_fence_0, mp_acquire_1 }, "01", "00 01 11" },
    { "MP release and fence", { mp_release_0, mp_fence_1 }, "01", "00 01 11" },
    { "MP fence before only", { mp_fence_0, mp_1 }, "01", "00 01 10 11" },
    { "MP fence too late", { mp_late_fence_0, mp_fence_1 }, "01", "00 01 10 11" },
    { "MP signal fences", { mp_signal_0, mp_signal_1 }, "01", "00 01 10 11" },
    { "MP signal fences, hart", { mp_signal_0, mp_signal_1 }, "01", "00 01 11" },
    { "MP, newest", { mp_0, mp_1 }, "01", "00 01 11" },
    { "SB", { sb_0, sb_1 }, "01", "00 01 10 11" },
    { "SB fences", { sb_fence_0, sb_fence_1 }, "01", "00 01 10 11" },
    { "SB, newest", { sb_0, sb_1 }, "01", "01 10 11" },
    { "SB by changes of one word", { sb_add_0, sb_add_1 }, "01", "01 10 11" },
    { "SB, both changed", { sb_both_0, sb_both_1 }, "01", "01 10 11" },
    { "LB", { lb_0, lb_1 }, "01", "00 01 10" },
    { "CoRR", { corr_0, corr_1 }, "01", "00 01 02 11 12 22" },
    { "CoWR", { cowr_0, cowr_1 }, "0x", "11 12 22" },
    { "2+2W", { two_two_w_0, two_two_w_1 }, "xy", "11 12 21 22" },
    { "release sequence", { mp_release_0, sequence_1, sequence_2 }, "01", "00 01 10 11 21" },
    { "release sequence, broken", { mp_release_0, broken_1, sequence_2 }, "01", "00 01 11 20 21" },
    { "release sequence, own store", { own_store_0, mp_acquire_1 }, "01", "00 01 11 20 21" },
    { "IRIW", { iriw_0, iriw_1, iriw_2, iriw_3 }, "0123", "0000 0001 0010 0011 0100 0101 0110 0111 1000 1001 1010 1011 1100 1101 1110 1111" },
    { "changes are atomic", { adds_0, adds_1, adds_2 }, "012", "012 021 102 120 201 210" },
    { "no store between", { adds_0, between_1 }, "0x", "05 56" },
    { "a change behind a store", { stale_add_0, stale_add_1 }, "01y", "002 012 203 213" },
    { "WRC", { iriw_0, wrc_1, wrc_2 }, "012", "000 001 010 011 100 101 111" },
    { "a swap that fails", { mp_release_0, fails_relaxed_1 }, "01", "00 01 10 11" },
    { "a swap that fails, acquire", { mp_release_0, fails_acquire_1 }, "01", "00 01 11" },
    { "a weak swap", { weak_swap }, "0x", "11" },
    { "a weak swap, spurious", { weak_swap }, "0x", "00 11" },
    { "plain data", { publish_0, publish_1 }, "01", "00 11" },
    { "plain data, relaxed", { publish_0, publish_relaxed_1 }, "", "race" },
    { "plain data, unasked", { publish_0, publish_unasked_1 }, "", "race" },
    { "plain and atomic", { mixed_0, mixed_1 }, "", "race" },
    { "a lock", { locked, locked }, "p", "4" },
    { "a lock on one side", { locked, half_locked_1 }, "", "race" },
    { "waiting", { publish_0, spin_1 }, "", "does not end" },
    { "memory becomes visible", { mp_0, becomes_visible_1 }, "0", "0 1 2 3 4 5 9" },
    { "sleeping", { publish_0, sleep_1 }, "0", "1" },
    { "sleeping for ever", { sleeps_alone_0 }, "", "does not end" },
    { "waiting with the lock", { hangs_0, hangs_1 }, "", "does not end" },
    { "seq_cst", { ordered_0 }, "", "not modelled" },
};

#define OUTCOMES 64
static const litmus_t *program;
static char (*outcomes)[8]; // not of the unit's memory, which each execution begins anew
static unsigned *n_outcomes;

void unit_prepare(const char *setup, char *const *scripts, unsigned n) {
    (void)scripts;
    for (unsigned i = 0; i < sizeof(programs) / sizeof(programs[0]) && program == NULL; i++) {
        program = strcmp(programs[i].name, setup) == 0 ? &programs[i] : NULL;
    }
    unsigned has = 0;
    while (program != NULL && has < THREADS && program->thread[has] != NULL) {
        has++;
    }
    if (has != n) {
        for (unsigned i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
            unsigned count = 0;
            while (count < THREADS && programs[i].thread[count] != NULL) {
                count++;
            }
            printf("%s\t%u\t%s\n", programs[i].name, count, programs[i].allowed); // the table, for who wants it
        }
        exit(2);
    }
    outcomes = calloc(OUTCOMES, sizeof(*outcomes));
    n_outcomes = calloc(1, sizeof(*n_outcomes));
}

void unit_run(unsigned thread) {
    program->thread[thread]();
}

void unit_judge(void) {
    char text[8] = "";
    for (const char *show = program->shows; *show; show++) {
        uint32_t value = *show == 'x' ? x : *show == 'y' ? y
                                        : *show == 'p'   ? plain
                                                         : r[*show - '0'];
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%u", value);
    }
    unsigned i = 0;
    while (i < *n_outcomes && strcmp(outcomes[i], text) != 0) {
        i++;
    }
    if (i == *n_outcomes && i < OUTCOMES) {
        strcpy(outcomes[(*n_outcomes)++], text);
    }
}

static int compare(const void *a, const void *b) {
    return strcmp(a, b);
}

void unit_end(void) {
    char all[OUTCOMES * 8] = "";
    qsort(outcomes, *n_outcomes, sizeof(*outcomes), compare);
    for (unsigned i = 0; i < *n_outcomes; i++) {
        strcat(strcat(all, i == 0 ? "" : " "), outcomes[i]);
    }
    if (strcmp(all, program->allowed) != 0) {
        printf("FAIL allowed are %s, seen were %s\n", program->allowed, all);
        exit(1);
    }
}

bool unit_is_blind(const volatile void *p) {
    (void)p;
    return false;
}

bool unit_name(const volatile void *p, char *text, size_t size) {
    snprintf(text, size, "%s", p == &x ? "x" : p == &y ? "y"
                                           : p == &z   ? "z"
                                                       : "?");
    return true;
}
