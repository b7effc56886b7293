// pressure.c - how close to the edge: NORMAL, LOW, CRITICAL, told once when they change, with hysteresis.
//
//      level      left upwards when used >=     downwards when used <
//      NORMAL     low                           -
//      LOW        critical                      low_left (3/4 of low)
//      CRITICAL   -                             low
//
// take only compares the state with the two marks of the pool's level, and rings when it is beyond one. The level moves
// here, where somebody looks: whom the bell woke, who wants the level, and the slower calls (take_flags, give_flags) by
// themselves. Levels that come and go between two looks are one.

#include "mempool_core.h"

static mempool_word_t levels MEMPOOL_FAST; // 4 bits a pool: the level that holds 2, the one told last 2
mempool_hook_t mempool_bell MEMPOOL_FAST;

#define LEVEL(word, p) ((word) >> 4u * (p)&3u)
#define TOLD(word, p) ((word) >> (4u * (p) + 2u) & 3u)

static MEMPOOL_HOT inline uint32_t pack(uint32_t word, unsigned p, uint32_t level, uint32_t told) {
    return (word & ~(15u << 4u * p)) | (level | told << 2) << 4u * p;
}

static MEMPOOL_HOT uint32_t next_level(unsigned p, uint32_t state, uint32_t level) {
    const mempool_marks_t *marks = &mempool_marks[p];
    if (state < mempool_peek(&marks->critical)) {
        return MEMPOOL_LEVEL_CRITICAL;
    }
    if (state < mempool_peek(&marks->low)) {
        return level == MEMPOOL_LEVEL_CRITICAL ? level : MEMPOOL_LEVEL_LOW;
    }
    if (state < mempool_peek(&marks->low_left)) {
        return level == MEMPOOL_LEVEL_NORMAL ? level : MEMPOOL_LEVEL_LOW;
    }
    return MEMPOOL_LEVEL_NORMAL;
}

static MEMPOOL_HOT void set_marks(unsigned p, uint32_t level) {
    mempool_pool_t *pool = mempool_pool(p);
    const mempool_marks_t *marks = &mempool_marks[p];
    mempool_store(&pool->up, level == MEMPOOL_LEVEL_CRITICAL ? MEMPOOL_MARK_NEVER_UP
                             : level == MEMPOOL_LEVEL_NORMAL ? mempool_peek(&marks->low)
                                                             : mempool_peek(&marks->critical));
    mempool_store(&pool->down, level == MEMPOOL_LEVEL_NORMAL ? MEMPOOL_MARK_NEVER_DOWN
                               : level == MEMPOOL_LEVEL_LOW  ? mempool_peek(&marks->low_left)
                                                             : mempool_peek(&marks->low));
}

// What a word is, after what was written here before.
static MEMPOOL_HOT inline uint32_t look_again(mempool_word_t *word) {
#ifdef MEMPOOL_PORT_IN_ORDER
    return mempool_load(word);
#else
    int zero;
    return mempool_add(word, 0u, &zero);
#endif
}

// Marks are set after the level, and both looked at again: of several that look at once, the last leaves them in order,
// and what is taken or given meanwhile is either seen here or finds the new marks. Both second looks are read-modify-writes, as
// are the changes that they look for: only that orders the marks written here against what the others read after theirs.
// Before mempool_init, whose marks are those of NORMAL, no pool has a level.
static MEMPOOL_HOT void settle(unsigned p) {
    for (bool beyond = mempool_is_ready(); beyond;) {
        uint32_t resizings = MEMPOOL_RESIZINGS();
        uint32_t word = mempool_load(&levels);
        uint32_t level = LEVEL(word, p);
        uint32_t next = next_level(p, mempool_load(&mempool_pool(p)->state), level);
        if (next == level || mempool_cas(&levels, word, pack(word, p, next, TOLD(word, p)))) {
            set_marks(p, next);
            uint32_t state = look_again(&mempool_pool(p)->state);
            beyond = LEVEL(look_again(&levels), p) != next || next_level(p, state, next) != next ||
                     MEMPOOL_RESIZINGS() != resizings;
        }
    }
}

MEMPOOL_HOT void mempool_pressure_look_at(unsigned p) {
    const mempool_pool_t *pool = mempool_pool(p);
    MEMPOOL_ENTER();
    uint32_t state = mempool_load(&pool->state);
    if (state < mempool_load(&pool->up) || state >= mempool_load(&pool->down)) {
        settle(p);
    }
    MEMPOOL_LEAVE();
}

#if MEMPOOL_GROW > 0
void mempool_pressure_resized(unsigned p) {
    MEMPOOL_ENTER();
    settle(p);
    MEMPOOL_LEAVE();
    (void)mempool_ring(0); // it may be at another level now
}
#endif

MEMPOOL_HOT void mempool_pressure_look(void) {
    for (unsigned p = 0; p < MEMPOOL_POOLS; ++p) {
        mempool_pressure_look_at(p);
    }
}

MEMPOOL_HOT __attribute__((noinline)) mempool_handle_t mempool_ring(mempool_handle_t handle) {
    mempool_hook_t ring = MEMPOOL_POINTER_LOAD(mempool_bell);
    if (ring != NULL) {
        ring();
    }
    return handle;
}

MEMPOOL_HOT mempool_level_t mempool_pressure_level(unsigned pool) {
    return (mempool_level_t)LEVEL(mempool_load(&levels), pool);
}

MEMPOOL_HOT mempool_level_t mempool_pressure_highest(void) {
#define EACH (1u | 1u << 4 | 1u << 8 | 1u << 12 | 1u << 16)
    uint32_t word = mempool_load(&levels);
    return (word & EACH * MEMPOOL_LEVEL_CRITICAL) != 0 ? MEMPOOL_LEVEL_CRITICAL
           : (word & EACH * MEMPOOL_LEVEL_LOW) != 0    ? MEMPOOL_LEVEL_LOW
                                                       : MEMPOOL_LEVEL_NORMAL;
}

void mempool_set_pressure_hook(mempool_hook_t hook) {
    MEMPOOL_ENTER();
    mempool_pressure_look();
    for (unsigned p = 0; p < MEMPOOL_POOLS; ++p) {
        uint32_t word;
        do {
            word = mempool_load(&levels);
        } while (!mempool_cas(&levels, word, pack(word, p, LEVEL(word, p), LEVEL(word, p))));
    }
    MEMPOOL_POINTER_STORE(mempool_bell, hook);
    MEMPOOL_LEAVE();
}

MEMPOOL_HOT bool mempool_pressure_next(unsigned *pool, mempool_level_t *level) {
    bool found = false;
    MEMPOOL_ENTER();
    mempool_pressure_look();
    for (unsigned p = 0; p < MEMPOOL_POOLS && !found;) {
        uint32_t word = mempool_load(&levels);
        uint32_t next = LEVEL(word, p);
        if (next == TOLD(word, p)) {
            ++p;
        } else if (mempool_cas(&levels, word, pack(word, p, next, next))) {
            *pool = p;
            *level = (mempool_level_t)next;
            found = true;
        }
    }
    MEMPOOL_LEAVE();
    return found;
}
