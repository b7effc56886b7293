// interleave.c - runs a few operations of a few threads in every possible order of their atomic accesses.
//
//      interleave SETUP THREAD THREAD [THREAD...]      (scripts: see interleave_ops.c)
//
// The core is a shared library whose every atomic access calls interleave_point. Threads are coroutines on small
// stacks, so that a state is a few kilobytes: the library's writable memory, the live part of each stack, and the
// world. From each new state every thread that can go on makes one step; a state that was seen before (by a
// hash of 128 bits) is not entered again. So loops of any length end, and nothing is left out.
//
// At each state, each thread is also let run alone until its operation is done: the others may stand still
// anywhere, as an interrupted task stands still, and nobody waits for them.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "interleave.h"

#define STACK_BYTES 4096
#define DEPTH 4096
#define SOLO_LIMIT 200 // accesses that one operation may need alone; the figure reached is printed

#ifndef __x86_64__
#error "switch_to is written for x86-64"
#endif

typedef struct {
    uint64_t a, b;
} hash_t;

typedef struct {
    uint8_t *bytes;
    size_t size;
    int next, by; // the next thread to try; the thread that came here
} state_t;

extern volatile uint32_t mempool_port_host_tick;

world_t world;
static uint8_t *stacks[THREADS];
static void *stack_pointers[THREADS], *scheduler;
static int running = -1;
static bool skip_point;
static unsigned threads;
static uint8_t *core;
static size_t core_size;
static state_t path[DEPTH];
static unsigned depth;
static hash_t *seen;
static size_t seen_size, seen_count;

// Saves what a call must keep, leaves its stack pointer in *save, and goes on where `load` was saved.
__attribute__((naked, noinline)) static void switch_to(void **save, void *load) {
    (void)save;
    (void)load;
    __asm__("push %rbp\n\tpush %rbx\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\t"
            "mov %rsp, (%rdi)\n\tmov %rsi, %rsp\n\t"
            "pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbx\n\tpop %rbp\n\tret");
}

static void pause_thread(void) {
    switch_to(&stack_pointers[running], scheduler);
}

// Called before each atomic access of the core.
void interleave_point(const volatile void *address) {
    if (running < 0 || !ops_can_see(address)) {
        return;
    }
    if (skip_point) {
        skip_point = false; // an operation begins with its first access
        return;
    }
    pause_thread();
}

static void thread_main(void) {
    unsigned self = (unsigned)running;
    while (world.at[self] < world.end[self]) {
        op_t *op = &world.ops[world.at[self]];
        op->begun = true;
        for (unsigned i = 0; i < OPS; i++) {
            op->earlier |= (uint16_t)(world.ops[i].done << i);
        }
        skip_point = true;
        ops_run(op, self);
        skip_point = false;
        op->done = true;
        world.at[self]++;
        pause_thread();
    }
    abort(); // a thread that is done is never run
}

static size_t live_stack(unsigned thread) {
    return (size_t)(stacks[thread] + STACK_BYTES - (uint8_t *)stack_pointers[thread]);
}

static void step(unsigned thread) {
    running = (int)thread;
    skip_point = false;
    switch_to(&scheduler, stack_pointers[thread]);
    running = -1;
    // What is left below the stack pointer is dead; as zeros it cannot make equal states look different.
    memset(stacks[thread], 0, STACK_BYTES - live_stack(thread));
}

static int find_segment(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size;
    (void)data;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_LOAD && (p->p_flags & PF_W) && strstr(info->dlpi_name, "libmempool")) {
            core = (uint8_t *)(info->dlpi_addr + p->p_vaddr);
            core_size = p->p_memsz;
        }
    }
    return 0;
}

static void *or_die(void *memory) {
    if (memory == NULL || memory == MAP_FAILED) {
        perror("interleave");
        exit(2);
    }
    return memory;
}

static void save(state_t *state) {
    size_t size = sizeof(world) + core_size + sizeof(stack_pointers);
    for (unsigned i = 0; i < threads; i++) {
        size += live_stack(i);
    }
    if (state->size < size) {
        state->bytes = or_die(realloc(state->bytes, size + 1024));
    }
    state->size = size;
    uint8_t *to = state->bytes;
    memcpy(to, &world, sizeof(world));
    to += sizeof(world);
    memcpy(to, stack_pointers, sizeof(stack_pointers));
    to += sizeof(stack_pointers);
    memcpy(to, core, core_size);
    to += core_size;
    for (unsigned i = 0; i < threads; i++) {
        memcpy(to, stack_pointers[i], live_stack(i));
        to += live_stack(i);
    }
}

static void restore(const state_t *state) {
    const uint8_t *from = state->bytes;
    memcpy(&world, from, sizeof(world));
    from += sizeof(world);
    memcpy(stack_pointers, from, sizeof(stack_pointers));
    from += sizeof(stack_pointers);
    memcpy(core, from, core_size);
    from += core_size;
    for (unsigned i = 0; i < threads; i++) {
        memcpy(stack_pointers[i], from, live_stack(i));
        from += live_stack(i);
    }
}

static uint64_t mix(uint64_t x) {
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    return x * 0xd6e8feb86659fd93u;
}

static hash_t hash(const state_t *state) {
    uint64_t a = state->size, b = 0x9e3779b97f4a7c15u;
    size_t at = 0;
    for (; at + 8 <= state->size; at += 8) {
        uint64_t word;
        memcpy(&word, state->bytes + at, 8);
        a = (a ^ word) * 0x9fb21c651e98df25u;
        a ^= a >> 29;
        b = (b + word) * 0xff51afd7ed558ccdu;
        b ^= b >> 31;
    }
    for (; at < state->size; at++) {
        a = (a ^ state->bytes[at]) * 0x9fb21c651e98df25u;
        b = (b + state->bytes[at]) * 0xff51afd7ed558ccdu;
    }
    return (hash_t){ mix(a) | 1, mix(b ^ a) }; // a is never 0: 0 marks an empty place
}

// True where the state is new; it is known from then on.
static bool is_new(hash_t key) {
    if (seen_count * 2 >= seen_size) {
        size_t old_size = seen_size;
        hash_t *old = seen;
        seen_size = old_size ? old_size * 2 : 1 << 16;
        seen = or_die(calloc(seen_size, sizeof(hash_t)));
        for (size_t i = 0; i < old_size; i++) {
            if (old[i].a) {
                size_t at = old[i].b & (seen_size - 1);
                while (seen[at].a) {
                    at = (at + 1) & (seen_size - 1);
                }
                seen[at] = old[i];
            }
        }
        free(old);
    }
    size_t at = key.b & (seen_size - 1);
    while (seen[at].a) {
        if (seen[at].a == key.a && seen[at].b == key.b) {
            return false;
        }
        at = (at + 1) & (seen_size - 1);
    }
    seen[at] = key;
    seen_count++;
    return true;
}

static void report(const char *what) {
    printf("FAIL: %s\n", what);
    ops_print();
    printf("schedule (which thread made each step):");
    for (unsigned i = 1; i < depth; i++) {
        printf(" %d", path[i].by + 1);
    }
    printf("\n");
    exit(1);
}

static bool finished(unsigned thread) {
    return world.at[thread] == world.end[thread];
}

// From this state each thread alone ends its operation within so many accesses.
static unsigned run_each_alone(const state_t *state) {
    unsigned most = 0;
    for (unsigned i = 0; i < threads; i++) {
        restore(state);
        unsigned steps = 0;
        for (unsigned at = world.at[i]; !finished(i) && world.at[i] == at; steps++) {
            if (steps == SOLO_LIMIT) {
                report("a thread that runs alone does not end its operation");
            }
            step(i);
        }
        most = steps > most ? steps : most;
    }
    return most;
}

static void start(unsigned thread) {
    stacks[thread] = or_die(mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    // switch_to pops six registers and returns into thread_main, which finds the stack as after a call.
    uint64_t *top = (uint64_t *)(stacks[thread] + STACK_BYTES) - 2;
    *top = (uint64_t)(uintptr_t)thread_main;
    stack_pointers[thread] = top - 6;
}

// The core's sleeps take no time here.
int nanosleep(const struct timespec *time, struct timespec *left) {
    (void)time;
    (void)left;
    return 0;
}

static void ring(void) {
    world.rung += world.rung < 255;
}

int main(int argc, char **argv) {
    threads = argc < 4 ? 0 : (unsigned)argc - 2;
    if (threads < 2 || threads > THREADS) {
        fprintf(stderr, "usage: interleave SETUP THREAD THREAD [THREAD...]\n");
        return 2;
    }
    dl_iterate_phdr(find_segment, NULL);
    if (core == NULL) {
        fprintf(stderr, "the core's library is not loaded\n");
        return 2;
    }
    mempool_port_host_tick = 1000; // time stands still
    mempool_init();
    ops_prepare(argv[1]);
    mempool_set_pressure_hook(ring);
    for (unsigned i = 0; i < threads; i++) {
        ops_add_thread(i, argv[2 + i]);
        start(i);
    }
    unsigned long states = 1, ends = 0;
    unsigned deepest = 0, most_alone = 0;
    save(&path[0]);
    is_new(hash(&path[0]));
    depth = 1;
    while (depth) {
        state_t *here = &path[depth - 1];
        if (here->next == (int)threads) {
            here->next = 0;
            depth--;
            continue;
        }
        unsigned thread = (unsigned)here->next++;
        restore(here);
        if (finished(thread)) {
            continue;
        }
        step(thread);
        state_t *there = &path[depth];
        there->next = 0;
        there->by = (int)thread;
        save(there);
        if (!is_new(hash(there))) {
            continue;
        }
        states++;
        if (++depth == DEPTH) {
            report("too deep");
        }
        deepest = depth > deepest ? depth : deepest;
        unsigned alone = run_each_alone(there);
        most_alone = alone > most_alone ? alone : most_alone;
        if (alone == 0) {
            ends++;
            restore(there);
            const char *wrong = ops_judge();
            if (wrong) {
                restore(there);
                report(wrong);
            }
        }
    }
    printf("states %lu ends %lu deepest %u alone %u\n", states, ends, deepest, most_alone);
    return 0;
}
