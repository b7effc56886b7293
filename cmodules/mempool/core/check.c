// check.c - do bitmaps, words, counters and owners still tell the same story? A stray write shows here.
//
// Others may take and give meanwhile, so one reading proves nothing: what does not hold is read again, with time for
// whoever was interrupted within a take or give to come to its end, and only counts where it still does not hold.

#include "mempool_core.h"

#define ATTEMPTS 200u

// Adds the blocks of one pool up by owner, in bytes. -> broken invariants of the pool.
static uint32_t look(unsigned p, uint32_t *owned) {
    mempool_pool_t *pool = mempool_pool(p);
    uint32_t count = mempool_blocks(p);
    uint32_t known = mempool_count(pool);
    uint32_t block_size = 1u << mempool_geometry[p].log2_size;
    bool whole = known >= count && known <= (uint32_t)mempool_geometry[p].blocks + MEMPOOL_GROW;
    if (!whole || pool->block_size != block_size) {
        return 1; // the rest would read elsewhere
    }
    uint32_t broken = 0;
    uint32_t free = 0;
    uint32_t sum = 0;
    uint32_t state = mempool_load(&pool->state);
    for (uint32_t leaf = 0; leaf < MEMPOOL_LEAF_WORDS; ++leaf) {
        uint32_t bits = mempool_load(mempool_leaf(pool, leaf));
        uint32_t left = 32u * leaf < count ? count - 32u * leaf : 0u;
        broken += left < 32u && (bits >> left) != 0; // a block that does not exist
#if MEMPOOL_SUMMARY
        broken += bits != 0 && (mempool_load(&pool->summary) >> leaf & 1u) == 0;
#endif
        for (uint32_t i = 0; i < (left < 32u ? left : 32u); ++i) {
            uint32_t index = 32u * leaf + i;
            uint32_t word = mempool_load(mempool_word(pool, index));
            uint32_t number = (p + 1u) << 10 | index;
            if ((bits >> i & 1u) != 0) {
                ++free;
                broken += !mempool_word_is_free(word, number);
                continue;
            }
            uint32_t fields = word ^ MEMPOOL_HELD(mempool_word_handle(word, number));
            broken += mempool_word_is_free(word, number) || (fields & ~MEMPOOL_FIELDS_MASK) != 0;
            fields &= MEMPOOL_FIELDS_MASK;
            uint32_t owner = MEMPOOL_OWNER_OF(fields);
            uint32_t size_minus_1 = MEMPOOL_SIZE_MINUS_1_OF(fields);
            broken += owner > MEMPOOL_OWNERS || size_minus_1 >= block_size;
            sum += size_minus_1;
            owned[owner] += block_size;
        }
    }
    broken += state / MEMPOOL_UNIT != free;
    broken += MEMPOOL_DIAGNOSTICS && (state & MEMPOOL_SUM_MASK) != sum;
#if MEMPOOL_DIAGNOSTICS
    broken += mempool_load(&pool->deepest) / MEMPOOL_UNIT > free;
    for (uint32_t i = 0; i < count; ++i) {
        (void)mempool_age_ms(mempool_word(pool, i) + 1, mempool_word(pool, i));
    }
#endif
    return broken;
}

// One result a pool, and one for the owners; each kept where it is better than before.
#define RESULTS (MEMPOOL_POOLS + 1u)

static void look_at_all(uint32_t *least) {
    uint32_t owned[32] = { 0 };
    uint32_t broken[RESULTS] = { 0 };
    MEMPOOL_ENTER();
    for (unsigned p = 0; p < MEMPOOL_POOLS; ++p) {
        broken[p] = look(p, owned);
    }
#if MEMPOOL_OWNERS > 0
    for (uint32_t i = 0; i <= MEMPOOL_OWNERS; ++i) {
        const mempool_owner_entry_t *entry = &mempool_owners[i];
        uint32_t used = 0u - mempool_load(&entry->balance);
        broken[MEMPOOL_POOLS] += used < owned[i] || (!MEMPOOL_HEAP_FALLBACK && used != owned[i]);
    }
#endif
    MEMPOOL_LEAVE();
    for (unsigned i = 0; i < RESULTS; ++i) {
        least[i] = broken[i] < least[i] ? broken[i] : least[i];
    }
}

uint32_t mempool_check(void) {
    uint32_t least[RESULTS];
    for (unsigned i = 0; i < RESULTS; ++i) {
        least[i] = UINT32_MAX;
    }
    uint32_t broken = mempool_is_ready() ? 1u : 0u; // before mempool_init there is nothing that could be
    for (uint32_t attempt = 0; broken != 0 && attempt < ATTEMPTS; ++attempt) {
        if (attempt != 0 && !MEMPOOL_SINGLE_CORE) {
            mempool_port_sleep_ms(1u);
        }
        look_at_all(least);
        broken = 0;
        for (unsigned i = 0; i < RESULTS; ++i) {
            broken += least[i];
        }
    }
#if MEMPOOL_POISON
    broken += mempool_poison_hits() + mempool_poison_check();
#endif
    return broken;
}
