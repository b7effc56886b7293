// Listener: events for a task of asyncio, or for select, in a bounded queue of its own.
//
// The delivery pushes references into the ring under the bus's lock; who listens takes them out one by one. The Event that it
// yields is reused: it shows an event until the listener's next step.
//
// The bus knows its listeners, but does not keep them alive: one that nobody awaits or refers to, nor to its Event, is
// collected, and its finaliser ends the subscription. So the bus has its address in a form that the collector does not take for one; the
// push and the finaliser's end exclude each other by the lock.

#include "eventbus_mpy.h" // first

#include "py/mphal.h"
#include "py/objstr.h"
#include "py/stream.h"

#if CONFIG_MEMORY_POOL_ENABLE

typedef struct {
    eventbus_subscription_obj_t head;
    eventbus_event_obj_t *event;
    uint16_t depth;
    uint16_t first; // of what waits in the ring
    uint16_t waiting;
    uint8_t policy;
    mp_obj_t ring[]; // handles, as small ints: they never look like pointers
} listener_obj_t;

#define HIDE(pointer) ((void *)~(uintptr_t)(pointer))

// ---- The ring: under the bus's lock --------------------------------------------------------------------

static mempool_handle_t ring_pop(listener_obj_t *self) {
    mempool_handle_t handle = (mempool_handle_t)MP_OBJ_SMALL_INT_VALUE(self->ring[self->first]);
    self->first = self->first + 1u == self->depth ? 0 : self->first + 1;
    self->waiting--;
    return handle;
}

static mempool_handle_t push(const eventbus_item_t *item, void *hidden) {
    listener_obj_t *self = HIDE(hidden);
    mempool_handle_t out = 0;
    if (self->waiting == self->depth || (self->policy == EVENTBUS_LATEST && self->waiting != 0)) {
        self->head.last.dropped++;
        if (self->policy == EVENTBUS_DROP_NEWEST) {
            return 0;
        }
        out = ring_pop(self);
    }
    size_t at = (size_t)self->first + self->waiting;
    self->ring[at < self->depth ? at : at - self->depth] = MP_OBJ_NEW_SMALL_INT(item->handle);
    self->waiting++;
    item->header->refs++;
    return out;
}

static mempool_handle_t take(listener_obj_t *self) {
    mempool_handle_t handle = 0;
    MEMPOOL_LOCK();
    if (self->waiting != 0) {
        handle = ring_pop(self);
    }
    MEMPOOL_UNLOCK();
    return handle;
}

// ---- Life ----------------------------------------------------------------------------------------------

mp_obj_t eventbus_listener_new(eventbus_obj_t *bus, mp_obj_t pattern, unsigned depth, unsigned policy) {
    // The macro for it takes other arguments from MicroPython 1.26 on.
    listener_obj_t *self = mp_obj_malloc_with_finaliser_helper(sizeof(listener_obj_t) + depth * sizeof(mp_obj_t),
        &eventbus_type_Listener);
    self->head.bus = bus;
    self->head.pattern = pattern;
    self->head.callback = MP_OBJ_NULL;
    self->head.number = 0;
    self->head.once = false;
    self->head.last = (eventbus_counts_t){ 0, 0 };
    self->event = NULL;
    self->depth = (uint16_t)depth;
    self->first = 0;
    self->waiting = 0;
    self->policy = (uint8_t)policy;
    self->event = eventbus_event_new(false);
    self->event->listener = self; // who has the event only may use it until the next step, which then never comes
    eventbus_want_t want = { .kind = EVENTBUS_SUB_LISTENER, .push = push, .ctx = HIDE(self) };
    eventbus_subscription_begin(&self->head, &want);
    return MP_OBJ_FROM_PTR(self);
}

static void release_shown(listener_obj_t *self) {
    mempool_handle_t handle = eventbus_event_swap(self->event, 0);
    if (handle != 0) {
        eventbus_release(handle);
    }
}

// The next event, or MP_OBJ_NULL where none waits. What it showed before is over.
static mp_obj_t step(listener_obj_t *self) {
    release_shown(self);
    mempool_handle_t handle = take(self);
    if (handle == 0) {
        return MP_OBJ_NULL;
    }
    self->head.last.delivered++;
    mempool_handle_t before = eventbus_event_swap(self->event, handle);
    if (before != 0) {
        eventbus_release(before); // two threads that step at once
    }
    return MP_OBJ_FROM_PTR(self->event);
}

static void end(listener_obj_t *self) {
    eventbus_subscription_end(&self->head);
    for (mempool_handle_t handle = take(self); handle != 0; handle = take(self)) {
        eventbus_release(handle);
    }
}

// cancel(): ends it; what waits is given back, and who awaits it goes on with StopAsyncIteration
static mp_obj_t eventbus_Listener_cancel(mp_obj_t self_in) {
    listener_obj_t *self = MP_OBJ_TO_PTR(self_in);
    end(self);
    release_shown(self);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(eventbus_Listener_cancel_obj, eventbus_Listener_cancel);

static mp_obj_t eventbus_Listener___del__(mp_obj_t self_in) {
    listener_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->event == NULL) {
        return mp_const_none; // its making failed
    }
    return eventbus_Listener_cancel(self_in);
}
static MP_DEFINE_CONST_FUN_OBJ_1(eventbus_Listener___del___obj, eventbus_Listener___del__);

static mp_obj_t eventbus_Listener_self(mp_obj_t self_in) {
    return self_in;
}
static MP_DEFINE_CONST_FUN_OBJ_1(eventbus_Listener_self_obj, eventbus_Listener_self);

static mp_obj_t eventbus_Listener___exit__(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    return eventbus_Listener_cancel(args[0]);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(eventbus_Listener___exit___obj, 4, 4, eventbus_Listener___exit__);

// ---- Waiting -------------------------------------------------------------------------------------------

// get() -> the next event, or None where none waits: for who polls by select
static mp_obj_t eventbus_Listener_get(mp_obj_t self_in) {
    mp_obj_t event = step(MP_OBJ_TO_PTR(self_in));
    return event == MP_OBJ_NULL ? mp_const_none : event;
}
static MP_DEFINE_CONST_FUN_OBJ_1(eventbus_Listener_get_obj, eventbus_Listener_get);

// Puts the task that runs now to sleep until the listener can be read, as asyncio's streams do.
static void wait_in_asyncio(mp_obj_t self_in) {
    mp_map_elem_t *core = mp_map_lookup(&MP_STATE_VM(mp_loaded_modules_dict).map,
        MP_OBJ_NEW_QSTR(qstr_from_str("asyncio.core")), MP_MAP_LOOKUP);
    if (core == NULL || mp_load_attr(core->value, MP_QSTR_cur_task) == mp_const_none) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("a listener is awaited by a task of asyncio"));
    }
    mp_obj_t io_queue = mp_load_attr(core->value, MP_QSTR__io_queue);
    mp_map_t *waiting = mp_obj_dict_get_map(mp_load_attr(io_queue, MP_QSTR_map));
    if (mp_map_lookup(waiting, mp_obj_id(self_in), MP_MAP_LOOKUP) != NULL) {
        // asyncio would put this task in the other's place, and that one would wait for good.
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("another task awaits this listener"));
    }
    mp_obj_t call[3];
    mp_load_method(io_queue, MP_QSTR_queue_read, call);
    call[2] = self_in;
    mp_call_method_n_kw(1, 0, call);
}

// One step of `await listener`: ends with the event, or yields to the other tasks.
static mp_obj_t listener_iternext(mp_obj_t self_in) {
    listener_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_obj_t event = step(self);
    if (event != MP_OBJ_NULL) {
        return mp_make_stop_iteration(event);
    }
    if (self->head.number == 0) {
        mp_raise_type(&mp_type_StopAsyncIteration);
    }
    wait_in_asyncio(self_in);
    return mp_const_none;
}

// send, throw: what asyncio.wait_for() and create_task() want of an awaitable
static mp_obj_t eventbus_Listener_send(mp_obj_t self_in, mp_obj_t value) {
    (void)value;
    MP_STATE_THREAD(stop_iteration_arg) = MP_OBJ_NULL;
    if (listener_iternext(self_in) == MP_OBJ_STOP_ITERATION) {
        mp_raise_type_arg(&mp_type_StopIteration, MP_STATE_THREAD(stop_iteration_arg));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(eventbus_Listener_send_obj, eventbus_Listener_send);

static mp_obj_t eventbus_Listener_throw(mp_obj_t self_in, mp_obj_t exception) {
    (void)self_in;
    nlr_raise(mp_make_raise_obj(exception));
}
static MP_DEFINE_CONST_FUN_OBJ_2(eventbus_Listener_throw_obj, eventbus_Listener_throw);

static mp_uint_t listener_ioctl(mp_obj_t self_in, mp_uint_t request, uintptr_t arg, int *errcode) {
    const listener_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (request != MP_STREAM_POLL) {
        *errcode = MP_EINVAL;
        return MP_STREAM_ERROR;
    }
    bool readable = self->waiting != 0 || self->head.number == 0;
    return readable ? arg & MP_STREAM_POLL_RD : 0;
}

static const mp_stream_p_t listener_stream = { .ioctl = listener_ioctl };

// ---- What it says of itself ----------------------------------------------------------------------------

static void eventbus_Listener_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    const listener_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "<Listener %s, %u of %u waiting%s>", mp_obj_str_get_str(self->head.pattern),
        (unsigned)self->waiting, (unsigned)self->depth, self->head.number == 0 ? ", ended" : "");
}

static void eventbus_Listener_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    if (dest[0] != MP_OBJ_NULL) {
        return; // nothing can be stored
    }
    const listener_obj_t *self = MP_OBJ_TO_PTR(self_in);
    switch (attr) {
        case MP_QSTR_delivered:
            dest[0] = mp_obj_new_int_from_uint(self->head.last.delivered);
            break;
        case MP_QSTR_dropped:
            dest[0] = mp_obj_new_int_from_uint(eventbus_subscription_counts(&self->head).dropped);
            break;
        case MP_QSTR_pattern:
            dest[0] = self->head.pattern;
            break;
        default:
            dest[1] = MP_OBJ_SENTINEL; // a method
    }
}

static const mp_rom_map_elem_t eventbus_Listener_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_get), MP_ROM_PTR(&eventbus_Listener_get_obj) },
    { MP_ROM_QSTR(MP_QSTR_cancel), MP_ROM_PTR(&eventbus_Listener_cancel_obj) },
    { MP_ROM_QSTR(MP_QSTR___aiter__), MP_ROM_PTR(&eventbus_Listener_self_obj) },
    { MP_ROM_QSTR(MP_QSTR___anext__), MP_ROM_PTR(&eventbus_Listener_self_obj) },
    { MP_ROM_QSTR(MP_QSTR_send), MP_ROM_PTR(&eventbus_Listener_send_obj) },
    { MP_ROM_QSTR(MP_QSTR_throw), MP_ROM_PTR(&eventbus_Listener_throw_obj) },
    { MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&eventbus_Listener_self_obj) },
    { MP_ROM_QSTR(MP_QSTR___exit__), MP_ROM_PTR(&eventbus_Listener___exit___obj) },
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&eventbus_Listener___del___obj) },
};
static MP_DEFINE_CONST_DICT(eventbus_Listener_locals, eventbus_Listener_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(eventbus_type_Listener, MP_QSTR_Listener, MP_TYPE_FLAG_ITER_IS_ITERNEXT, print,
    eventbus_Listener_print, attr, eventbus_Listener_attr, iter, listener_iternext, protocol, &listener_stream,
    locals_dict, &eventbus_Listener_locals);

#endif // CONFIG_MEMORY_POOL_ENABLE
