// kinds.c - runs every call of the pools' core, in random rows, and looks at how each word was changed: counted (by what adds, sets
// and clears) or compared (by what compares first), never both; and what is counted is not stored to once mempool_init is over. On
// RISC-V a change of the one kind may be lost in the middle of one of the other (port/atomic_riscv.h).

#include "mempool_core.h" // first

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stress.h"

// ---- Notes ---------------------------------------------------------------------------------------------

#define PLACES 65536u

static struct {
    uintptr_t word;
    unsigned kinds;
} notes[PLACES];
static bool ready;
static unsigned noted;

void kinds_note(const volatile void *word, unsigned kind) {
    if (kind == KIND_STORED && !ready) {
        return; // nobody counts what mempool_init has not told of
    }
    uintptr_t address = (uintptr_t)word;
    uint32_t place = (uint32_t)(address >> 2) * 2654435761u >> 16;
    while (notes[place].word != 0 && notes[place].word != address) {
        place = (place + 1u) % PLACES;
    }
    noted += notes[place].word == 0;
    notes[place].word = address;
    notes[place].kinds |= kind;
}

// What is left of an owner's last life is stored when the place is used again: nobody holds it then.
static bool is_of_a_new_owner(uintptr_t word) {
#if MEMPOOL_OWNERS > 0
    for (unsigned i = 1; i <= MEMPOOL_OWNERS; ++i) {
        if (word == (uintptr_t)&mempool_owners[i].lowest || word == (uintptr_t)&mempool_owners[i].denied) {
            return true;
        }
    }
#endif
    (void)word;
    return false;
}

static int judge(void) {
    int wrong = 0;
    unsigned both[8] = { 0 };
    for (unsigned i = 0; i < PLACES; ++i) {
        unsigned kinds = notes[i].kinds;
        if (kinds == (KIND_COUNTED | KIND_STORED) && is_of_a_new_owner(notes[i].word)) {
            kinds = KIND_COUNTED;
        }
        both[kinds] += notes[i].word != 0;
        if ((kinds & (KIND_COUNTED | KIND_COMPARED)) == (KIND_COUNTED | KIND_COMPARED) || kinds == (KIND_COUNTED | KIND_STORED)) {
            size_t at = notes[i].word - (uintptr_t)&mempool_stores;
            printf("a word is changed in ways %u (%s+%zu)\n", kinds, at < sizeof(mempool_stores) ? "pools" : "elsewhere", at);
            wrong = 1;
        }
    }
    printf("words %u counted %u compared %u\n", noted, both[KIND_COUNTED], both[KIND_COMPARED] + both[KIND_COMPARED | KIND_STORED]);
    return wrong;
}

// ---- Calls ---------------------------------------------------------------------------------------------

static uint32_t seed = 1;
static mempool_handle_t held[512];
static unsigned n_held;

static mempool_handle_t any(void) {
    return n_held != 0 ? held[random_below(&seed, n_held)] : (mempool_handle_t)random_below(&seed, 1u << 30);
}

static void keep(mempool_handle_t handle) {
    if (handle > 0 && n_held < 512u) {
        held[n_held++] = handle;
    } else if (handle > 0) {
        mempool_give(handle);
    }
}

static mempool_handle_t let_go(void) {
    if (n_held == 0) {
        return 0;
    }
    unsigned i = random_below(&seed, n_held);
    mempool_handle_t handle = held[i];
    held[i] = held[--n_held];
    return handle;
}

static void look_at_all(void) {
    static mempool_leak_t leaks[16];
    static mempool_trace_t trace[32];
    static uint8_t map[1024];
    mempool_stats_t stats;
    mempool_pool_info_t pool;
    mempool_owner_info_t owner;
    mempool_heap_info_t heap;
    mempool_level_t level;
    unsigned p = random_below(&seed, MEMPOOL_POOLS);
    mempool_stats(&stats);
    mempool_pool_stats(p, &stats);
    mempool_pool_info(p, &pool);
    mempool_map(p, map, sizeof(map));
    mempool_owner_info(1, &owner);
    mempool_unowned();
    mempool_heap_info(0, &heap);
    mempool_leaks(0, leaks, 16);
    mempool_trace(trace, 32);
    mempool_pressure_look();
    while (mempool_pressure_next(&p, &level)) {
    }
    if (mempool_check() != 0) {
        puts("check() is not 0");
        exit(1);
    }
}

static void hook(void) {
}

static void step(void) {
    char byte = 0;
    uint32_t size = random_below(&seed, 520);
    mempool_owner_t owner = (mempool_owner_t)random_below(&seed, 4);
    mempool_block_t block;
    switch (random_below(&seed, 20)) {
        case 0:
        case 1:
        case 2:
            keep(mempool_take(size, owner));
            break;
        case 3:
        case 4:
            keep(mempool_take_flags(size, owner, random_below(&seed, 16)));
            break;
        case 5:
            keep(mempool_take_wait(size, owner, MEMPOOL_SPILL, 0));
            break;
        case 6:
        case 7:
        case 8:
            mempool_give(let_go());
            break;
        case 9:
            mempool_give_flags(let_go(), random_below(&seed, 2) * MEMPOOL_RECLAIM);
            break;
        case 10:
            mempool_give(any() ^ 1 << 13);
            mempool_give_flags(any() ^ 1 << 14, MEMPOOL_PYTHON);
            break;
        case 11:
            mempool_free(mempool_alloc(size));
            mempool_handle_of(mempool_data(any()));
            break;
        case 12:
            mempool_write(any(), 0, &byte, 1);
            mempool_read(any(), 0, &byte, 1);
            mempool_inspect(any(), &block);
            break;
        case 13:
            mempool_adopt(any(), random_below(&seed, 2) * MEMPOOL_PYTHON);
            break;
        case 14:
            mempool_owner_open("abc" + random_below(&seed, 3), 1, random_below(&seed, 3) * 1000u, random_below(&seed, 2) * MEMPOOL_PYTHON);
            break;
        case 15:
            mempool_owner_close(owner, random_below(&seed, 2) * MEMPOOL_PYTHON);
            break;
        case 16:
            mempool_reset_stats();
            break;
        case 17:
            look_at_all();
            break;
        case 18:
            mempool_set_pressure_hook(random_below(&seed, 2) != 0 ? hook : NULL);
            if (random_below(&seed, 20) == 0) {
                mempool_reclaim_python();
            }
            break;
        default:
#if MEMPOOL_GROW > 0
            if (random_below(&seed, 2) != 0) {
                mempool_grow(random_below(&seed, MEMPOOL_POOLS), 1u + random_below(&seed, 8));
            } else {
                mempool_shrink(random_below(&seed, MEMPOOL_POOLS));
            }
#endif
            break;
    }
}

int main(void) {
    keep(mempool_take(1, 0));
    mempool_init();
    ready = true;
    for (unsigned i = 0; i < 40000u; ++i) {
        // Towards the end of a phase all is given back, so that pools shrink and owners are closed.
        if (i % 2000u == 1999u) {
            while (n_held != 0) {
                mempool_give(let_go());
            }
        }
        step();
    }
    return judge();
}
