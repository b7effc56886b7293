// on_pressure: edges of the fill of a pool, told to a Python callback by the scheduler.
//
// The core's doorbell rings in whatever context crosses the edge, maybe an interrupt, on ESP32 maybe while the flash is written,
// where MicroPython's scheduler is: it only arms a node of the scheduler, or has a task do so. The node's callback does bounded work and never arms itself: in MicroPython 1.25 that would keep the
// VM from ever going on. What rings meanwhile, or is left at the bound, is asked for by an entry in the
// scheduler's queue, of which the VM runs one between two steps of the program.

#include "mempool_port.h" // first

#include "py/mphal.h"

#include "mempool_mpy.h"

#if CONFIG_MEMORY_POOL_ENABLE

#define EDGES_PER_RUN (2 * MEMPOOL_POOLS)

MP_REGISTER_ROOT_POINTER(mp_obj_t mempool_pressure_callback);

static mp_sched_node_t node;
static volatile bool running; // a delivery runs: nobody arms the node
static volatile bool rung;    // the doorbell rang since the last look
static volatile bool handed;  // to a task, which has not armed the node yet

// An exception out of a node's callback would leave the scheduler locked for good, so none gets out. What asks the
// program to end goes on to the program, what the user's callback did wrong is printed as the scheduler does.
static void call(mp_obj_t callback, mempool_level_t level, unsigned pool) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_call_function_2(callback, MP_OBJ_NEW_SMALL_INT(level), MEMPOOL_POOL_OBJ(pool));
        nlr_pop();
        return;
    }
    mp_obj_t end = mempool_report("%s", "", MP_OBJ_FROM_PTR(nlr.ret_val));
    if (end != MP_OBJ_NULL) {
        mp_sched_exception(end);
    }
}

static void deliver(void);

static mp_obj_t pressure_again(mp_obj_t unused) {
    (void)unused;
    deliver();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(pressure_again_obj, pressure_again);

static void deliver(void) {
    if (running) {
        return; // an entry of the queue while a node runs, or the other way round
    }
    running = true;
    rung = false;
    unsigned told = 0;
    while (told < EDGES_PER_RUN) {
        mp_obj_t callback = MP_STATE_VM(mempool_pressure_callback);
        unsigned pool;
        mempool_level_t level;
        if (callback == MP_OBJ_NULL || !mempool_pressure_next(&pool, &level)) {
            break;
        }
        call(callback, level, pool);
        told += 1;
    }
    running = false;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); // it or the doorbell sees the other
    bool left = rung || told == EDGES_PER_RUN;
    if (left && MP_STATE_VM(mempool_pressure_callback) != MP_OBJ_NULL) {
        // Where the queue is full, the next edge brings these along.
        mp_sched_schedule(MP_OBJ_FROM_PTR(&pressure_again_obj), mp_const_none);
    }
}

static void node_callback(mp_sched_node_t *self) {
    (void)self;
    deliver(); // armed in an earlier life: there is no callback, and nothing happens
}

// Not inlined: it lies in flash, and the doorbell not.
static __attribute__((noinline)) void arm(void *unused, uint32_t unused_too) {
    (void)unused;
    (void)unused_too;
    handed = false;
    if (!running) {
        mp_sched_schedule_node(&node, node_callback);
#if defined(ESP_PLATFORM)
        mp_hal_wake_main_task_from_isr(); // good in tasks, too; the scheduler itself wakes nobody there
#endif
    }
}

static MEMPOOL_HOT void doorbell(void) {
    rung = true;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (running) {
        return;
    }
    if (!mempool_port_must_defer()) {
        arm(NULL, 0);
    } else if (!handed) {
        handed = true;
        if (!mempool_port_defer(arm)) {
            handed = false; // the next take rings again
        }
    }
}

void mempool_pressure_forget(void) {
    mempool_set_pressure_hook(NULL);
    MP_STATE_VM(mempool_pressure_callback) = MP_OBJ_NULL;
    running = false; // a reset out of the middle of a delivery
    rung = false;
}

// on_pressure(callback): callback(level, pool); None removes it
static mp_obj_t mempool_on_pressure(mp_obj_t callback) {
    if (callback == mp_const_none) {
        mempool_set_pressure_hook(NULL);
        MP_STATE_VM(mempool_pressure_callback) = MP_OBJ_NULL;
        return mp_const_none;
    }
    mempool_check_callable(callback, MP_QSTR_callback, true);
    bool first = MP_STATE_VM(mempool_pressure_callback) == MP_OBJ_NULL;
    MP_STATE_VM(mempool_pressure_callback) = callback;
    if (first) {
        mempool_set_pressure_hook(doorbell);
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_1(mempool_on_pressure_obj, mempool_on_pressure);

#endif // CONFIG_MEMORY_POOL_ENABLE
