// mempool.h - the C contract of the pools: for tasks, threads, interrupts and other C modules.
//
// Five pools of fixed blocks (32, 64, 128, 256 and 512 bytes). A block is taken and given back in a constant
// number of instructions, lock-free under contention. What a caller holds is a handle: a positive number
// of 30 bits that goes stale when the block is given back, so a late or double use is refused instead of
// obeyed. One way to use each: pointers for C buffers that stay where they are, handles for what travels.
//
//      handle:  29 ........... 13 | 12 .. 10 | 9 ..... 0
//                 generation 17   | pool 1-5 |  index        0 is never a handle; negative is an error
//
// A handle is obeyed again after 2^17 reuses of its very block.
//
// "ISR: yes" means: callable from interrupts, tasks, threads and either core, at the same time. None of
// these functions logs, allocates from a heap (but see MEMPOOL_HEAP) or blocks (but see mempool_take_wait).
// Nothing but mempool_init has to be called first. Before it, and while it runs elsewhere, a pool that is not filled yet is empty,
// owners cannot be opened (E_OWNERS), and nothing that is refused leaves a trace but in the counts.

#ifndef MEMPOOL_H
#define MEMPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Version of this contract: major * 10000 + minor * 100 + patch.
#define MEMPOOL_VERSION 100

// Results below zero. The numbers are the same in Python (mempool.E_EXHAUSTED ...).
typedef enum {
    MEMPOOL_OK = 0,
    MEMPOOL_E_EXHAUSTED = -1, // no block of a class that may serve the request is free
    MEMPOOL_E_SIZE = -2,      // size is 0 or larger than the largest class
    MEMPOOL_E_QUOTA = -3,     // the owner's quota does not allow it (what a take of his that is about to be refused holds counts)
    MEMPOOL_E_STALE = -4,     // the block was given back since (or is free: a double give)
    MEMPOOL_E_FOREIGN = -5,   // not a handle or address of ours, or owned by the other language
    MEMPOOL_E_RANGE = -6,     // offset, length, name or number outside its limits
    MEMPOOL_E_OWNERS = -7,    // the owner table is full (CONFIG_MEMORY_POOL_OWNERS), or not there before mempool_init
} mempool_status_t;

// A handle (> 0), 0 for none, or a mempool_status_t (< 0).
typedef int32_t mempool_handle_t;

// Pools, smallest first. MEMPOOL_HEAP stands for blocks of the heap, when ALLOW_HEAP_FALLBACK lets them be.
enum {
    MEMPOOL_TINY,
    MEMPOOL_SMALL,
    MEMPOOL_MEDIUM,
    MEMPOOL_LARGE,
    MEMPOOL_XLARGE,
    MEMPOOL_POOLS,
    MEMPOOL_HEAP = MEMPOOL_POOLS,
};

#define MEMPOOL_MIN_BLOCK 32u
#define MEMPOOL_MAX_BLOCK 512u
#define MEMPOOL_ALIGN 8u
#define MEMPOOL_NAME_MAX 15u // bytes of an owner's name, without its end

// Number of an owner, 1 to CONFIG_MEMORY_POOL_OWNERS.
typedef uint8_t mempool_owner_t;
#define MEMPOOL_NO_OWNER 0

// How a block is asked for. MEMPOOL_PYTHON marks whose it is: a soft reset takes back what Python owned.
enum {
    MEMPOOL_SPILL = 1 << 0,    // try the next larger classes when its own is exhausted (counted)
    MEMPOOL_CRITICAL = 1 << 1, // may use the reserve (CONFIG_MEMORY_POOL_EMERGENCY_RESERVE)
    MEMPOOL_PYTHON = 1 << 2,   // owned by Python
    MEMPOOL_HEAP_OK = 1 << 3,  // the heap may serve it (ALLOW_HEAP_FALLBACK; never from an interrupt)
    MEMPOOL_RECLAIM = 1 << 4,  // give: a safety net returns it: counted reclaimed, a refusal is not counted
};

// With the flags of a take: so many bytes beyond the size are kept free at the end of the block. They count for the class, and
// not as asked for.
#define MEMPOOL_ROOM(bytes) ((uint32_t)(bytes) << 8)
#define MEMPOOL_ROOM_OF(flags) ((flags) >> 8)

// Makes all blocks free. Once, before the first use, by one task; later calls do nothing (a soft reset
// of the interpreter keeps what C holds). O(blocks). ISR: no.
void mempool_init(void);

// ---- Handles -------------------------------------------------------------------------------------------

// Takes a block of the smallest class that holds `size` bytes (1 to 512), for `owner` (or MEMPOOL_NO_OWNER).
// Never spills, never uses the reserve. -> handle, E_EXHAUSTED, E_SIZE, E_QUOTA or E_RANGE (no such owner).
// In a build with owners, a request of 1 byte without one is kept as one of 2. O(1). ISR: yes.
mempool_handle_t mempool_take(uint32_t size, mempool_owner_t owner);

// The same with MEMPOOL_SPILL, _CRITICAL, _PYTHON, _HEAP_OK, _ROOM(n) in `flags`. O(classes). ISR: yes, without HEAP_OK.
mempool_handle_t mempool_take_flags(uint32_t size, mempool_owner_t owner, uint32_t flags);

// The same, waiting up to `timeout_ms` for a block: sleeps 1 to 10 ms between attempts. ISR: no.
mempool_handle_t mempool_take_wait(uint32_t size, mempool_owner_t owner, uint32_t flags, uint32_t timeout_ms);

// Gives a block back, whoever owned it. Of several that give the same handle exactly one gets MEMPOOL_OK.
// -> MEMPOOL_OK, E_STALE or E_FOREIGN. O(1). ISR: yes (a block of the heap: no).
int mempool_give(mempool_handle_t handle);

// The same, with MEMPOOL_PYTHON: only what Python owns (else E_FOREIGN); MEMPOOL_RECLAIM. O(1). ISR: yes.
int mempool_give_flags(mempool_handle_t handle, uint32_t flags);

// The payload, aligned to 8 bytes, or NULL where the handle is stale or foreign. The pointer is good until the
// block is given back: the caller sees to it that nobody does so meanwhile. O(1). ISR: yes.
void *mempool_data(mempool_handle_t handle);

// Copies into / out of a block, within the size that was asked for. -> bytes copied, E_STALE, E_FOREIGN
// or E_RANGE (nothing copied). O(length). ISR: yes.
int mempool_write(mempool_handle_t handle, uint32_t offset, const void *from, uint32_t length);
int mempool_read(mempool_handle_t handle, uint32_t offset, void *to, uint32_t length);

// The same, with MEMPOOL_PYTHON: only what Python owns (else E_FOREIGN). O(length). ISR: yes.
int mempool_write_flags(mempool_handle_t handle, uint32_t offset, const void *from, uint32_t length, uint32_t flags);
int mempool_read_flags(mempool_handle_t handle, uint32_t offset, void *to, uint32_t length, uint32_t flags);

// Hands a block to the other language: flags 0 for C, MEMPOOL_PYTHON for Python. The handle stays good.
// -> MEMPOOL_OK, E_STALE, E_FOREIGN. O(1). ISR: yes.
int mempool_adopt(mempool_handle_t handle, uint32_t flags);

typedef struct {
    void *data;
    uint32_t size;     // bytes asked for
    uint32_t capacity; // bytes of the block
    uint8_t pool;      // MEMPOOL_TINY ... or MEMPOOL_HEAP
    uint8_t owner;     // 0: none
    bool python;
} mempool_block_t;

// What stands behind a handle. -> MEMPOOL_OK, E_STALE, E_FOREIGN. O(1). ISR: yes.
int mempool_inspect(mempool_handle_t handle, mempool_block_t *block);

// ---- Pointers ------------------------------------------------------------------------------------------

// malloc and free over the pools. The class is found from the address alone. mempool_free refuses what is not
// the start of a block of ours (E_FOREIGN) or is free already (E_STALE); NULL is MEMPOOL_OK. O(1). ISR: yes,
// where ALLOW_HEAP_FALLBACK is off.
void *mempool_alloc(uint32_t size);
int mempool_free(void *data);

// The handle of the block that starts at `data`, E_STALE (free) or E_FOREIGN. O(1). ISR: yes.
mempool_handle_t mempool_handle_of(const void *data);

// ---- Owners --------------------------------------------------------------------------------------------

// Registers an owner: `name` of `length` 1 to 15 bytes (copied), `quota` in bytes of block capacity, 0 for no limit;
// flags MEMPOOL_PYTHON or 0 tell who holds it. The name of a live owner gives that owner, its quota updated.
// -> 1 to 31, E_RANGE or E_OWNERS. O(owners). ISR: no.
int mempool_owner_open(const char *name, size_t length, uint32_t quota, uint32_t flags);

// C (0) or Python (MEMPOOL_PYTHON) lets go of an owner. Its place is free when neither holds it and no block
// is left in its name. -> MEMPOOL_OK or E_RANGE. O(1). ISR: no.
int mempool_owner_close(mempool_owner_t owner, uint32_t flags);

typedef struct {
    char name[MEMPOOL_NAME_MAX + 1u]; // ends with a NUL
    uint32_t quota;                   // bytes, 0: no limit
    uint32_t used;                    // bytes of block capacity
    uint32_t peak;                    // bytes
    uint32_t denied;                  // takes beyond the quota since boot or mempool_reset_stats; comes round at 2^32
} mempool_owner_info_t;

// All of one instant, whoever opens, closes and limits the owner meanwhile.
// -> MEMPOOL_OK or E_RANGE (no such owner, or not live). O(1). ISR: yes.
int mempool_owner_info(mempool_owner_t owner, mempool_owner_info_t *info);

// Bytes of block capacity in use that no live owner holds: of blocks without an owner, and of owners that were let go.
// O(owners). ISR: yes.
uint32_t mempool_unowned(void);

// ---- Seeing --------------------------------------------------------------------------------------------

// The order is that of Python's stats_into().
typedef struct {
    uint32_t capacity;    // bytes
    uint32_t used;        // bytes, of block capacity
    uint32_t free;        // bytes
    uint32_t peak;        // bytes; of all pools: the sum of the pools' peaks. 0 without DIAGNOSTICS, as are
                          // the counts, requested and waste
    uint32_t utilization; // percent, rounded down
    uint32_t allocs;      // counts since boot or mempool_reset_stats; all counts come round to 0 at 2^32
    uint32_t frees;       // comes round as allocs does, for whoever looks once in 2^31 allocs
    uint32_t failures;    // no block was left
    uint32_t spills;
    uint32_t reclaimed;    // given back by a safety net (garbage collection, soft reset)
    uint32_t refused;      // stale, double or foreign use
    uint32_t denied;       // beyond a quota
    uint32_t heap_used;    // bytes
    uint32_t requested;    // bytes asked for by the holders of the blocks in use
    uint32_t waste;        // bytes: used - requested
    uint32_t largest_free; // bytes: block size of the largest class with a block for anyone
    uint32_t level;        // mempool_level_t, the highest of the pools, as of the last mempool_pressure_look or _next
} mempool_stats_t;

// Statistics of all pools, or of one. Within a pool used + free == capacity always holds, and with DIAGNOSTICS
// used <= peak.
// O(pools), O(1). ISR: yes.
void mempool_stats(mempool_stats_t *stats);
int mempool_pool_stats(unsigned pool, mempool_stats_t *stats);

// Counts start at 0 and peaks at what is used now; what is used stays. What is taken or refused meanwhile is counted, or not,
// once; a take that is under way may be counted as one and as given back. O(pools + owners). ISR: no.
void mempool_reset_stats(void);

typedef struct {
    const char *name;
    uint32_t block_size; // bytes
    uint32_t count;      // blocks
    uint32_t reserve;    // blocks only a critical request gets
    uint32_t used;       // blocks
    uint32_t peak;       // blocks
} mempool_pool_info_t;

// Geometry and fill of one pool. -> MEMPOOL_OK or E_RANGE. O(1). ISR: yes.
int mempool_pool_info(unsigned pool, mempool_pool_info_t *info);

// Which blocks of a pool are in use: a byte each, 0 for a free one, 1 for one without an owner, 1 + the owner's number
// for the others. -> bytes written, at most `entries`; 0: no such pool, or without DIAGNOSTICS. O(blocks). ISR: no.
size_t mempool_map(unsigned pool, uint8_t *out, size_t entries);

// Four words, as Python's leaks_into() writes them.
typedef struct {
    uint32_t handle;
    uint32_t owner;
    uint32_t size;   // bytes asked for
    uint32_t age_ms; // saturates, where mempool_leaks or mempool_check is called once in half the range of the tick (248 days at 10 ms)
} mempool_leak_t;

// The blocks held for at least `min_age_ms`, oldest first, as many as fit. -> entries written.
// 0 without DIAGNOSTICS. O(blocks * entries). ISR: no.
size_t mempool_leaks(uint32_t min_age_ms, mempool_leak_t *out, size_t entries);

typedef enum {
    MEMPOOL_TRACE_TAKE = 1,
    MEMPOOL_TRACE_GIVE,
    MEMPOOL_TRACE_RECLAIM,
    MEMPOOL_TRACE_FAIL,   // exhausted or denied; handle is the status
    MEMPOOL_TRACE_REFUSE, // stale, double or foreign
    MEMPOOL_TRACE_POISON, // a block that was written to while it was free
} mempool_trace_what_t;

typedef struct {
    uint32_t what; // mempool_trace_what_t
    int32_t handle;
    uint32_t size; // bytes asked for, 0 where it is not known
    uint32_t owner;
    uint32_t ticks; // coarse ticks of MEMPOOL_TICK_MS (see port/); they come round
} mempool_trace_t;

// The last operations, oldest first, each whole. Not there: one that is being written, one that met an older one still being
// written in its place, and one in 2^31. -> entries written; 0 without TRACE_ALLOCATIONS. O(entries). ISR: no.
size_t mempool_trace(mempool_trace_t *out, size_t entries);

// Counts broken invariants: bitmaps, words, counters and owners that disagree, poison that was overwritten.
// 0 is health. Tolerates operations that run meanwhile: what does not hold is read again before it counts.
// O(blocks), on chips without compare-and-set with interrupts masked: 0.12 ms on an ESP32-C3 at 160 MHz. ISR: no.
uint32_t mempool_check(void);

// Blocks that were found written to while they were free, since boot (POISON_FREED). O(1). ISR: yes.
uint32_t mempool_poison_hits(void);

// Gives back every block that Python owns and lets go of Python's owners: what a soft reset needs.
// -> blocks given back, each counted reclaimed. O(blocks). ISR: no.
uint32_t mempool_reclaim_python(void);

// ---- Growing -------------------------------------------------------------------------------------------
//
// A pool can become larger while the program runs, by an extent: blocks whose payload comes from IDF's internal heap on ESP32,
// and from a static arena (CONFIG_MEMORY_POOL_GROW_ARENA) elsewhere. They are blocks like any other: handles, owners,
// statistics and every refusal are the same. At most CONFIG_MEMORY_POOL_GROW_BLOCKS blocks a pool, in at most MEMPOOL_EXTENTS
// extents; where that is 0 these functions are not there.

#define MEMPOOL_EXTENTS 4u

// Adds `blocks` blocks to a pool, all or none. -> blocks; E_RANGE: no such pool, none asked for, or more than
// mempool_growable says; E_EXHAUSTED: the memory for them is not to be had. O(blocks). ISR: no.
int mempool_grow(unsigned pool, uint32_t blocks);

// Takes the extent that was added last away and gives its memory back, where none of its blocks is in use and enough others
// are free for the reserve. -> blocks removed, 0 where it is not so or there is no extent; E_RANGE. Handles of these blocks
// are refused, also once the pool has grown again. O(blocks). ISR: no.
int mempool_shrink(unsigned pool);

// By how many blocks a pool may still grow. O(1). ISR: no.
uint32_t mempool_growable(unsigned pool);

// ---- Heaps ---------------------------------------------------------------------------------------------

typedef struct {
    const char *name;
    uint32_t total;        // bytes
    uint32_t free;         // bytes
    uint32_t largest;      // bytes of the largest free piece
    uint32_t minimum_ever; // bytes: the least that was free since boot
} mempool_heap_info_t;

// The platform's own heaps, number 0 and on: IDF's by capability on ESP32, none elsewhere. -> false: there is no such
// one. O(pieces of the heap). ISR: no.
bool mempool_heap_info(unsigned number, mempool_heap_info_t *info);

// ---- What a reset leaves alone ---------------------------------------------------------------------------
//
// One region of CONFIG_MEMORY_POOL_NOINIT_BYTES bytes (0: none of these functions is there) whose content survives software,
// panic and watchdog resets, on ESP32 in internal RAM that start-up does not clear. It is for a program's next life: what it did
// last, why it stopped. At a reset in the middle of a write the old content is there, or the new, or, where more than a word
// was being copied, mempool_noinit_valid is false: never a mixture that counts as good.

// The content, to be read: all zeros after a power-on and where it did not come through. O(1), the first call O(bytes). ISR: no.
uint8_t *mempool_noinit_data(void);

// Whether the content is what was written last, in this life or the one before. O(bytes). ISR: no.
bool mempool_noinit_valid(void);

// Copies into the content, and seals it with a CRC of the whole region. -> length or E_RANGE. O(bytes of the region). ISR: no.
int mempool_noinit_write(uint32_t offset, const void *from, uint32_t length);

// Seals what was written through mempool_noinit_data, which until then a reset would leave invalid. O(bytes). ISR: no.
void mempool_noinit_seal(void);

// ---- Pressure ------------------------------------------------------------------------------------------

typedef enum { MEMPOOL_LEVEL_NORMAL,
    MEMPOOL_LEVEL_LOW,
    MEMPOOL_LEVEL_CRITICAL } mempool_level_t;

// A doorbell: called by a take that finds its pool beyond a mark of its level, in its context (maybe an interrupt), and
// again by each until somebody looks. It may only wake someone who then calls mempool_pressure_next until it returns
// false. mempool_take_flags, _take_wait and _give_flags look by themselves; the way down is otherwise noticed by the
// next take of the pool, or by whoever looks. NULL removes it; a ring that has begun on another core may still arrive.
// O(pools). ISR: no.
typedef void (*mempool_hook_t)(void);
void mempool_set_pressure_hook(mempool_hook_t hook);

// Works out the levels as they are now. O(pools). ISR: yes.
void mempool_pressure_look(void);

// Looks at all pools; the next change of level that was not told yet. What came and went between two looks is not told,
// nor what changed before the hook was set. O(pools). ISR: yes, one reader at a time.
bool mempool_pressure_next(unsigned *pool, mempool_level_t *level);

#ifdef __cplusplus
}
#endif

#endif // MEMPOOL_H
