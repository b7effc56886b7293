// storage.c - the memory itself: payload, words, geometry and tables, and how they begin.

#include "mempool_core.h"

mempool_stores_t mempool_stores MEMPOOL_FAST;

_Static_assert(offsetof(mempool_pool_t, word) == sizeof(mempool_pool_t), "words follow the counters");
_Static_assert(offsetof(mempool_pool_t, word) == offsetof(mempool_pool_t, state) + 4u * MEMPOOL_STRIDE,
    "the words begin one stride behind the state");
_Static_assert(offsetof(mempool_pool_t, leaf) + 4u * MEMPOOL_LEAF_WORDS == offsetof(mempool_pool_t, state),
    "the leaves end where the state begins");

// What a handle finds whose pool field is none: no blocks, so that nothing in it is ever written.
static const MEMPOOL_FAST_CONST mempool_pool_t mempool_store_none;
#define NONE ((mempool_word_t *)&mempool_store_none.state)

// All payload, in one piece, so that an address tells its class by a few compares with constants.
#define PAYLOAD(name, size, log2, blocks) uint8_t name[(blocks) * (size)];
static MEMPOOL_PAYLOAD _Alignas(MEMPOOL_ALIGN) struct {
    MEMPOOL_CLASSES(PAYLOAD)
} mempool_payload;

#define POOL(name) (&mempool_stores.name.pool.state)
#define BYTES_TO(n) ((n)*4 * MEMPOOL_STRIDE)

mempool_word_t *const mempool_by_code[8] MEMPOOL_FAST_CONST = {
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
        { POOL(TINY), 32u },
        { POOL(SMALL), 64u },
        { POOL(MEDIUM), 128u },
        { POOL(MEDIUM), 128u },
        { POOL(LARGE), 256u },
        { POOL(LARGE), 256u },
        { POOL(LARGE), 256u },
        { POOL(LARGE), 256u },
        { POOL(XLARGE), 512u },
        { POOL(XLARGE), 512u },
        { POOL(XLARGE), 512u },
        { POOL(XLARGE), 512u },
        { POOL(XLARGE), 512u },
        { POOL(XLARGE), 512u },
        { POOL(XLARGE), 512u },
        { POOL(XLARGE), 512u },
    },
    .multiplier = 0x077CB531u,
    .bit_offset = {
        BYTES_TO(0),
        BYTES_TO(1),
        BYTES_TO(28),
        BYTES_TO(2),
        BYTES_TO(29),
        BYTES_TO(14),
        BYTES_TO(24),
        BYTES_TO(3),
        BYTES_TO(30),
        BYTES_TO(22),
        BYTES_TO(20),
        BYTES_TO(15),
        BYTES_TO(25),
        BYTES_TO(17),
        BYTES_TO(4),
        BYTES_TO(8),
        BYTES_TO(31),
        BYTES_TO(27),
        BYTES_TO(13),
        BYTES_TO(23),
        BYTES_TO(21),
        BYTES_TO(19),
        BYTES_TO(16),
        BYTES_TO(7),
        BYTES_TO(26),
        BYTES_TO(12),
        BYTES_TO(18),
        BYTES_TO(6),
        BYTES_TO(11),
        BYTES_TO(5),
        BYTES_TO(10),
        BYTES_TO(9),
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

static MEMPOOL_FAST mempool_word_t begun; // 1: someone is filling the pools, 2: they are full

MEMPOOL_HOT bool mempool_is_ready(void) {
    return mempool_load(&begun) == 2u;
}

// Others may call whatever they like meanwhile. Handles are refused as long as the pool's count is 0, and its words are there when
// it no longer is; takes are refused as long as its state is 0, and all else is there when it no longer is.
static void fill(unsigned p) {
    mempool_pool_t *pool = mempool_pool(p);
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
    mempool_poke(&pool->up, mempool_peek(&mempool_marks[p].low));
    mempool_poke(&pool->down, MEMPOOL_MARK_NEVER_DOWN);
    pool->block_size = 1u << mempool_geometry[p].log2_size;
#if MEMPOOL_DIAGNOSTICS
    mempool_poke(&pool->deepest, count * MEMPOOL_UNIT);
#endif
    mempool_store(&pool->count, count);
    mempool_store(&pool->state, count * MEMPOOL_UNIT);
}

void mempool_init(void) {
    if (!mempool_begin(&begun)) {
        while (!mempool_is_ready()) {
            mempool_port_sleep_ms(1u);
        }
        return;
    }
    mempool_owner_init();
    for (unsigned p = 0; p < MEMPOOL_POOLS; ++p) {
        fill(p);
    }
    mempool_end(&begun, 2u);
}
