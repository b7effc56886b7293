// order.c - is there an order of the operations, one after another, that gives what the threads were told?
//
// An operation that had ended before another began, as far as that one's thread knew, comes first. (On a weak memory there is no
// other "before": who hears of nothing may be told what was true a while ago.) A give counts in three points: from the first the
// handle is stale, from the second the owner's quota has room, from the third the pool.

#include "ops.h"

// The points of a give, of a take for an owner that finds no block or no quota, and of a pool that becomes smaller; all else has one.
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
    return counts[pool] + (pool == 0 ? m->grown : 0u);
}

static bool fits_take(const op_t *op, model_t *m, unsigned *point) {
    enum verb verb = op->what->verb;
    bool owned = verb == TAKE_OWNED;
    unsigned pool = op->argument;
    if (verb == TAKE_SPILL && op->result == MEMPOOL_E_EXHAUSTED) {
        return true; // pool after pool, each at its own time
    }
    if (verb == TAKE_SPILL && op->result > 0 && pool_of(op->result) >= pool) {
        pool = pool_of(op->result);
    }
    uint32_t size = 32u << pool;
    bool room = m->ready && m->used[pool] < count_of(pool, m) - (verb == TAKE_CRITICAL ? 0 : MEMPOOL_RESERVE);
    bool allowed = quota_moves || !owned || (m->owned <= quota && size <= quota - m->owned);
    if (op->result == MEMPOOL_E_EXHAUSTED && owned) {
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
    if (op->result == MEMPOOL_E_QUOTA && *point == CHARGES) {
        // It holds its part until it has given it back, and may deny others theirs.
        m->owned += size;
        *point = REFUNDS;
        return quota_moves || !allowed;
    }
    if (op->result == MEMPOOL_E_QUOTA) {
        m->owned -= size;
        *point = WHOLE;
        return true;
    }
    if (op->result == MEMPOOL_E_RANGE) {
        return quota_moves && owned; // its owner has gone
    }
    if (op->result <= 0 || pool_of(op->result) != pool || !room || !allowed) {
        return false;
    }
    unsigned n = number_of(op->result);
    if ((m->seen >> n & 1) != 0) {
        return false;
    }
    m->seen |= 1ull << n;
    m->live |= 1ull << n;
    m->used[pool]++;
    m->owned += owned ? size : 0;
    known_owned[n] = owned;
    return true;
}

static bool fits_give(const op_t *op, model_t *m, unsigned *point) {
    if (op->handle == 0) {
        return true;
    }
    unsigned n = number_of(op->handle);
    // An address stands for whoever holds the block now.
    for (unsigned i = 0; op->what->verb == RACE_FREE && i < known_count; i++) {
        bool same = ((known[i] ^ op->handle) & 0x1fff) == 0;
        n = same && ((*point == DIES ? m->live : m->dying) >> i & 1) != 0 ? i : n;
    }
    uint64_t bit = 1ull << n;
    unsigned pool = pool_of(op->handle);
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
    bool live = (m->live & bit) != 0;
    if (op->result == MEMPOOL_OK) {
        m->live &= ~bit;
        m->dying |= bit;
        *point = known_owned[n] ? LEAVES_OWNER : LEAVES_POOL;
        return live;
    }
    if (op->result == MEMPOOL_E_STALE) {
        return !live;
    }
    return op->what->verb == RACE_PYTHON && op->result == MEMPOOL_E_FOREIGN && live;
}

static bool fits_shrink(const op_t *op, model_t *m, unsigned *point) {
    // While it tries, nobody gets a block of the extent. Here an extent is all that the pool has grown by.
    if (*point == SHOWS) {
        m->grown = before.grown;
        *point = WHOLE;
        return true;
    }
    if (op->result == 0) {
        *point = m->grown ? SHOWS : WHOLE;
        m->grown = 0;
        return true;
    }
    bool right = op->result == m->grown && m->used[0] + (unsigned)MEMPOOL_RESERVE <= counts[0];
    m->grown = 0;
    return right;
}

// May `op` give its result in the state `m`? Then m becomes the state after it, and *point the next one of the operation.
static bool fits(const op_t *op, model_t *m, unsigned *point) {
    enum verb verb = op->what->verb;
    bool live;
    if (is_take(verb)) {
        return fits_take(op, m, point);
    }
    if (is_give(verb)) {
        return fits_give(op, m, point);
    }
    switch (verb) {
        case ADOPT:
        case READ:
            live = (m->live >> number_of(op->handle) & 1) != 0;
            return op->result == (verb == READ) ? live : op->result == MEMPOOL_E_STALE && !live;
        case GROW:
            m->grown += (uint8_t)op->result;
            return op->result == op->argument;
        case SHRINK:
            return fits_shrink(op, m, point);
        case OPEN:
        case OPEN_OTHER:
            return op->result > 0 || op->result == MEMPOOL_E_OWNERS;
        case CLOSE:
            return op->result == MEMPOOL_OK || op->result == MEMPOOL_E_RANGE;
        case INIT:
            m->ready = true;
            return true;
        default:
            return op->result == 0;
    }
}

// Looks for an order. `points`: 2 bits an operation, its next point; `whole`: those that have had all of them.
static bool search(unsigned n, uint32_t points, uint32_t whole, model_t m, model_t *end) {
    if (whole == (1u << n) - 1) {
        *end = m;
        return true;
    }
    for (unsigned i = 0; i < n; i++) {
        const op_t *op = &world.ops[i];
        if ((whole >> i & 1) != 0 || (op->earlier & ~whole) != 0) {
            continue;
        }
        unsigned before_this = points >> 2 * i & 3, point = before_this;
        model_t next = m;
        if (!fits(op, &next, &point)) {
            continue;
        }
        uint32_t all = point == before_this || point == WHOLE ? whole | 1u << i : whole;
        uint32_t moved = (points & ~(3u << 2 * i)) | point << 2 * i;
        if (search(n, moved, all, next, end)) {
            return true;
        }
    }
    return false;
}

bool order_exists(model_t *end) {
    unsigned n = 0;
    while (n < OPS && world.ops[n].what != NULL) {
        n++;
    }
    known_count = shared_count;
    return search(n, 0, 0, before, end);
}
