// damage.c - flips bits of the pools' own state, one place at a time, as a stray write would: mempool_check() must see each, and
// nothing any more once the bits are back. Blocks are in use and free, with an owner and without, in every pool.

#include "mempool_core.h" // first

#include <stdio.h>

// check() reads again, a millisecond later, what does not hold: here nobody will put it right meanwhile.
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left) {
    (void)time;
    (void)left;
    return 0;
}

static int failures;

static void damage(mempool_word_t *word, uint32_t bits, const char *what, unsigned pool) {
    uint32_t was = mempool_load(word);
    mempool_store(word, was ^ bits);
    uint32_t broken = mempool_check();
    mempool_store(word, was);
    uint32_t healed = mempool_check();
    if (broken == 0 || broken > 64u || healed != 0) {
        printf("%s, pool %u: check() says %u, and %u when it is put right\n", what, pool, (unsigned)broken, (unsigned)healed);
        failures++;
    }
}

static void damage_pool(unsigned p, mempool_handle_t used) {
    mempool_pool_t *pool = mempool_pool(p);
    uint32_t count = mempool_blocks(p);
    uint32_t index = mempool_handle_index(used);
    uint32_t free = 0;
    while ((mempool_load(mempool_leaf(pool, free / 32u)) >> (free & 31u) & 1u) == 0) {
        ++free;
    }
    damage(mempool_leaf(pool, free / 32u), 1u << (free & 31u), "a free block is lost", p);
    damage(mempool_leaf(pool, index / 32u), 1u << (index & 31u), "a block in use is free as well", p);
    if ((count & 31u) != 0) {
        damage(mempool_leaf(pool, count / 32u), 1u << (count & 31u), "a block that does not exist", p);
    }
    for (uint32_t bit = 2; bit < 12; ++bit) {
        damage(mempool_word(pool, free), 1u << bit, "the number in a free block's word", p);
    }
    uint32_t fields = (mempool_load(mempool_word(pool, index)) ^ (uint32_t)used << 2);
    damage(mempool_word(pool, index), fields, "a block in use whose word is that of a free one", p);
    if (MEMPOOL_FIELDS_MASK < 0x7fffu) {
        damage(mempool_word(pool, index), MEMPOOL_FIELDS_MASK + 1u, "a block of another place", p);
    }
    damage(&pool->state, MEMPOOL_UNIT, "the count of free blocks", p);
    damage(&pool->count, count ^ (mempool_geometry[p].blocks - 1u), "fewer blocks than the pool was built with", p);
    damage(&pool->count, count ^ (mempool_geometry[p].blocks + MEMPOOL_GROW + 1u), "more blocks than the pool may have", p);
    damage((mempool_word_t *)&pool->block_size, 1u, "the size of the pool's blocks", p);
#if MEMPOOL_DIAGNOSTICS
    damage(&pool->state, 1u, "the sum of sizes", p);
    damage(&pool->deepest, mempool_load(&pool->deepest) ^ count * MEMPOOL_UNIT, "fewer in use at most than now", p);
    damage(mempool_word(pool, index), MEMPOOL_FIELD_SIZE(1u), "the size of a block", p);
    if (p + 1u < MEMPOOL_POOLS) {
        damage(mempool_word(pool, index), MEMPOOL_FIELD_SIZE(pool->block_size), "a block larger than its pool's", p);
    }
#endif
#if MEMPOOL_OWNERS > 0
    damage(mempool_word(pool, index), 1u << 1, "the owner of a block", p);
    if (MEMPOOL_OWNERS < 31) {
        damage(mempool_word(pool, index), (uint32_t)(MEMPOOL_OWNERS + 1) << 1 ^ (fields & 0x3eu), "an owner that there is none of", p);
    }
#endif
#if MEMPOOL_SUMMARY
    damage(&pool->summary, 1u << free / 32u, "the summary", p);
#endif
}

int main(void) {
    mempool_init();
    int opened = mempool_owner_open("one", 3, 0, 0);
    mempool_owner_t owner = opened > 0 ? (mempool_owner_t)opened : MEMPOOL_NO_OWNER;
    for (unsigned p = 0; p < MEMPOOL_POOLS; ++p) {
        uint32_t size = MEMPOOL_MIN_BLOCK << p;
        mempool_handle_t used = mempool_take_flags(size, owner, MEMPOOL_CRITICAL);
        if (mempool_check() == 0 && mempool_blocks(p) > 1u) {
            damage_pool(p, used);
        }
    }
#if MEMPOOL_OWNERS > 0
    damage(&mempool_owners[owner].balance, 64u, "an owner's balance", 0);
#endif
    if (mempool_check() != 0) {
        puts("check() does not find its way back");
        failures++;
    }
    return failures != 0;
}
