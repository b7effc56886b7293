// mempool_core.h - the state of the pools, shared by the files of core/ and by nobody else.
//
// One pool is one run of 32-bit words. Who works on it holds the address of its state word (MEMPOOL_MIDDLE), from which all else is
// a constant, or an index, away:
//
//      counters, marks ... | leaf[n-1] ... leaf[1] leaf[0] | state ... | word[0] stamp[0] word[1] stamp[1] ...
//      ^ pool                                                ^ middle         (stamps with DIAGNOSTICS)
//
//      leaf      a set bit is a free block. The bit is the truth: clearing it claims, setting it gives back.
//      summary   (pools of more than 128 blocks) a set bit is a leaf that may have a free block. A hint: wrong only while
//                someone is within take or give, and put right by whoever finds it wrong.
//      state     free 11 | sum of (size - 1) over the blocks in use 20. Its
//                subtraction is a ticket: who got one will find a set bit, because give sets the bit first and adds here last.
//                Used, free, requested and waste come from this one word, so they can neither underflow nor disagree.
//      word      of a free block:   30-bit handle its next holder will get, shifted left by 2
//                of a block in use: the same, XOR (size-1 9 << 6 | owner 5 << 1 | Python-owned 1)
//                so the upper 17 bits are the generation in both, and word XOR (handle << 2) leaves the fields bare. They
//                are never all 0: a block is free exactly when its word says so, also while it changes hands.
//                Without owners (MEMPOOL_NARROW): the handle, not shifted, XOR (Python-owned 1 << 9 | size-1 9).
//
// Life of a block: take  state -= 1, leaf &= ~bit, word ^= fields
//                  give  word = next handle (one compare-and-swap: of many givers one wins), leaf |= bit, state += 1

#ifndef MEMPOOL_CORE_H
#define MEMPOOL_CORE_H

#include "mempool_port.h" // first

#include "mempool.h"
#include "mempool_config.h"

#define MEMPOOL_UNIT (1u << 20) // one free block in the state word
#define MEMPOOL_SUM_MASK (MEMPOOL_UNIT - 1u)

#define MEMPOOL_GENERATION_STEP (1u << 15)

// Without owners the fields have room beside a whole handle, and a block in use is told from a free one by the upper 22 bits alone:
// one compare less in each give. Only where a free word never looks like that: bits 10 to 12 of it are the lowest bit of the
// pool and the two highest of the index, which are a pool's number in SMALL from block 512 and in XLARGE from block 256 on.
#define MEMPOOL_NARROW \
    (MEMPOOL_OWNERS == 0 && CONFIG_MEMORY_POOL_SMALL_COUNT + MEMPOOL_GROW <= 512 && CONFIG_MEMORY_POOL_XLARGE_COUNT + MEMPOOL_GROW <= 256)

#if MEMPOOL_NARROW
#define MEMPOOL_HELD(handle) ((uint32_t)(handle)) // what the fields of a block in use are mixed into
#define MEMPOOL_FIELD_PYTHON (1u << 9)
#define MEMPOOL_FIELD_OWNER(owner) 0u
#define MEMPOOL_FIELD_SIZE(size_minus_1) (size_minus_1)
#define MEMPOOL_FIELDS_TELL(fields) true // whether a word with these is told from a free one
#define MEMPOOL_FIELDS_MASK 0x3ffu
#define MEMPOOL_OWNER_OF(fields) 0u
#define MEMPOOL_SIZE_MINUS_1_OF(fields) ((fields)&511u)
#define MEMPOOL_TOP_SHIFT 10
#else
#define MEMPOOL_HELD(handle) ((uint32_t)(handle) << 2)
#define MEMPOOL_FIELD_PYTHON 1u
#define MEMPOOL_FIELD_OWNER(owner) ((uint32_t)(owner) << 1)
#define MEMPOOL_FIELD_SIZE(size_minus_1) ((size_minus_1) << 6)
#define MEMPOOL_FIELDS_TELL(fields) ((fields) != 0)
#define MEMPOOL_FIELDS_MASK 0x7fffu
#define MEMPOOL_OWNER_OF(fields) ((fields) >> 1 & 31u)
#define MEMPOOL_SIZE_MINUS_1_OF(fields) ((fields) >> 6)
#define MEMPOOL_TOP_SHIFT 15 // give compares the generation, and that it is not the free word
#endif

// The part of a handle that give compares, and the handle again; `tag` is the handle shifted left by 2.
#define MEMPOOL_TOP_BITS (MEMPOOL_TOP_SHIFT == 15 ? 13 : 10)
#define MEMPOOL_TOP_OF(handle) ((uint32_t)(handle) >> MEMPOOL_TOP_BITS)
#define MEMPOOL_TOP_IS_FOREIGN(top) ((top) >> (30 - MEMPOOL_TOP_BITS) != 0)
#define MEMPOOL_HANDLE_OF(top, tag) ((mempool_handle_t)((tag) >> 2 | (top) << MEMPOOL_TOP_BITS))

// Whether word XOR MEMPOOL_HELD(handle) is that of a block in use by this handle.
#define MEMPOOL_IN_USE(fields) (((fields) & ~MEMPOOL_FIELDS_MASK) == 0 && MEMPOOL_FIELDS_TELL(fields))

#define MEMPOOL_MAX2(a, b) ((a) > (b) ? (a) : (b))
#define MEMPOOL_MOST_LEAVES                                                  \
    MEMPOOL_MAX2(MEMPOOL_LEAVES(CONFIG_MEMORY_POOL_TINY_COUNT),              \
        MEMPOOL_MAX2(MEMPOOL_LEAVES(CONFIG_MEMORY_POOL_SMALL_COUNT),         \
            MEMPOOL_MAX2(MEMPOOL_LEAVES(CONFIG_MEMORY_POOL_MEDIUM_COUNT),    \
                MEMPOOL_MAX2(MEMPOOL_LEAVES(CONFIG_MEMORY_POOL_LARGE_COUNT), \
                    MEMPOOL_LEAVES(CONFIG_MEMORY_POOL_XLARGE_COUNT)))))

// With up to 4 leaves a pool looking at all of them is quicker than keeping a summary. A pool that has grown beyond them is
// searched there by the slow way alone.
#define MEMPOOL_SUMMARY (MEMPOOL_MOST_LEAVES > 4)

// Every pool has room for the leaves of the largest one, so that all counters lie alike. Those that it lacks are empty.
#define MEMPOOL_MOST_BLOCKS                               \
    MEMPOOL_MAX2(CONFIG_MEMORY_POOL_TINY_COUNT,           \
        MEMPOOL_MAX2(CONFIG_MEMORY_POOL_SMALL_COUNT,      \
            MEMPOOL_MAX2(CONFIG_MEMORY_POOL_MEDIUM_COUNT, \
                MEMPOOL_MAX2(CONFIG_MEMORY_POOL_LARGE_COUNT, CONFIG_MEMORY_POOL_XLARGE_COUNT))))
#define MEMPOOL_LEAF_WORDS MEMPOOL_LEAVES(MEMPOOL_MOST_BLOCKS + MEMPOOL_GROW)

#define MEMPOOL_STRIDE (MEMPOOL_DIAGNOSTICS ? 2u : 1u) // words a block

#define MEMPOOL_MARK_NEVER_UP 0u
#define MEMPOOL_MARK_NEVER_DOWN 0x7fffffffu

typedef struct {
#if MEMPOOL_SUMMARY
    mempool_word_t summary;
#endif
    mempool_word_t up;    // a take that leaves state below this is beyond its level; NEVER_UP: none
    mempool_word_t down;  // and one that leaves it at or above this; NEVER_DOWN: none
    mempool_word_t count; // indexes that were ever a block's: a handle beyond is none. 0 before mempool_init
    uint32_t block_size;  // bytes; a copy of the constant, for give: whoever holds a block finds it there
#if MEMPOOL_DIAGNOSTICS
    mempool_word_t allocs;  // since reset_stats; also tells where the search for a leaf begins
    mempool_word_t deepest; // lowest state: its free blocks tell the peak
    mempool_word_t failures;
    mempool_word_t spills;
    mempool_word_t reclaimed;
    mempool_word_t refused;
    mempool_word_t denied;
    mempool_word_t held; // blocks in use at the last reset_stats: frees = allocs + held - used
#else
    mempool_word_t next_bits; // hint: bits of a leaf not visited in this round, so that all blocks get their turn
#endif
    mempool_word_t leaf[MEMPOOL_LEAF_WORDS]; // backwards: see mempool_leaf
    mempool_word_t state;
#if MEMPOOL_DIAGNOSTICS
    mempool_word_t next_bits; // here, so that the words begin one stride behind the state
#endif
    mempool_word_t word[]; // MEMPOOL_STRIDE a block
} mempool_pool_t;

#define MEMPOOL_MIDDLE(pool) (&(pool)->state)
#define MEMPOOL_OF_MIDDLE(middle) ((mempool_pool_t *)(void *)((char *)(middle)-offsetof(mempool_pool_t, state)))

// What never changes about a pool, and is not needed in take and give.
typedef struct {
    const char *name;
    uint8_t *payload;
    uint8_t log2_size;
    uint16_t blocks; // that it was built with
} mempool_geometry_t;

// Where the levels of a pool begin: it moves as the pool grows.
typedef struct {
    mempool_word_t low;      // with the state below this LOW begins
    mempool_word_t low_left; // and from here on up it ends
    mempool_word_t critical;
} mempool_marks_t;

// All that take looks up, in one place: one base register.
typedef struct {
    struct {
        mempool_word_t *middle;
        uint32_t block_size; // bytes
    } by_size[16];           // (size - 1) / 32
    uint32_t multiplier;     // de Bruijn sequence B(2, 5)
    uint8_t bit_offset[32];  // its inverse: index of a bit, as bytes from word to word
} mempool_tables_t;

typedef struct {
    mempool_word_t balance; // minus the bytes that are used
    mempool_word_t lowest;  // the least that it was: tells the peak
    mempool_word_t floor;   // minus the quota, which may be cut below what is used. 0: nothing may be taken
    mempool_word_t denied;
    char name[MEMPOOL_NAME_MAX + 1];
} mempool_owner_entry_t;

#define MEMPOOL_NO_LIMIT 0x7fffffffu

// The words of all pools, each laid out as drawn above. Large blocks first: so all counters are within 2 KB of the start,
// the reach of a load on RISC-V.
#define MEMPOOL_STORE(blocks)                                                                          \
    union {                                                                                            \
        mempool_pool_t pool;                                                                           \
        mempool_word_t room[sizeof(mempool_pool_t) / 4u + ((blocks) + MEMPOOL_GROW) * MEMPOOL_STRIDE]; \
    }
typedef struct {
    MEMPOOL_STORE(CONFIG_MEMORY_POOL_XLARGE_COUNT)
    XLARGE;
    MEMPOOL_STORE(CONFIG_MEMORY_POOL_LARGE_COUNT)
    LARGE;
    MEMPOOL_STORE(CONFIG_MEMORY_POOL_MEDIUM_COUNT)
    MEDIUM;
    MEMPOOL_STORE(CONFIG_MEMORY_POOL_SMALL_COUNT)
    SMALL;
    MEMPOOL_STORE(CONFIG_MEMORY_POOL_TINY_COUNT)
    TINY;
} mempool_stores_t;

extern mempool_stores_t mempool_stores;
extern const mempool_tables_t mempool_tables;
extern mempool_word_t *const mempool_by_code[8]; // the middles, by the pool field of a handle; what is no pool has no blocks
extern const mempool_geometry_t mempool_geometry[MEMPOOL_POOLS];
#if MEMPOOL_GROW > 0
extern mempool_marks_t mempool_marks[MEMPOOL_POOLS];
#else
extern const mempool_marks_t mempool_marks[MEMPOOL_POOLS];
#endif
#if MEMPOOL_OWNERS > 0
extern mempool_owner_entry_t mempool_owners[MEMPOOL_OWNERS + 1]; // [0]: what has no owner, without a limit
#endif
extern mempool_word_t mempool_refused_foreign; // uses of what is no handle of any pool

// MEMPOOL_HOT: where the compiler does not inline them, an interrupt calls them.

static MEMPOOL_HOT inline mempool_pool_t *mempool_pool(unsigned pool) {
    return MEMPOOL_OF_MIDDLE(mempool_by_code[pool + 1]);
}

static MEMPOOL_HOT inline mempool_pool_t *mempool_pool_of(mempool_handle_t handle) {
    return MEMPOOL_OF_MIDDLE(mempool_by_code[(uint32_t)handle >> 10 & 7u]);
}

static MEMPOOL_HOT inline mempool_word_t *mempool_leaf(mempool_pool_t *pool, uint32_t leaf) {
    return (mempool_word_t *)((char *)MEMPOOL_MIDDLE(pool) - 4u - 4u * leaf);
}

static MEMPOOL_HOT inline mempool_word_t *mempool_word(mempool_pool_t *pool, uint32_t index) {
    return &pool->word[index * MEMPOOL_STRIDE];
}

// Rises while others read it: what lies behind it was there first.
static MEMPOOL_HOT inline uint32_t mempool_count(const mempool_pool_t *pool) {
    return mempool_load(&pool->count);
}

// What the word of block `number` (the lower 13 bits of its handles) says: whether it is free; and by which handle it is held, or will
// be next.
static MEMPOOL_HOT inline bool mempool_word_is_free(uint32_t word, uint32_t number) {
    return ((word ^ number << 2) & 0x7fffu) == 0;
}

static MEMPOOL_HOT inline mempool_handle_t mempool_word_handle(uint32_t word, uint32_t number) {
    uint32_t generation = MEMPOOL_NARROW && !mempool_word_is_free(word, number) ? word >> 13 : word >> 15;
    return (mempool_handle_t)(generation << 13 | number);
}

static MEMPOOL_HOT inline unsigned mempool_handle_pool(mempool_handle_t handle) {
    return (((uint32_t)handle >> 10) & 7u) - 1u;
}

static MEMPOOL_HOT inline uint32_t mempool_handle_index(mempool_handle_t handle) {
    return (uint32_t)handle & 1023u;
}

// Where a lone bit stands, as bytes from word to word: without a count of trailing zeros by a de Bruijn multiplication
// (Leiserson, Prokop, Randall: Using de Bruijn Sequences to Index a 1 in a Computer Word, 1998).
static MEMPOOL_HOT inline uint32_t mempool_bit_offset(uint32_t bit) {
#ifdef MEMPOOL_PORT_CTZ
    return MEMPOOL_PORT_CTZ(bit) * (4u * MEMPOOL_STRIDE);
#else
    return mempool_tables.bit_offset[(bit * mempool_tables.multiplier) >> 27];
#endif
}

// Keeps the compiler from taking apart what was put together on purpose.
#define MEMPOOL_OPAQUE(variable) __asm__("" \
                                         : "+r"(variable))
#define MEMPOOL_STAY(variable) __asm__ volatile("" \
                                                : "+r"(variable))

// Counters that DIAGNOSTICS=n leaves out.
#if MEMPOOL_DIAGNOSTICS
#define MEMPOOL_COUNT(word) ((void)mempool_fetch_add(&(word), 1u))
#else
#define MEMPOOL_COUNT(word) ((void)0)
#endif

// The percent-th part of a pool's blocks, less the reserve, rounded up: the state is below this where so many are in use.
#define MEMPOOL_MARK_AT(percent, parts, blocks) \
    (((blocks) + 1u - ((percent) * (uint32_t)((blocks)-MEMPOOL_RESERVE) + (parts)-1u) / (parts)) * MEMPOOL_UNIT)
#define MEMPOOL_MARKS(blocks)                                        \
    {                                                                \
        MEMPOOL_MARK_AT(MEMPOOL_LOW_PERCENT, 100u, blocks),          \
            MEMPOOL_MARK_AT(MEMPOOL_LOW_PERCENT * 3u, 400u, blocks), \
            MEMPOOL_MARK_AT(MEMPOOL_CRITICAL_PERCENT, 100u, blocks), \
    }

// For what is done by one at a time: the word was 0, and is the caller's until mempool_end.
static inline bool mempool_begin(mempool_word_t *busy) {
    MEMPOOL_ENTER();
    bool begun = mempool_cas(busy, 0u, 1u);
    MEMPOOL_LEAVE();
    return begun;
}

static inline void mempool_end(mempool_word_t *busy, uint32_t next) {
    MEMPOOL_ENTER();
    (void)mempool_cas(busy, 1u, next);
    MEMPOOL_LEAVE();
}

// Whether mempool_init is through. What is not refused by an empty pool asks here.
bool mempool_is_ready(void);

// Growth (grow.c). Whoever reads the number of a pool's blocks and its state together does so again where mempool_resizing has
// changed meanwhile, or is odd: then they do not belong together.
#if MEMPOOL_GROW > 0
extern mempool_word_t mempool_resizing;
extern struct mempool_grown {
    mempool_word_t blocks; // of all pools
    mempool_word_t bytes;
    mempool_word_t of[MEMPOOL_POOLS]; // blocks
} mempool_grown;
uint8_t *mempool_extent_payload(unsigned pool, uint32_t index);
// The pool and index of the block that starts at `data`, where it is one of an extent.
bool mempool_extent_locate(const void *data, unsigned *pool, uint32_t *index);
#define MEMPOOL_GROWN(what) mempool_load(&mempool_grown.what)
#define MEMPOOL_RESIZINGS() mempool_load(&mempool_resizing)
#else
#define MEMPOOL_GROWN(what) 0u
#define MEMPOOL_RESIZINGS() 0u
#endif

// The blocks that a pool has now.
static MEMPOOL_HOT inline uint32_t mempool_blocks(unsigned pool) {
    return mempool_geometry[pool].blocks + MEMPOOL_GROWN(of[pool]);
}

// Reads something of a pool that may grow until it is of one piece. On one core it is: a pool changes with interrupts masked.
// Bounded, as on a PC whoever changes it may be stopped in the middle.
#ifndef MEMPOOL_TEARS
#define MEMPOOL_TEARS 100u
#endif
#if MEMPOOL_GROW > 0 && !MEMPOOL_SINGLE_CORE
#define MEMPOOL_WHOLE(statement)                                           \
    for (uint32_t tears = 0, seen; tears < MEMPOOL_TEARS; ++tears) {       \
        seen = mempool_load(&mempool_resizing);                            \
        statement;                                                         \
        if ((seen & 1u) == 0 && mempool_load(&mempool_resizing) == seen) { \
            break;                                                         \
        }                                                                  \
    }
#else
#define MEMPOOL_WHOLE(statement) statement
#endif

// The payload of a block that is there.
static MEMPOOL_HOT inline uint8_t *mempool_payload_of(unsigned pool, uint32_t index) {
    const mempool_geometry_t *geometry = &mempool_geometry[pool];
#if MEMPOOL_GROW > 0
    if (index >= geometry->blocks) {
        return mempool_extent_payload(pool, index);
    }
#endif
    return geometry->payload + ((size_t)index << geometry->log2_size);
}

// Pressure (pressure.c).
extern mempool_hook_t mempool_bell;                     // MEMPOOL_POINTER_...
mempool_handle_t mempool_ring(mempool_handle_t handle); // returns the handle: take ends with it
void mempool_pressure_look_at(unsigned pool);
void mempool_pressure_resized(unsigned pool); // where its levels begin has changed
mempool_level_t mempool_pressure_level(unsigned pool);
mempool_level_t mempool_pressure_highest(void);

// Owners (owner.c).
#if MEMPOOL_OWNERS > 0
void mempool_owner_init(void);
void mempool_owner_reset_stats(void);
void mempool_owner_reclaim_python(void);
#else
#define mempool_owner_init() ((void)0)
#define mempool_owner_reset_stats() ((void)0)
#define mempool_owner_reclaim_python() ((void)0)
#endif
bool mempool_owner_is_live(mempool_owner_t owner);

#if MEMPOOL_OWNERS > 0
// Takes `bytes` (at most MEMPOOL_CHARGE_MAX) off an owner's balance, and puts them back where its quota does not allow them: until
// then they count as used. *balance: what it was then.
static MEMPOOL_HOT inline __attribute__((always_inline)) bool mempool_charge(mempool_owner_entry_t *entry, uint32_t bytes,
    uint32_t *balance) {
    *balance = mempool_fetch_add(&entry->balance, 0u - bytes) - bytes;
    if ((int32_t)*balance < (int32_t)mempool_peek(&entry->floor)) {
        mempool_fetch_add(&entry->balance, bytes);
        return false;
    }
    return true;
}
#define MEMPOOL_CHARGE_MAX (1u << 30)
#endif

// Poison (poison.c): fills a block that is given back; counts one that was written to meanwhile.
#if MEMPOOL_POISON
void mempool_poison_fill(unsigned pool, uint32_t index);
void mempool_poison_verify(unsigned pool, uint32_t index, mempool_handle_t handle);
uint32_t mempool_poison_check(void); // damaged blocks among those that are free
#endif

// Trace (trace.c).
#if MEMPOOL_TRACE
void mempool_trace_record(uint32_t what, mempool_handle_t handle, uint32_t size, uint32_t owner);
#else
#define mempool_trace_record(what, handle, size, owner) ((void)0)
#endif

// A live block behind a handle (block.c): its word's fields, or E_STALE / E_FOREIGN. Counts nothing.
int mempool_lookup(mempool_handle_t handle, mempool_pool_t **pool, uint32_t *fields);
// Counts and traces a refusal; returns it, or E_FOREIGN where the number is none of 30 bits.
#if MEMPOOL_DIAGNOSTICS
int mempool_refuse(mempool_handle_t handle, int status);
int mempool_refuse_stale(mempool_handle_t handle, mempool_word_t *middle); // of a handle whose pool this is
#else
static MEMPOOL_HOT inline int mempool_refuse(mempool_handle_t handle, int status) {
    return (uint32_t)handle >> 30 != 0 ? MEMPOOL_E_FOREIGN : status;
}
#endif

// Age in ms of what was stamped at `stamp`; saturates, and keeps old stamps from wrapping (leaks.c). `word`: that of the block, or
// NULL where the caller's lock keeps what was stamped.
uint32_t mempool_age_ms(mempool_word_t *stamp, mempool_word_t *word);

// Blocks of the heap (heap.c): handles with pool code MEMPOOL_POOLS + 1.
mempool_handle_t mempool_heap_take(uint32_t size, mempool_owner_t owner, uint32_t flags);
int mempool_heap_give(mempool_handle_t handle, uint32_t flags);
int mempool_heap_inspect(mempool_handle_t handle, mempool_block_t *block);
int mempool_heap_adopt(mempool_handle_t handle, uint32_t flags);
mempool_handle_t mempool_heap_handle_of(const void *data);
size_t mempool_heap_leak(unsigned place, mempool_leak_t *leak);
#define MEMPOOL_HEAP_BLOCKS 32u // blocks of the heap at a time
uint32_t mempool_heap_reclaim_python(void);
void mempool_heap_reset_stats(void);
void mempool_heap_stats(mempool_stats_t *stats);

#if MEMPOOL_HEAP_FALLBACK
static MEMPOOL_HOT inline bool mempool_handle_is_heap(mempool_handle_t handle) {
    return handle > 0 && mempool_handle_pool(handle) == MEMPOOL_HEAP;
}
#else
#define mempool_handle_is_heap(handle) (false)
#endif

#endif // MEMPOOL_CORE_H
