// Subscription: a callback on a bus, and what it has in common with a listener: a number in the core's table, counts, an end.

#include "eventbus_mpy.h" // first

#include "py/mphal.h"

#if CONFIG_MEMORY_POOL_ENABLE

// ---- What subscriptions and listeners share ------------------------------------------------------------

void eventbus_subscription_begin(eventbus_subscription_obj_t *self, eventbus_want_t *want) {
    eventbus_t *core = self->bus->core;
    want->pattern = mp_obj_str_get_data(self->pattern, &want->length);
    want->lane = EVENTBUS_LANE_PYTHON;
    int number = eventbus_sub_open(core, want);
    if (number == EVENTBUS_E_TOPIC) {
        mp_raise_msg_varg(&mp_type_ValueError,
            MP_ERROR_TEXT("pattern must be 1..%d bytes of levels and * joined by dots, not '%s'"),
            (int)EVENTBUS_MAX_TOPIC, want->pattern);
    }
    if (number < 0) {
        mp_raise_msg_varg(&mp_type_MemoryError,
            MP_ERROR_TEXT("subscriptions full: CONFIG_MEMORY_POOL_EVENT_SUBSCRIBERS is %d"), (int)EVENTBUS_SUBSCRIBERS);
    }
    self->number = number;
    eventbus_list_add(self->bus);
    if (want->kind == EVENTBUS_SUB_CALLBACK) {
        self->bus->subs[EVENTBUS_SUB_INDEX(number)] = self;
    }
    eventbus_sub_begin(core, number, want->kind);
}

bool eventbus_subscription_end(eventbus_subscription_obj_t *self) {
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION();
    int number = self->number;
    self->number = 0;
    MICROPY_END_ATOMIC_SECTION(state);
    (void)state;
    eventbus_counts_t counts;
    if (number == 0 || eventbus_sub_close(self->bus->core, number, &counts) != EVENTBUS_OK) {
        return false;
    }
    self->last.delivered += counts.delivered;
    self->last.dropped += counts.dropped;
    eventbus_subscription_obj_t **place = &self->bus->subs[EVENTBUS_SUB_INDEX(number)];
    if (*place == self) {
        *place = NULL;
    }
    eventbus_list_remove(self->bus);
    return true;
}

eventbus_counts_t eventbus_subscription_counts(const eventbus_subscription_obj_t *self) {
    eventbus_counts_t counts = self->last;
    eventbus_counts_t more;
    if (eventbus_sub_counts(self->bus->core, self->number, &more) == EVENTBUS_OK) {
        counts.delivered += more.delivered;
        counts.dropped += more.dropped;
    }
    return counts;
}

// ---- Subscription --------------------------------------------------------------------------------------

mp_obj_t eventbus_subscription_new(eventbus_obj_t *bus, mp_obj_t pattern, mp_obj_t callback, bool once) {
    eventbus_subscription_obj_t *self = mp_obj_malloc(eventbus_subscription_obj_t, &eventbus_type_Subscription);
    self->bus = bus;
    self->pattern = pattern;
    self->callback = callback;
    self->number = 0;
    self->once = once;
    self->last = (eventbus_counts_t){ 0, 0 };
    eventbus_want_t want = { .kind = EVENTBUS_SUB_CALLBACK };
    eventbus_subscription_begin(self, &want);
    return MP_OBJ_FROM_PTR(self);
}

// cancel(): idempotent
static mp_obj_t eventbus_Subscription_cancel(mp_obj_t self_in) {
    eventbus_subscription_end(MP_OBJ_TO_PTR(self_in));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(eventbus_Subscription_cancel_obj, eventbus_Subscription_cancel);

static mp_obj_t eventbus_Subscription___enter__(mp_obj_t self_in) {
    return self_in;
}
static MP_DEFINE_CONST_FUN_OBJ_1(eventbus_Subscription___enter___obj, eventbus_Subscription___enter__);

static mp_obj_t eventbus_Subscription___exit__(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    return eventbus_Subscription_cancel(args[0]);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(eventbus_Subscription___exit___obj, 4, 4, eventbus_Subscription___exit__);

static void eventbus_Subscription_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    const eventbus_subscription_obj_t *self = MP_OBJ_TO_PTR(self_in);
    eventbus_counts_t counts = eventbus_subscription_counts(self);
    mp_printf(print, "<Subscription %s, delivered=%u, dropped=%u%s>", mp_obj_str_get_str(self->pattern),
        (unsigned)counts.delivered, (unsigned)counts.dropped, self->number == 0 ? ", ended" : "");
}

static void eventbus_Subscription_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    if (dest[0] != MP_OBJ_NULL) {
        return; // nothing can be stored
    }
    const eventbus_subscription_obj_t *self = MP_OBJ_TO_PTR(self_in);
    switch (attr) {
        case MP_QSTR_delivered:
            dest[0] = mp_obj_new_int_from_uint(eventbus_subscription_counts(self).delivered);
            break;
        case MP_QSTR_dropped:
            dest[0] = mp_obj_new_int_from_uint(eventbus_subscription_counts(self).dropped);
            break;
        case MP_QSTR_pattern:
            dest[0] = self->pattern;
            break;
        default:
            dest[1] = MP_OBJ_SENTINEL; // a method
    }
}

static const mp_rom_map_elem_t eventbus_Subscription_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_cancel), MP_ROM_PTR(&eventbus_Subscription_cancel_obj) },
    { MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&eventbus_Subscription___enter___obj) },
    { MP_ROM_QSTR(MP_QSTR___exit__), MP_ROM_PTR(&eventbus_Subscription___exit___obj) },
};
static MP_DEFINE_CONST_DICT(eventbus_Subscription_locals, eventbus_Subscription_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(eventbus_type_Subscription, MP_QSTR_Subscription, MP_TYPE_FLAG_NONE, print,
    eventbus_Subscription_print, attr, eventbus_Subscription_attr, locals_dict, &eventbus_Subscription_locals);

#endif // CONFIG_MEMORY_POOL_ENABLE
