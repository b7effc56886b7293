// storage.c - the memory itself: payload, words, geometry and tables, and how they begin.

#include "mempool_core.h"

mempool_stores_t mempool_stores MEMPOOL_FAST;

#define CHECK_STORE(name, size, log2, blocks) \
    _Static_assert(offsetof(__typeof__(mempool_stores.name), at) == 4u * MEMPOOL_LEAF_WORDS(blocks), "leaves touch the pool");
MEMPOOL_CLASSES(CHECK_STORE)
_Static_assert(offsetof(mempool_pool_t, word) == sizeof(mempool_pool_t), "words follow the counters");

// What a handle finds whose pool field is none: no blocks, so that nothing in it is ever written.
static const MEMPOOL_FAST_CONST mempool_pool_t mempool_store_none;
#define NONE ((mempool_pool_t *)&mempool_store_none)

// All payload, in one piece, so that an address tells its class by a few compares with constants.
#define PAYLOAD(name, size, log2, blocks) uint8_t name[(blocks) * (size)];
static MEMPOOL_PAYLOAD _Alignas(MEMPOOL_ALIGN) struct {
    MEMPOOL_CLASSES(PAYLOAD)
} mempool_payload;

#define POOL(name) (&mempool_stores.name.at.pool)
#define BIT_OF(n) ((n)*4 * MEMPOOL_STRIDE)

mempool_pool_t *const mempool_by_code[8] MEMPOOL_FAST_CONST = {
    NONE,
    POOL(TINY),
    POOL(SMALL),
    POOL(MEDIUM),
    POOL(LARGE),
    POOL(XLARGE),
    NONE,
    NONE,
};

const MEMPOOL_FAST_CONST mempool_tables_t mempool_tables = {
    .by_size = {
        POOL(TINY),
        POOL(SMALL),
        POOL(MEDIUM),
        POOL(MEDIUM),
        POOL(LARGE),
        POOL(LARGE),
        POOL(LARGE),
        POOL(LARGE),
        POOL(XLARGE),
        POOL(XLARGE),
        POOL(XLARGE),
        POOL(XLARGE),
        POOL(XLARGE),
        POOL(XLARGE),
        POOL(XLARGE),
        POOL(XLARGE),
    },
    .multiplier = 0x077CB531u,
    .bit_offset = {
        BIT_OF(0),
        BIT_OF(1),
        BIT_OF(28),
        BIT_OF(2),
        BIT_OF(29),
        BIT_OF(14),
        BIT_OF(24),
        BIT_OF(3),
        BIT_OF(30),
        BIT_OF(22),
        BIT_OF(20),
        BIT_OF(15),
        BIT_OF(25),
        BIT_OF(17),
        BIT_OF(4),
        BIT_OF(8),
        BIT_OF(31),
        BIT_OF(27),
        BIT_OF(13),
        BIT_OF(23),
        BIT_OF(21),
        BIT_OF(19),
        BIT_OF(16),
        BIT_OF(7),
        BIT_OF(26),
        BIT_OF(12),
        BIT_OF(18),
        BIT_OF(6),
        BIT_OF(11),
        BIT_OF(5),
        BIT_OF(10),
        BIT_OF(9),
    },
};

#define GEOMETRY(label, size, log2, count) { \
    .name = #label,                          \
    .payload = mempool_payload.label,        \
    .log2_size = log2,                       \
    .blocks = (count),                       \
},

const MEMPOOL_FAST_CONST mempool_geometry_t mempool_geometry[MEMPOOL_POOLS] = { MEMPOOL_CLASSES(GEOMETRY) };

#define MARKS(label, size, log2, blocks) MEMPOOL_MARKS(blocks),
#if MEMPOOL_GROW > 0
mempool_marks_t mempool_marks[MEMPOOL_POOLS] MEMPOOL_FAST = { MEMPOOL_CLASSES(MARKS) };
#else
const MEMPOOL_FAST_CONST mempool_marks_t mempool_marks[MEMPOOL_POOLS] = { MEMPOOL_CLASSES(MARKS) };
#endif

static MEMPOOL_FAST mempool_word_t mempool_begun; // 1: someone is filling the pools, 2: they are full

void mempool_init(void) {
    if (!mempool_cas(&mempool_begun, 0u, 1u)) {
        while (mempool_load(&mempool_begun) != 2u) {
            mempool_port_sleep_ms(1u);
        }
        return;
    }
    mempool_owner_init();
    for (unsigned p = 0; p < MEMPOOL_POOLS; ++p) {
        mempool_pool_t *pool = mempool_pool(p);
        mempool_poke(&pool->up, MEMPOOL_MARK_NEVER_DOWN); // beyond: the first look sets both
        uint32_t count = mempool_geometry[p].blocks;
        uint32_t leaves = MEMPOOL_LEAVES(count);
        for (uint32_t i = 0; i < count; ++i) {
            mempool_poke(mempool_word(pool, i), ((p + 1u) << 10 | i) << 2);
#if MEMPOOL_POISON
            mempool_poison_fill(p, i);
#endif
        }
        for (uint32_t leaf = 0; leaf < leaves; ++leaf) {
            uint32_t left = count - 32u * leaf;
            mempool_poke(mempool_leaf(pool, leaf), left >= 32u ? UINT32_MAX : (1u << left) - 1u);
        }
#if MEMPOOL_SUMMARY
        mempool_poke(&pool->summary, leaves == 32u ? UINT32_MAX : (1u << leaves) - 1u);
#endif
        pool->block_size = (uint16_t)(1u << mempool_geometry[p].log2_size);
        pool->count = (uint16_t)count;
#if MEMPOOL_DIAGNOSTICS
        mempool_poke(&pool->deepest, count * MEMPOOL_UNIT);
#endif
    }
    for (unsigned p = 0; p < MEMPOOL_POOLS; ++p) {
        mempool_pool_t *pool = mempool_pool(p);
        mempool_store(&pool->state, pool->count * MEMPOOL_UNIT); // from here on it has blocks
    }
    mempool_pressure_look();
    mempool_store(&mempool_begun, 2u);
}
