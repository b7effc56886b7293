// pools.c - for Frama-C's Eva: every function of mempool.h, in any order and any number of times, before mempool_init and after,
// with any number for each number and any pointer that the contract allows.

#include "mempool_port.h" // first

#include "mempool_config.h"
#include "any.h"

static uint8_t bytes[MEMPOOL_MAX_BLOCK]; // what is copied: the length that goes with it is any number
static char name[64];

// What is asked for, of everything that there is: each value of the bits that tell a pool is looked at alone.
static mempool_handle_t handle;
static uint32_t size;
static unsigned pool;

static void hook(void) {
}

// An address in the blocks or within a megabyte around them, or none.
static void *pointer(void) {
    static uint8_t *block;
    if (block == NULL) {
        block = mempool_data(handle);
    }
    return block != NULL ? block + proof_below(1u << 21) - (1u << 20) : NULL;
}

static void take_and_give(void) {
    switch (proof_below(10)) {
        case 0:
            mempool_take(size, (mempool_owner_t)proof_uint());
            break;
        case 1:
            mempool_take_flags(size, (mempool_owner_t)proof_uint(), proof_uint());
            break;
        case 2:
            mempool_take_wait(size, (mempool_owner_t)proof_uint(), proof_uint(), proof_uint());
            break;
        case 3:
            mempool_give(handle);
            break;
        case 4:
            mempool_give_flags(handle, proof_uint());
            break;
        case 5:
            mempool_alloc(size);
            break;
        case 6:
            mempool_free(pointer());
            break;
        case 7:
            mempool_handle_of(pointer());
            break;
        case 8:
            mempool_adopt(handle, proof_uint());
            break;
        default:
            mempool_reclaim_python();
            break;
    }
}

static void use(void) {
    mempool_block_t block;
    switch (proof_below(6)) {
        case 0:
            mempool_write(handle, proof_uint(), bytes, proof_uint());
            break;
        case 1:
            mempool_read(handle, proof_uint(), bytes, proof_uint());
            break;
        case 2:
            mempool_write_flags(handle, proof_uint(), bytes, proof_uint(), proof_uint());
            break;
        case 3:
            mempool_read_flags(handle, proof_uint(), bytes, proof_uint(), proof_uint());
            break;
        case 4:
            // What inspect tells of a block may be written.
            if (mempool_inspect(handle, &block) == MEMPOOL_OK) {
                ((uint8_t *)block.data)[0] = 1;
                ((uint8_t *)block.data)[31] = 1;
            }
            break;
        default: {
            uint8_t *data = mempool_data(handle);
            if (data != NULL) {
                data[0] = 1;
                data[31] = 1;
            }
            break;
        }
    }
}

static void owners(void) {
    mempool_owner_info_t info;
    switch (proof_below(4)) {
        case 0: {
            uint32_t length = proof_below(sizeof(name) + 1);
            for (uint32_t i = 0; i < sizeof(name); ++i) {
                name[i] = (char)proof_uint();
            }
            mempool_owner_open(name, length, proof_uint(), proof_uint());
            break;
        }
        case 1:
            mempool_owner_close((mempool_owner_t)proof_uint(), proof_uint());
            break;
        case 2:
            mempool_owner_info((mempool_owner_t)proof_uint(), &info);
            break;
        default:
            mempool_unowned();
            break;
    }
}

static void see(void) {
    mempool_stats_t stats;
    mempool_pool_info_t info;
    mempool_leak_t leaks[3];
    mempool_trace_t trace[3];
    uint8_t map[40];
    mempool_heap_info_t heap;
    switch (proof_below(11)) {
        case 0:
            mempool_stats(&stats);
            break;
        case 1:
            mempool_pool_stats(pool, &stats);
            break;
        case 2:
            mempool_reset_stats();
            break;
        case 3:
            mempool_pool_info(pool, &info);
            break;
        case 4:
            mempool_map(pool, map, proof_below(sizeof(map) + 1));
            break;
        case 5:
            mempool_leaks(proof_uint(), leaks, proof_below(4));
            break;
        case 6:
            mempool_trace(trace, proof_below(4));
            break;
        case 7:
            mempool_check();
            break;
        case 8:
            mempool_poison_hits();
            break;
        case 9:
            mempool_heap_info(proof_uint(), &heap);
            break;
    }
}

static void pressure(void) {
    unsigned changed;
    mempool_level_t level;
    switch (proof_below(4)) {
        case 0:
            mempool_set_pressure_hook(proof_below(2) ? hook : NULL);
            break;
        case 1:
            mempool_pressure_look();
            break;
        default:
            mempool_pressure_next(&changed, &level);
            break;
    }
}

#if CONFIG_MEMORY_POOL_GROW_BLOCKS > 0
static void grow(void) {
    switch (proof_below(3)) {
        case 0:
            mempool_grow(pool, proof_uint());
            break;
        case 1:
            mempool_shrink(pool);
            break;
        default:
            mempool_growable(pool);
            break;
    }
}
#else
#define grow() ((void)0)
#endif

static void reset(void) {
    uint8_t *data;
    switch (proof_below(4)) {
        case 0:
            data = mempool_noinit_data();
            data[proof_below(CONFIG_MEMORY_POOL_NOINIT_BYTES)] = (uint8_t)proof_uint();
            break;
        case 1:
            mempool_noinit_valid();
            break;
        case 2:
            mempool_noinit_write(proof_uint(), bytes, proof_uint());
            break;
        default:
            mempool_noinit_seal();
            break;
    }
}

int main(void) {
    while (proof_below(2) != 0) {
        uint32_t code = proof_below(8);
        //@ split code;
        handle = (mempool_handle_t)((proof_uint() & ~(7u << 10)) | code << 10);
        size = proof_uint();
        pool = code < 5 ? code : 5 + proof_uint() % 0xfffffffau;
        switch (proof_below(8)) {
            case 0:
                mempool_init();
                break;
            case 1:
                take_and_give();
                break;
            case 2:
                use();
                break;
            case 3:
                owners();
                break;
            case 4:
                see();
                break;
            case 5:
                pressure();
                break;
            case 6:
                grow();
                break;
            default:
                reset();
                break;
        }
        //@ merge code;
    }
    return 0;
}
