// benchmark(): what each operation of the core costs on this machine, by its own clock.
//
// Each operation is timed alone, many times; what reading the clock costs is taken off. It uses blocks that are
// free and gives each of them back: the counters of statistics move, what is held does not.

#include "py/gc.h"
#include "py/mphal.h"
#include "py/objlist.h"
#include "py/objtuple.h"

#include "mempool_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE

#define ROUNDS (101)
#define GC_BYTES (32)

// ---- The clock -----------------------------------------------------------------------------------------

// On a host mp_hal_ticks_cpu counts microseconds: nanoseconds are what its cycle counter is worth elsewhere.
#ifdef __unix__

#include <time.h>

#define UNIT MP_QSTR_ns

static uint32_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint32_t)time.tv_sec * 1000000000u + (uint32_t)time.tv_nsec;
}

#else

#define UNIT MP_QSTR_cycles

static uint32_t now(void) {
    return (uint32_t)mp_hal_ticks_cpu();
}

#endif

// ---- The operations ------------------------------------------------------------------------------------

typedef struct {
    uint32_t size;
    mempool_handle_t handle;
    mempool_stats_t stats;
    void *bytes;
} work_t;

static void nothing(work_t *work) {
    (void)work;
}

static void take(work_t *work) {
    work->handle = mempool_take_flags(work->size, MEMPOOL_NO_OWNER, MEMPOOL_PYTHON);
}

static void give(work_t *work) {
    if (work->handle > 0) {
        mempool_give_flags(work->handle, MEMPOOL_PYTHON);
    }
}

static void give_again(work_t *work) {
    mempool_give_flags(work->handle, MEMPOOL_PYTHON | MEMPOOL_RECLAIM); // a refusal that is not counted
}

static void stats(work_t *work) {
    mempool_stats(&work->stats);
}

static void gc_take(work_t *work) {
    work->bytes = m_malloc_maybe(GC_BYTES);
}

static void gc_give(work_t *work) {
    m_free(work->bytes
#if MICROPY_MALLOC_USES_ALLOCATED_SIZE
        ,
        work->bytes == NULL ? 0 : GC_BYTES
#endif
    );
}

typedef struct {
    qstr name;
    void (*before)(work_t *work);
    void (*timed)(work_t *work);
    void (*after)(work_t *work);
} operation_t;

static const operation_t operations[] = {
    { MP_QSTR_take, nothing, take, give },
    { MP_QSTR_give, take, give, nothing },
    { MP_QSTR_give_stale, nothing, give_again, nothing },
    { MP_QSTR_stats, nothing, stats, nothing },
    { MP_QSTR_gc_alloc, nothing, gc_take, gc_give },
    { MP_QSTR_gc_free, gc_take, gc_give, nothing },
};

// ---- The table -----------------------------------------------------------------------------------------

static void sort(uint32_t *times, size_t n) {
    for (size_t i = 1; i < n; i++) {
        uint32_t time = times[i];
        size_t j = i;
        for (; j > 0 && times[j - 1] > time; j--) {
            times[j] = times[j - 1];
        }
        times[j] = time;
    }
}

// Times one operation into `times`, sorted.
static void measure(const operation_t *operation, work_t *work, uint32_t *times) {
    for (size_t i = 0; i < ROUNDS; i++) {
        operation->before(work);
        uint32_t start = now();
        operation->timed(work);
        times[i] = now() - start;
        operation->after(work);
    }
    sort(times, ROUNDS);
}

// -> list of (operation, unit, min, median, max)
static mp_obj_t mempool_benchmark(void) {
    static const qstr fields[] = { MP_QSTR_operation, MP_QSTR_unit, MP_QSTR_min, MP_QSTR_median, MP_QSTR_max };
    uint32_t *times = m_new(uint32_t, ROUNDS);
    mp_obj_t table = mp_obj_new_list(0, NULL);
    work_t work = { .size = MEMPOOL_MIN_BLOCK };

    const operation_t empty = { MP_QSTR_, nothing, nothing, nothing };
    measure(&empty, &work, times);
    uint32_t clock = times[0];

    for (size_t i = 0; i < MP_ARRAY_SIZE(operations); i++) {
        measure(&operations[i], &work, times);
        mp_obj_t row[] = { MP_OBJ_NEW_QSTR(operations[i].name), MP_OBJ_NEW_QSTR(UNIT), 0, 0, 0 };
        const size_t picks[] = { 0, ROUNDS / 2, ROUNDS - 1 };
        for (size_t column = 0; column < MP_ARRAY_SIZE(picks); column++) {
            uint32_t time = times[picks[column]];
            row[2 + column] = mp_obj_new_int_from_uint(time > clock ? time - clock : 0);
        }
        mp_obj_list_append(table, mp_obj_new_attrtuple(fields, MP_ARRAY_SIZE(fields), row));
    }
    m_del(uint32_t, times, ROUNDS);
    return table;
}
MP_DEFINE_CONST_FUN_OBJ_0(mempool_benchmark_obj, mempool_benchmark);

#endif // CONFIG_MEMORY_POOL_ENABLE
