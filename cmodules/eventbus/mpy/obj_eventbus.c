// EventBus: the object, subscribe, listen and what controls a bus; publish is in publish.c. The default bus is the one that C reaches; others live on the GC
// heap, and as long as someone has them or is subscribed.

#include "eventbus_mpy.h" // first

#include <string.h>

#include "py/mphal.h"
#include "py/objtuple.h"

#if CONFIG_MEMORY_POOL_ENABLE

#define QUEUE_DEFAULT 32
#define PROCESS_MS_DEFAULT 2
#define PROCESS_MS_MAX 60000
#define DEPTH_DEFAULT 8

// ---- Objects -------------------------------------------------------------------------------------------

typedef struct {
    eventbus_obj_t head;
    eventbus_t core;
} own_bus_obj_t;

static uint32_t turn; // of the scheduler's node

static void bus_init(eventbus_obj_t *self, eventbus_t *core) {
    self->core = core;
    self->event = NULL;
    self->filter = mp_const_none;
    self->on_error = mp_const_none;
    self->next = NULL;
    self->listed = 0;
    self->turn = turn;
    memset(self->subs, 0, sizeof(self->subs));
}

eventbus_obj_t *eventbus_new_default(void) {
    eventbus_obj_t *self = mp_obj_malloc(eventbus_obj_t, &eventbus_type_EventBus);
    bus_init(self, &eventbus_default);
    self->event = eventbus_event_new(false);
    return self;
}

// EventBus(queue=32)
static mp_obj_t eventbus_EventBus_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    static const mp_arg_t allowed[] = {
        { MP_QSTR_queue, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_INT(QUEUE_DEFAULT) } },
    };
    mp_arg_val_t values[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all_kw_array(n_args, n_kw, args, MP_ARRAY_SIZE(allowed), allowed, values);
    unsigned queue = (unsigned)mempool_get_between(values[0].u_obj, MP_QSTR_queue, 1, EVENTBUS_QUEUE_MAX);
    eventbus_slot_t *slots = m_new(eventbus_slot_t, queue);
    own_bus_obj_t *self = mp_obj_malloc_with_finaliser(own_bus_obj_t, type);
    bus_init(&self->head, &self->core);
    memset(&self->core, 0, sizeof(self->core));
    eventbus_open(&self->core, slots, queue);
    self->head.event = eventbus_event_new(false);
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t eventbus_EventBus___del__(mp_obj_t self_in) {
    eventbus_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->core != &eventbus_default && self->event != NULL) {
        self->core->closed = true;
        eventbus_clear(self->core);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(eventbus_EventBus___del___obj, eventbus_EventBus___del__);

void eventbus_list_add(eventbus_obj_t *bus) {
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION();
    if (bus->listed++ == 0) {
        bus->next = MP_STATE_VM(eventbus_listed);
        MP_STATE_VM(eventbus_listed) = bus;
    }
    MICROPY_END_ATOMIC_SECTION(state);
    (void)state;
}

void eventbus_list_remove(eventbus_obj_t *bus) {
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION();
    bool last = --bus->listed == 0;
    if (last) {
        for (eventbus_obj_t **place = &MP_STATE_VM(eventbus_listed); *place != NULL; place = &(*place)->next) {
            if (*place == bus) {
                *place = bus->next;
                bus->next = NULL;
                break;
            }
        }
    }
    MICROPY_END_ATOMIC_SECTION(state);
    (void)state;
    // Nobody delivers on a bus without subscriptions: what waits would keep its blocks.
    eventbus_item_t item;
    while (last && eventbus_next(bus->core, EVENTBUS_LANE_PYTHON, &item)) {
        eventbus_release(item.handle);
    }
}

void eventbus_turn_begin(void) {
    turn++;
}

eventbus_obj_t *eventbus_turn_next(void) {
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION();
    eventbus_obj_t *bus = MP_STATE_VM(eventbus_listed);
    while (bus != NULL && bus->turn == turn) {
        bus = bus->next;
    }
    if (bus != NULL) {
        bus->turn = turn;
    }
    MICROPY_END_ATOMIC_SECTION(state);
    (void)state;
    return bus;
}

// ---- subscribe, listen ---------------------------------------------------------------------------------

static void check_pattern_type(mp_obj_t pattern) {
    if (!mp_obj_is_str(pattern)) {
        mempool_raise_type(MP_ERROR_TEXT("pattern must be str, not %s"), pattern);
    }
}

// subscribe(pattern, callback, *, once=False) -> Subscription
static mp_obj_t eventbus_EventBus_subscribe(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    enum { ARG_pattern,
        ARG_callback,
        ARG_once };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_pattern, MP_ARG_REQUIRED | MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
        { MP_QSTR_callback, MP_ARG_REQUIRED | MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
        { MP_QSTR_once, MP_ARG_KW_ONLY | MP_ARG_BOOL, { .u_bool = false } },
    };
    mp_arg_val_t values[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, args + 1, kw_args, MP_ARRAY_SIZE(allowed), allowed, values);
    check_pattern_type(values[ARG_pattern].u_obj);
    mempool_check_callable(values[ARG_callback].u_obj, MP_QSTR_callback, false);
    return eventbus_subscription_new(MP_OBJ_TO_PTR(args[0]), values[ARG_pattern].u_obj, values[ARG_callback].u_obj,
        values[ARG_once].u_bool);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(eventbus_EventBus_subscribe_obj, 1, eventbus_EventBus_subscribe);

// listen(pattern, depth=8, policy=DROP_OLDEST) -> Listener
static mp_obj_t eventbus_EventBus_listen(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    enum { ARG_pattern,
        ARG_depth,
        ARG_policy };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_pattern, MP_ARG_REQUIRED | MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
        { MP_QSTR_depth, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_INT(DEPTH_DEFAULT) } },
        { MP_QSTR_policy, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_INT(EVENTBUS_DROP_OLDEST) } },
    };
    mp_arg_val_t values[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, args + 1, kw_args, MP_ARRAY_SIZE(allowed), allowed, values);
    check_pattern_type(values[ARG_pattern].u_obj);
    unsigned depth = (unsigned)mempool_get_between(values[ARG_depth].u_obj, MP_QSTR_depth, 1, EVENTBUS_QUEUE_MAX);
    unsigned policy = (unsigned)mempool_get_between(values[ARG_policy].u_obj, MP_QSTR_policy, EVENTBUS_DROP_NEWEST, EVENTBUS_LATEST);
    return eventbus_listener_new(MP_OBJ_TO_PTR(args[0]), values[ARG_pattern].u_obj, depth, policy);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(eventbus_EventBus_listen_obj, 1, eventbus_EventBus_listen);

// ---- Control -------------------------------------------------------------------------------------------

// process(max_ms=2) -> callbacks run and listeners served
static mp_obj_t eventbus_EventBus_process(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    static const mp_arg_t allowed[] = {
        { MP_QSTR_max_ms, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_INT(PROCESS_MS_DEFAULT) } },
    };
    mp_arg_val_t values[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, args + 1, kw_args, MP_ARRAY_SIZE(allowed), allowed, values);
    uint32_t max_ms = (uint32_t)mempool_get_between(values[0].u_obj, MP_QSTR_max_ms, 0, PROCESS_MS_MAX);
    mp_obj_t ends;
    size_t deliveries = eventbus_deliver(MP_OBJ_TO_PTR(args[0]), max_ms * 1000, SIZE_MAX, &ends);
    if (ends != MP_OBJ_NULL) {
        nlr_raise(ends);
    }
    return MP_OBJ_NEW_SMALL_INT(deliveries);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(eventbus_EventBus_process_obj, 1, eventbus_EventBus_process);

// pause(): Python's subscribers get nothing until resume(); C's do
static mp_obj_t eventbus_EventBus_pause(mp_obj_t self_in) {
    eventbus_obj_t *self = MP_OBJ_TO_PTR(self_in);
    eventbus_set_paused(self->core, true);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(eventbus_EventBus_pause_obj, eventbus_EventBus_pause);

static mp_obj_t eventbus_EventBus_resume(mp_obj_t self_in) {
    eventbus_obj_t *self = MP_OBJ_TO_PTR(self_in);
    eventbus_set_paused(self->core, false);
    eventbus_ring(self->core, eventbus_in_vm());
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(eventbus_EventBus_resume_obj, eventbus_EventBus_resume);

static mp_obj_t eventbus_EventBus_clear(mp_obj_t self_in) {
    eventbus_obj_t *self = MP_OBJ_TO_PTR(self_in);
    eventbus_clear(self->core);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(eventbus_EventBus_clear_obj, eventbus_EventBus_clear);

// stats() -> published delivered dropped refused high_water queue_free latency_us
static mp_obj_t eventbus_EventBus_stats(mp_obj_t self_in) {
    eventbus_obj_t *self = MP_OBJ_TO_PTR(self_in);
    static const qstr names[] = {
        MP_QSTR_published,
        MP_QSTR_delivered,
        MP_QSTR_dropped,
        MP_QSTR_refused,
        MP_QSTR_high_water,
        MP_QSTR_queue_free,
        MP_QSTR_latency_us,
    };
    eventbus_stats_t stats;
    eventbus_read_stats(self->core, &stats);
    mp_obj_t dropped[EVENTBUS_PRIORITIES];
    for (size_t i = 0; i < EVENTBUS_PRIORITIES; i++) {
        dropped[i] = mp_obj_new_int_from_uint(stats.dropped[i]);
    }
    mp_obj_t latency[] = {
        mp_obj_new_int_from_uint(stats.latency_max_us),
        mp_obj_new_int_from_uint(stats.latency_mean_us),
    };
    mp_obj_t items[] = {
        mp_obj_new_int_from_uint(stats.published),
        mp_obj_new_int_from_uint(stats.delivered),
        mp_obj_new_tuple(MP_ARRAY_SIZE(dropped), dropped),
        mp_obj_new_int_from_uint(stats.refused),
        mp_obj_new_int_from_uint(stats.high_water),
        mp_obj_new_int_from_uint(stats.queue_free),
        mp_obj_new_tuple(MP_ARRAY_SIZE(latency), latency),
    };
    return mp_obj_new_attrtuple(names, MP_ARRAY_SIZE(items), items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(eventbus_EventBus_stats_obj, eventbus_EventBus_stats);

// stats_into(array('I')): published delivered dropped[4] refused high_water queue_free latency_max_us latency_mean_us waiting,
// nothing allocated
static mp_obj_t eventbus_EventBus_stats_into(mp_obj_t self_in, mp_obj_t array) {
    eventbus_obj_t *self = MP_OBJ_TO_PTR(self_in);
    eventbus_stats_t stats;
    eventbus_read_stats(self->core, &stats);
    const uint32_t in_order[] = {
        stats.published,
        stats.delivered,
        stats.dropped[0],
        stats.dropped[1],
        stats.dropped[2],
        stats.dropped[3],
        stats.refused,
        stats.high_water,
        stats.queue_free,
        stats.latency_max_us,
        stats.latency_mean_us,
        (uint32_t)self->core->size - stats.queue_free,
    };
    size_t words;
    memcpy(mempool_get_words(array, MP_ARRAY_SIZE(in_order), &words), in_order, sizeof(in_order));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(eventbus_EventBus_stats_into_obj, eventbus_EventBus_stats_into);

// ---- What it says of itself ----------------------------------------------------------------------------

static void eventbus_EventBus_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    const eventbus_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "EventBus(queue=%u, waiting=%u)", (unsigned)self->core->size, (unsigned)self->core->used);
}

static void store_attr(eventbus_obj_t *self, qstr attr, mp_obj_t *dest) {
    if ((attr != MP_QSTR_filter && attr != MP_QSTR_on_error) || dest[1] == MP_OBJ_NULL) {
        return; // AttributeError
    }
    mempool_check_callable(dest[1], attr, true);
    *(attr == MP_QSTR_filter ? &self->filter : &self->on_error) = dest[1];
    dest[0] = MP_OBJ_NULL;
}

static void eventbus_EventBus_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    eventbus_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (dest[0] != MP_OBJ_NULL) {
        store_attr(self, attr, dest);
        return;
    }
    switch (attr) {
        case MP_QSTR_filter:
            dest[0] = self->filter;
            break;
        case MP_QSTR_on_error:
            dest[0] = self->on_error;
            break;
        case MP_QSTR_filtered:
            dest[0] = mp_obj_new_int_from_uint(self->core->filtered);
            break;
        default:
            dest[1] = MP_OBJ_SENTINEL; // a method
    }
}

static const mp_rom_map_elem_t eventbus_EventBus_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_publish), MP_ROM_PTR(&eventbus_EventBus_publish_obj) },
    { MP_ROM_QSTR(MP_QSTR_subscribe), MP_ROM_PTR(&eventbus_EventBus_subscribe_obj) },
    { MP_ROM_QSTR(MP_QSTR_listen), MP_ROM_PTR(&eventbus_EventBus_listen_obj) },
    { MP_ROM_QSTR(MP_QSTR_block), MP_ROM_PTR(&eventbus_EventBus_block_obj) },
    { MP_ROM_QSTR(MP_QSTR_process), MP_ROM_PTR(&eventbus_EventBus_process_obj) },
    { MP_ROM_QSTR(MP_QSTR_pause), MP_ROM_PTR(&eventbus_EventBus_pause_obj) },
    { MP_ROM_QSTR(MP_QSTR_resume), MP_ROM_PTR(&eventbus_EventBus_resume_obj) },
    { MP_ROM_QSTR(MP_QSTR_clear), MP_ROM_PTR(&eventbus_EventBus_clear_obj) },
    { MP_ROM_QSTR(MP_QSTR_stats), MP_ROM_PTR(&eventbus_EventBus_stats_obj) },
    { MP_ROM_QSTR(MP_QSTR_stats_into), MP_ROM_PTR(&eventbus_EventBus_stats_into_obj) },
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&eventbus_EventBus___del___obj) },
};
static MP_DEFINE_CONST_DICT(eventbus_EventBus_locals, eventbus_EventBus_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(eventbus_type_EventBus, MP_QSTR_EventBus, MP_TYPE_FLAG_NONE, make_new,
    eventbus_EventBus_make_new, print, eventbus_EventBus_print, attr, eventbus_EventBus_attr, locals_dict,
    &eventbus_EventBus_locals);

#endif // CONFIG_MEMORY_POOL_ENABLE
