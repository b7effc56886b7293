// interleave_judge.c - is there an order of the operations, one after another, that gives what the threads were told?
//
// An operation that had ended before another began comes first. A give counts in three points: from the first the
// handle is stale, from the second the owner's quota has room, from the third the pool. After that the pools themselves
// are looked at: counters, owners, pressure, check(), and whether every free block can still be taken, once.

#include <stdio.h>
#include <string.h>

#include "interleave.h"

static char why[160];

// The points of a give, and of a take for an owner that is refused; all else has one.
enum {
    DIES = 0,
    LEAVES_OWNER,
    LEAVES_POOL,
    WHOLE,
    CHARGES = 0,
    FINDS_NONE,
    REFUNDS,
    HIDES = 0,
    SHOWS,
};

static unsigned count_of(unsigned pool, const model_t *m) {
    return counts[pool] + (pool == 0 ? m->grown : 0);
}

// May `op` give its result in the state `m`? Then m becomes the state after it, and *point the next one of the operation.
static bool fits(const op_t *op, model_t *m, unsigned *point) {
    unsigned n, pool;
    uint64_t bit;
    switch (op->verb) {
        case 't':
        case 'T':
        case 'o':
        case 'a': {
            pool = op->argument;
            uint32_t size = 32u << pool;
            bool room = m->used[pool] < count_of(pool, m) - (op->verb == 'T' ? 0 : MEMPOOL_RESERVE);
            bool allowed = op->verb != 'o' || (m->owned <= quota && size <= quota - m->owned);
            if (op->result == MEMPOOL_E_EXHAUSTED && op->verb == 'o') {
                // It holds its part of the quota until it knows that there is no block.
                if (*point == CHARGES) {
                    m->owned += size;
                    *point = FINDS_NONE;
                    return allowed;
                }
                if (*point == FINDS_NONE) {
                    *point = REFUNDS;
                    return !room;
                }
                m->owned -= size;
                *point = WHOLE;
                return true;
            }
            if (op->result == MEMPOOL_E_EXHAUSTED) {
                return !room;
            }
            if (op->result == MEMPOOL_E_QUOTA) {
                // It holds its part of the quota until it knows that there is too little.
                if (*point == CHARGES) {
                    m->owned += size;
                    *point = REFUNDS;
                    return !allowed;
                }
                m->owned -= size;
                *point = WHOLE;
                return true;
            }
            if (op->result <= 0 || pool_of(op->result) != pool || !room || !allowed) {
                return false;
            }
            n = number_of(op->result);
            if (m->live >> n & 1) {
                return false;
            }
            m->live |= 1ull << n;
            m->used[pool]++;
            m->owned += op->verb == 'o' ? size : 0;
            known_owned[n] = op->verb == 'o';
            return true;
        }
        case 'g':
        case 'f':
        case 'G':
        case 'F':
        case 'P':
        case 'X':
            if (!op->handle) {
                return true;
            }
            n = number_of(op->handle);
            // An address stands for whoever holds the block now.
            for (unsigned i = 0; op->verb == 'F' && i < known_count; i++) {
                bool same = ((known[i] ^ op->handle) & 0x1fff) == 0;
                n = same && (*point == DIES ? m->live : m->dying) >> i & 1 ? i : n;
            }
            bit = 1ull << n;
            pool = pool_of(op->handle);
            if (*point == LEAVES_OWNER) {
                m->owned -= 32u << pool;
                *point = LEAVES_POOL;
                return true;
            }
            if (*point == LEAVES_POOL) {
                m->dying &= ~bit;
                m->used[pool]--;
                *point = WHOLE;
                return true;
            }
            if (op->result == MEMPOOL_OK) {
                bool live = m->live & bit;
                m->live &= ~bit;
                m->dying |= bit;
                *point = known_owned[n] ? LEAVES_OWNER : LEAVES_POOL;
                return live;
            }
            return op->result == MEMPOOL_E_STALE ? !(m->live & bit)
                                                 : op->verb == 'P' && op->result == MEMPOOL_E_FOREIGN && (m->live & bit);
        case 'A':
        case 'R':
            bit = 1ull << number_of(op->handle);
            return op->result == (op->verb == 'R') ? (m->live & bit) != 0
                                                   : op->result == MEMPOOL_E_STALE && !(m->live & bit);
        case 's':
        case 'l':
            return op->result == 0;
        case 'w':
            m->grown += (uint8_t)op->result;
            return op->result == op->argument;
        case 'h':
            // While it tries, nobody gets a block of the extent. Here an extent is all that the pool has grown by.
            if (*point == SHOWS) {
                m->grown = (uint8_t)before.grown;
                *point = WHOLE;
                return true;
            }
            if (op->result == 0) {
                *point = m->grown ? SHOWS : WHOLE;
                m->grown = 0;
                return true;
            }
            bit = op->result == m->grown && m->used[0] + (unsigned)MEMPOOL_RESERVE <= counts[0];
            m->grown = 0;
            return bit;
        default:
            return true;
    }
}

// Looks for an order. `points`: 2 bits an operation, its next point; `whole`: those that have had all of them.
static bool order_exists(unsigned n, uint32_t points, uint32_t whole, model_t m, model_t *end) {
    if (whole == (1u << n) - 1) {
        *end = m;
        return true;
    }
    for (unsigned i = 0; i < n; i++) {
        const op_t *op = &world.ops[i];
        if (whole >> i & 1 || (op->earlier & ~whole)) {
            continue;
        }
        unsigned before_this = points >> 2 * i & 3, point = before_this;
        model_t next = m;
        if (!fits(op, &next, &point)) {
            continue;
        }
        uint32_t all = point == before_this || point == WHOLE ? whole | 1u << i : whole;
        uint32_t moved = (points & ~(3u << 2 * i)) | point << 2 * i;
        if (order_exists(n, moved, all, next, end)) {
            return true;
        }
    }
    return false;
}

static const char *judge_pool(unsigned pool, const model_t *end) {
    mempool_stats_t s;
    mempool_pool_stats(pool, &s);
    uint32_t size = 32u << pool;
    bool peak_holds = MEMPOOL_DIAGNOSTICS ? s.used <= s.peak : s.peak == 0;
    if (s.used != end->used[pool] * size || s.used + s.free != s.capacity || !peak_holds) {
        snprintf(why, sizeof(why), "pool %u: used %u of %u, peak %u; %u blocks are held", pool, s.used, s.capacity,
            s.peak, end->used[pool]);
        return why;
    }
    return NULL;
}

// The level is one that this fill allows, and for a rise that nobody was told of the bell rang.
static const char *judge_pressure(const model_t *end) {
    uint8_t told[MEMPOOL_POOLS];
    bool rung = world.rung;
    memcpy(told, world.told, sizeof(told));
    look();
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        uint32_t usable = count_of(pool, end) - MEMPOOL_RESERVE, used = end->used[pool];
        uint32_t low = (usable * MEMPOOL_LOW_PERCENT + 99) / 100;
        uint32_t low_left = (usable * MEMPOOL_LOW_PERCENT * 3 + 399) / 400;
        uint32_t critical = (usable * MEMPOOL_CRITICAL_PERCENT + 99) / 100;
        uint32_t least = used >= critical || used > usable ? 2 : used >= low ? 1
                                                                             : 0;
        uint32_t most = used >= low ? 2 : used >= low_left ? 1
                                                           : 0;
        mempool_stats_t s;
        mempool_pool_stats(pool, &s);
        if (s.level < least || s.level > most || s.level != world.told[pool]) {
            snprintf(why, sizeof(why), "pool %u: level %u, told %u, with %u of %u used", pool, s.level,
                world.told[pool], used, usable);
            return why;
        }
        if (s.level > told[pool] && !rung) {
            snprintf(why, sizeof(why), "pool %u: level %u was reached and no bell rang", pool, s.level);
            return why;
        }
    }
    return NULL;
}

const char *ops_judge(void) {
    unsigned n = 0;
    while (n < OPS && world.ops[n].verb) {
        n++;
    }
    known_count = shared_count;
    model_t end;
    if (!order_exists(n, 0, 0, before, &end)) {
        return "no order of these operations gives these results";
    }
    uint32_t broken = mempool_check();
    if (broken) {
        snprintf(why, sizeof(why), "check() is %u at the end", broken);
        return why;
    }
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        const char *wrong = judge_pool(pool, &end);
        if (wrong) {
            return wrong;
        }
    }
    if (owner) {
        mempool_owner_info_t info;
        if (mempool_owner_info(owner, &info) != MEMPOOL_OK || info.used != end.owned || info.used > info.peak) {
            return "the owner's use is wrong";
        }
    }
    const char *wrong = judge_pressure(&end);
    if (wrong) {
        return wrong;
    }
    // No block is lost and none is there twice: all that are free can be taken, and not one more.
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; pool++) {
        for (unsigned i = end.used[pool]; i <= count_of(pool, &end); i++) {
            mempool_handle_t handle = mempool_take_flags(32u << pool, MEMPOOL_NO_OWNER, MEMPOOL_CRITICAL);
            if ((handle > 0) != (i < count_of(pool, &end))) {
                snprintf(why, sizeof(why), "pool %u: take %u of %u is %d", pool, i + 1, count_of(pool, &end), (int)handle);
                return why;
            }
        }
    }
    return mempool_check() ? "check() after all was taken" : NULL;
}
