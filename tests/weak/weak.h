// weak.h - what the parts of the checker of weak memory share.
//
//      hooks.c    what gcc -fsanitize=thread calls for each access of the core: goes to the next two, or to plain memory
//      machine.c  atomic words: histories, views, fences
//      lock.c     the lock, and threads that wait
//      plain.c    plain data: races by happens-before
//      search.c   every choice of thread and message, once a state
//      states.c   the states that were seen
//      report.c   what went wrong, and how it came to that
//
// A unit is a shared library: the core, unmodified, and what runs and judges it (ops.c and judge.c, or litmus.c).

#ifndef WEAK_H
#define WEAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THREADS 4
#define WORDS 128    // atomic words that the threads of one scene touch
#define MESSAGES 256 // of one word in one execution
#define UNIT_BYTES 65536

// ---- What a unit calls ---------------------------------------------------------------------------------

void weak_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void weak_lock(void);
void weak_unlock(void);
void weak_sleep(void);                            // until another has changed what this thread looked at last; while all others wait: goes on
void weak_check_lock(void);                       // fails where the running thread has not got it
bool weak_in_thread(void);                        // not while setting up, nor at rest
unsigned weak_thread(void);                       // which one
uint32_t weak_now(void);                          // the running thread's clock, for weak_knows
bool weak_knows(unsigned thread, uint32_t clock); // does the running thread know what that one had done then?
void weak_read(const volatile void *p, size_t size);
void weak_write(volatile void *p, size_t size); // plain data; called before the access

// ---- What a unit is ------------------------------------------------------------------------------------

void unit_prepare(const char *setup, char *const *scripts, unsigned threads); // alone, once
void unit_run(unsigned thread);                                               // once for each execution
void unit_judge(void);                                                        // at rest; what is wrong ends by weak_fail
void unit_end(void);                                                          // when all has been seen
// A word whose order leaves no trace: only changed by what commutes, and read by nobody meanwhile.
bool unit_is_blind(const volatile void *p);
bool unit_name(const volatile void *p, char *text, size_t size); // of a word, for traces

// ---- Between the parts ---------------------------------------------------------------------------------

typedef struct {
    uint32_t at[WORDS];      // how far into each word's history
    uint32_t clock[THREADS]; // how far into each thread's doings
} view_t;

typedef struct {
    uint64_t a, b;
} name_t; // 128 bits of hash

static inline name_t mix(name_t n, uint64_t x) {
    uint64_t a = (n.a ^ x) * 0x9fb21c651e98df25u;
    uint64_t b = (n.b + x) * 0xff51afd7ed558ccdu;
    a = (a ^ a >> 32) * 0xd6e8feb86659fd93u;
    b = (b ^ b >> 29) * 0xc4ceb9fe1a85ec53u;
    return (name_t){ a ^ a >> 29, b ^ b >> 32 };
}

static inline name_t mix_name(name_t n, name_t m) {
    return mix(mix(n, m.a), m.b ^ m.a >> 7);
}

typedef struct {
    view_t view;     // what it knows
    view_t released; // what it knew at its last release fence
    view_t found;    // what relaxed loads found, for an acquire fence to come
    name_t history;  // all that it has read, and where it wrote: it is deterministic, so all else follows
    uint32_t last[WORDS];
    uint8_t again[WORDS]; // how often in a row it has read that message
    unsigned looked;      // the word it read last, 0: none (counted from 1)
    uint32_t sections;    // of the lock, as it saw them last
    uint8_t spurious;
    bool looked_locked, sleeping, wants_lock, done;
    void *stack_pointer;
} thread_t;

enum order {
    RELAXED,
    CONSUME,
    ACQUIRE,
    RELEASE,
    ACQ_REL,
    SEQ_CST,
};

typedef struct {
    bool hart;            // signal fences hold as thread fences: an interrupt and what it interrupts, in one hart
    bool newest;          // sequentially consistent: nothing but the newest message is read or followed
    bool mask;            // the lock is a mask of the one hart's interrupts: nobody else runs meanwhile
    bool no_pruning;      // every execution to its end, for litmus tests of the search
    unsigned rereads;     // a load may find one overtaken message so often: memory becomes visible at last
    unsigned spurious;    // weak compare-and-swaps of one thread that fail for no reason
    unsigned long states; // at most
} options_t;

extern options_t options;
extern thread_t thread[THREADS];
extern unsigned threads;
extern int running; // -1: none, all accesses are plain memory's
extern uint32_t execution;

// search.c
unsigned choose(unsigned n); // 0 to n - 1; the newest first
void pause_thread(void);     // the scheduler decides who goes on
void count_step(void);       // no thread goes on for ever
void start_again(void);      // something new is known of the program: the search begins anew, with it
bool in_unit(const volatile void *p, size_t size, size_t *offset);
void *or_die(void *memory);
extern uintptr_t unit_base;
extern unsigned long executions, steps;

// report.c
void trace_begin(void);
void trace(unsigned word, char what, bool stale, uint64_t was, uint64_t now, int order, const void *from);

// states.c
bool states_add(name_t key); // true where it is new; it is known from then on
unsigned long states_count(void);
void states_forget(void);

// machine.c
void machine_begin(void);
void machine_rest(void);                  // memory holds the newest of each word
void machine_settle(void);                // a store that the thread has made by now
bool machine_has_news(const thread_t *t); // the word that it looked at last has a newer message
void machine_show_news(thread_t *t);
void view_join(view_t *to, const view_t *from);
void view_copy(view_t *to, const view_t *from);
name_t machine_state(name_t key);
const volatile void *machine_address(unsigned word);
uint64_t machine_load(const volatile void *p, unsigned size, int order, const void *from);
void machine_store(volatile void *p, unsigned size, uint64_t v, int order, const void *from);
uint64_t machine_change(volatile void *p, unsigned size, char op, uint64_t v, int order, const void *from);
bool machine_swap(volatile void *p, unsigned size, uint64_t *expected, uint64_t desired, int order, int failed, bool weak,
    const void *from);
void machine_fence(int order);
void machine_see_all(void); // as if the thread had loaded every word before an acquire fence
// A store whose value is not known yet: it is in memory when the thread comes to its next access.
void machine_store_later(volatile void *p, unsigned size, const void *from);
bool machine_is_word(const volatile void *p); // touched atomically by a thread, in this or an earlier execution

// lock.c
void lock_begin(void);
bool lock_is_mine(void);
bool lock_may_go(unsigned t); // it is not done, and waits for nothing
void lock_wake(unsigned t);

// plain.c
enum access {
    PLAIN_READ,
    PLAIN_WRITE,
    ATOMIC_READ,
    ATOMIC_WRITE,
};
void plain_access(const volatile void *p, size_t size, enum access access, const void *from);

#endif // WEAK_H
