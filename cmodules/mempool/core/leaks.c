// leaks.c - walks over the blocks: which are in use, who holds them, for how long; and what Python left behind.

#include "mempool_core.h"

// The handle that a block has, or had when it was last in use.
static mempool_handle_t handle_at(mempool_pool_t *pool, unsigned number, uint32_t index) {
    return mempool_word_handle(mempool_load(mempool_word(pool, index)), (number + 1u) << 10 | index);
}

#if MEMPOOL_DIAGNOSTICS

size_t mempool_map(unsigned pool, uint8_t *out, size_t entries) {
    if (pool >= MEMPOOL_POOLS) {
        return 0;
    }
    size_t count = mempool_count(mempool_pool(pool));
    for (size_t i = 0; i < count && i < entries; ++i) {
        mempool_block_t block;
        bool used = mempool_inspect(handle_at(mempool_pool(pool), pool, (uint32_t)i), &block) == MEMPOOL_OK;
        out[i] = used ? (uint8_t)(1u + block.owner) : 0u;
    }
    return count < entries ? count : entries;
}

// Half the range of the tick: 248 days at 10 ms. Beyond it a stamp follows the clock, so that it cannot come round:
// whoever looks once in that time (leaks, check) keeps all ages true or saturated.
#define AGE_MAX 0x7fffffffu

// The block may change hands meanwhile. Then its word has changed, and the stamp that was moved may be the next holder's: who has
// had it since this function began. The compare-and-set orders the move before whatever a later holder does.
uint32_t mempool_age_ms(mempool_word_t *stamp, mempool_word_t *word) {
    uint32_t held = word != NULL ? mempool_load(word) : 0u;
    uint32_t now = mempool_port_tick();
    uint32_t age = now - mempool_load(stamp);
    if (age > AGE_MAX) {
        age = AGE_MAX;
        MEMPOOL_ENTER();
        mempool_poke(stamp, now - AGE_MAX);
        if (word != NULL && !mempool_cas(word, held, held)) {
            mempool_poke(stamp, now);
        }
        MEMPOOL_LEAVE();
    }
    return age > UINT32_MAX / MEMPOOL_TICK_MS ? UINT32_MAX : age * MEMPOOL_TICK_MS;
}

// Keeps out[0..written) sorted, oldest first, and drops the youngest when full. -> the new number of entries.
static size_t insert(mempool_leak_t *out, size_t written, size_t entries, mempool_leak_t leak) {
    size_t at = written;
    while (at > 0 && out[at - 1u].age_ms < leak.age_ms) {
        --at;
    }
    if (at == entries) {
        return written;
    }
    if (written < entries) {
        ++written;
    }
    for (size_t i = written - 1u; i > at; --i) {
        out[i] = out[i - 1u];
    }
    out[at] = leak;
    return written;
}

size_t mempool_leaks(uint32_t min_age_ms, mempool_leak_t *out, size_t entries) {
    size_t written = 0;
    for (unsigned p = 0; p < MEMPOOL_POOLS; ++p) {
        mempool_pool_t *pool = mempool_pool(p);
        for (uint32_t i = 0; i < mempool_count(pool); ++i) {
            mempool_handle_t handle = handle_at(pool, p, i);
            mempool_block_t block;
            if (mempool_inspect(handle, &block) != MEMPOOL_OK) {
                continue;
            }
            mempool_word_t *word = mempool_word(pool, i);
            mempool_leak_t leak = { (uint32_t)handle, block.owner, block.size, mempool_age_ms(word + 1, word) };
            // Still the same holder: the stamp was its own.
            if (leak.age_ms >= min_age_ms && mempool_inspect(handle, &block) == MEMPOOL_OK) {
                written = insert(out, written, entries, leak);
            }
        }
    }
    for (unsigned place = 0; MEMPOOL_HEAP_FALLBACK && place < MEMPOOL_HEAP_BLOCKS; ++place) {
        mempool_leak_t leak;
        if (mempool_heap_leak(place, &leak) != 0 && leak.age_ms >= min_age_ms) {
            written = insert(out, written, entries, leak);
        }
    }
    return written;
}

#else

size_t mempool_map(unsigned pool, uint8_t *out, size_t entries) {
    (void)pool;
    (void)out;
    (void)entries;
    return 0;
}

size_t mempool_leaks(uint32_t min_age_ms, mempool_leak_t *out, size_t entries) {
    (void)min_age_ms;
    (void)out;
    (void)entries;
    return 0;
}

#endif

uint32_t mempool_reclaim_python(void) {
    uint32_t given = 0;
    for (unsigned p = 0; p < MEMPOOL_POOLS; ++p) {
        mempool_pool_t *pool = mempool_pool(p);
        for (uint32_t i = 0; i < mempool_count(pool); ++i) {
            mempool_handle_t handle = handle_at(pool, p, i);
            if (mempool_give_flags(handle, MEMPOOL_PYTHON | MEMPOOL_RECLAIM) == MEMPOOL_OK) {
                ++given;
            }
        }
    }
    if (MEMPOOL_HEAP_FALLBACK) {
        given += mempool_heap_reclaim_python();
    }
    mempool_owner_reclaim_python();
    return given;
}
