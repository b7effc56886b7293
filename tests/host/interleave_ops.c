// interleave_ops.c - the operations of the interleaving checker, and what each may disturb.
//
// A script is a row of operations, a letter and mostly a digit each:
//
//      tN take of class N    TN the same, critical    oN the same, for the owner    aN mempool_alloc
//      g  gives the handle that this thread took last, if any          f  the same by pointer
//      GN gives shared handle N (those that the set-up took)           FN the same by pointer
//      RN reads shared handle N      AN hands it to Python             PN gives it as Python does
//      XN gives the handle that the block of shared N gets next: guessed, nobody was ever given it
//      sN statistics of pool N       z  reset_stats                    l  leaks      k  looks at the pressure
//      wN pool 0 grows by N blocks   h  it shrinks
//      mN (set-up) takes N blocks of class 0 that are held for good
//      qN (set-up) opens the owner with a quota of N blocks of 32 bytes

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interleave.h"
#include "mempool_core.h"

static mempool_handle_t shared[HANDLES];
static void *shared_data[HANDLES];
mempool_owner_t owner;
uint32_t quota = UINT32_MAX;
mempool_handle_t known[HANDLES];
bool known_owned[HANDLES];
unsigned known_count;
unsigned shared_count;
model_t before;
static bool sees_counts, sees_stamps;

unsigned number_of(mempool_handle_t handle) {
    for (unsigned i = 0; i < known_count; i++) {
        if (known[i] == handle) {
            return i;
        }
    }
    known[known_count] = handle;
    return known_count++;
}

static bool parse(const char **script, char *verb, uint8_t *argument) {
    *verb = **script;
    if (!*verb) {
        return false;
    }
    *argument = 0;
    for ((*script)++; **script >= '0' && **script <= '9'; (*script)++) {
        *argument = (uint8_t)(*argument * 10 + (**script - '0'));
    }
    return true;
}

void ops_add_thread(unsigned thread, const char *script) {
    unsigned at = thread ? world.end[thread - 1] : 0;
    world.first[thread] = world.at[thread] = (uint8_t)at;
    char verb;
    uint8_t argument;
    while (parse(&script, &verb, &argument)) {
        if (at == OPS) {
            fprintf(stderr, "more than %d operations\n", OPS);
            exit(2);
        }
        world.ops[at++] = (op_t){ .verb = verb, .argument = argument, .thread = (uint8_t)thread };
    }
    world.end[thread] = (uint8_t)at;
    for (; at-- > world.first[thread];) {
        sees_counts |= strchr("sz", world.ops[at].verb) != NULL;
        sees_stamps |= strchr("l", world.ops[at].verb) != NULL;
    }
}

// Counters are only added to, marks only raised and lowered, stamps only stored by who holds the block: where nobody
// reads them meanwhile, their order leaves no trace, and no thread need stop there. What has no owner has no limit.
bool ops_can_see(const volatile void *address) {
    const volatile mempool_word_t *word = address;
    for (unsigned p = 0; p < MEMPOOL_POOLS; p++) {
        mempool_pool_t *pool = mempool_pool(p);
        if (word >= &pool->word[0] && word < &pool->word[counts[p] * MEMPOOL_STRIDE]) {
            return sees_stamps || (word - &pool->word[0]) % MEMPOOL_STRIDE == 0;
        }
#if MEMPOOL_DIAGNOSTICS
        // Not `allocs`: it turns the search.
        if (word >= &pool->deepest && word <= &pool->held) {
            return sees_counts;
        }
#endif
    }
#if MEMPOOL_OWNERS > 0
    if (word == &mempool_owners[0].balance || word == &mempool_owners[0].lowest) {
        return false;
    }
#endif
#if MEMPOOL_DIAGNOSTICS
    if (word == &mempool_refused_foreign) {
        return sees_counts;
    }
#endif
    return true;
}

static int32_t took(op_t *op, unsigned thread, mempool_handle_t handle) {
    op->handle = handle;
    if (handle > 0) {
        world.held[thread][world.holds[thread]++] = handle;
    }
    return handle;
}

static int32_t read_statistics(unsigned pool) {
    mempool_stats_t s;
    mempool_pool_stats(pool, &s);
    bool peak_holds = MEMPOOL_DIAGNOSTICS ? s.used <= s.peak && s.peak <= s.capacity : s.peak == 0;
    return s.used + s.free == s.capacity && peak_holds ? 0 : 1;
}

// All blocks here are asked for in full, and time stands still since they were taken: anything else is made up.
static int32_t wrong_leaks(void) {
    mempool_leak_t leaks[8];
    int32_t wrong = 0;
    size_t n = mempool_leaks(0, leaks, 8);
    for (size_t i = 0; i < n; i++) {
        wrong += leaks[i].size != 32u << pool_of((mempool_handle_t)leaks[i].handle) || leaks[i].age_ms != 0;
    }
    return wrong;
}

// What somebody does whom the bell woke.
void look(void) {
    unsigned pool;
    mempool_level_t level;
    world.rung = 0;
    while (mempool_pressure_next(&pool, &level)) {
        world.told[pool] = (uint8_t)level;
    }
}

void ops_run(op_t *op, unsigned thread) {
    uint32_t size = 32u << op->argument;
    void *data;
    char byte;
    switch (op->verb) {
        case 't':
            op->result = took(op, thread, mempool_take(size, MEMPOOL_NO_OWNER));
            break;
        case 'T':
            op->result = took(op, thread, mempool_take_flags(size, MEMPOOL_NO_OWNER, MEMPOOL_CRITICAL));
            break;
        case 'o':
            op->result = took(op, thread, mempool_take(size, owner));
            break;
        case 'a':
            data = mempool_alloc(size);
            op->result = took(op, thread, data ? mempool_handle_of(data) : MEMPOOL_E_EXHAUSTED);
            break;
        case 'g':
        case 'f':
            op->handle = world.holds[thread] ? world.held[thread][--world.holds[thread]] : 0;
            if (op->handle) {
                op->result = op->verb == 'g' ? mempool_give(op->handle) : mempool_free(mempool_data(op->handle));
            }
            break;
        case 'G':
            op->handle = shared[op->argument];
            op->result = mempool_give(op->handle);
            break;
        case 'F':
            op->handle = shared[op->argument];
            op->result = mempool_free(shared_data[op->argument]);
            break;
        case 'P':
            op->handle = shared[op->argument];
            op->result = mempool_give_flags(op->handle, MEMPOOL_PYTHON);
            break;
        case 'A':
            op->handle = shared[op->argument];
            op->result = mempool_adopt(op->handle, MEMPOOL_PYTHON);
            break;
        case 'R':
            op->handle = shared[op->argument];
            op->result = mempool_read(op->handle, 0, &byte, 1);
            break;
        case 's':
            op->result = read_statistics(op->argument);
            break;
        case 'z':
            mempool_reset_stats();
            break;
        case 'X':
            op->handle = shared[op->argument] + (1 << 13);
            op->result = mempool_give(op->handle);
            break;
        case 'l':
            op->result = wrong_leaks();
            break;
        case 'k':
            look();
            break;
#if MEMPOOL_GROW > 0
        case 'w':
            op->result = mempool_grow(0, op->argument);
            break;
        case 'h':
            op->result = mempool_shrink(0);
            break;
#endif
        default:
            fprintf(stderr, "no operation '%c'\n", op->verb);
            exit(2);
    }
}

void ops_prepare(const char *script) {
    char verb;
    uint8_t argument;
    while (parse(&script, &verb, &argument)) {
        if (verb == 'q') {
            quota = argument * MEMPOOL_MIN_BLOCK;
            int opened = mempool_owner_open("owner", 5, quota, 0);
            if (opened < 1) {
                fprintf(stderr, "owner_open is %d\n", opened);
                exit(2);
            }
            owner = (mempool_owner_t)opened;
            continue;
        }
        if (verb == 'm') {
            for (; argument; argument--, before.used[0]++) {
                if (mempool_take(1, MEMPOOL_NO_OWNER) <= 0) {
                    fprintf(stderr, "the set-up ran out of blocks\n");
                    exit(2);
                }
            }
            continue;
        }
        op_t op = { .verb = verb, .argument = argument };
        ops_run(&op, 0);
        if (verb == 'w') {
            before.grown += argument;
            continue;
        }
        if (op.handle <= 0) {
            fprintf(stderr, "the set-up got %d\n", (int)op.handle);
            exit(2);
        }
        unsigned pool = pool_of(op.handle);
        if (verb == 'g') {
            before.live &= ~(1ull << number_of(op.handle)); // still shared: a stale handle
            before.used[pool]--;
            continue;
        }
        unsigned n = number_of(op.handle);
        shared[shared_count] = op.handle;
        shared_data[shared_count++] = mempool_data(op.handle);
        known_owned[n] = verb == 'o';
        before.live |= 1ull << n;
        before.used[pool]++;
        before.owned += verb == 'o' ? 32u << pool : 0;
    }
    memset(&world, 0, sizeof(world));
    look();
}

void ops_print(void) {
    for (unsigned i = 0; i < OPS && world.ops[i].verb; i++) {
        const op_t *op = &world.ops[i];
        printf("  thread %u: %c%u handle %#x -> %d%s (after 0x%x)\n", op->thread + 1, op->verb, op->argument,
            (unsigned)op->handle, (int)op->result, op->done ? "" : op->begun ? ", unfinished"
                                                                             : ", not begun",
            op->earlier);
    }
}
