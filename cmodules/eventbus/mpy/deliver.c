// Delivery to Python: one node of the scheduler for all buses, and the loop that calls the subscribers.
//
// The node does bounded work and never arms itself; what is left is rung for by the core, 1 ms later or by the program's next
// publish. No exception leaves it, because that would leave MicroPython 1.25's scheduler locked for good: what asks
// the program to end is handed to the program, everything else goes to on_error.

#include "eventbus_mpy.h" // first

#include "py/mphal.h"

#if CONFIG_MEMORY_POOL_ENABLE

#define NODE_US 2000u // that the scheduler's node spends on a bus before the program goes on

// ---- Errors --------------------------------------------------------------------------------------------

static mp_obj_t print_error(const eventbus_subscription_obj_t *sub, mp_obj_t exception) {
    return mempool_report("eventbus: subscriber of %s:\n", mp_obj_str_get_str(sub->pattern), exception);
}

// -> what asks the program to end, or MP_OBJ_NULL
static mp_obj_t report(const eventbus_obj_t *bus, eventbus_subscription_obj_t *sub, mp_obj_t exception) {
    if (bus->on_error == mp_const_none || mempool_asks_to_end(exception)) {
        return print_error(sub, exception);
    }
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_call_function_2(bus->on_error, MP_OBJ_FROM_PTR(sub), exception);
        nlr_pop();
        return MP_OBJ_NULL;
    }
    mp_obj_t second = MP_OBJ_FROM_PTR(nlr.ret_val);
    if (mempool_asks_to_end(second)) {
        return second;
    }
    mp_obj_t end = print_error(sub, exception);
    mp_obj_t second_end = print_error(sub, second);
    return end != MP_OBJ_NULL ? end : second_end;
}

// ---- Calls ---------------------------------------------------------------------------------------------

static mp_obj_t call(eventbus_obj_t *bus, int number) {
    eventbus_subscription_obj_t *sub = bus->subs[EVENTBUS_SUB_INDEX(number)];
    if (sub == NULL || sub->number != number) {
        return MP_OBJ_NULL; // another thread cancels it at this moment
    }
    if (sub->once && !eventbus_subscription_end(sub)) {
        return MP_OBJ_NULL;
    }
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_call_function_1(sub->callback, MP_OBJ_FROM_PTR(bus->event));
        nlr_pop();
        return MP_OBJ_NULL;
    }
    return report(bus, sub, MP_OBJ_FROM_PTR(nlr.ret_val));
}

size_t eventbus_deliver(eventbus_obj_t *bus, uint32_t max_us, size_t max_events, mp_obj_t *ends) {
    *ends = MP_OBJ_NULL;
    if (!eventbus_deliver_begin(bus->core)) {
        return 0;
    }
    uint32_t start_us = eventbus_port_us();
    size_t deliveries = 0;
    eventbus_item_t item;
    for (size_t n = 0; n < max_events && *ends == MP_OBJ_NULL && !bus->core->paused; n++) {
        if ((n > 0 && eventbus_port_us() - start_us >= max_us) || !eventbus_next(bus->core, EVENTBUS_LANE_PYTHON, &item)) {
            break;
        }
        eventbus_callee_t callee = { 0 };
        eventbus_event_swap(bus->event, item.handle);
        while (eventbus_next_callee(bus->core, EVENTBUS_LANE_PYTHON, &item, &callee)) {
            mp_obj_t end = call(bus, callee.subscription);
            *ends = *ends == MP_OBJ_NULL ? end : *ends; // the others still get this event
            deliveries++;
        }
        deliveries += callee.pushed;
        eventbus_event_swap(bus->event, 0);
        eventbus_release(item.handle);
    }
    eventbus_deliver_end(bus->core);
    return deliveries;
}

// ---- The node ------------------------------------------------------------------------------------------

static mp_sched_node_t node;

static void run_node(mp_sched_node_t *self) {
    (void)self;
    eventbus_port_vm_awake();
    // Armed in an earlier life there are no buses, and nothing happens.
    mp_obj_t first = MP_OBJ_NULL;
    eventbus_turn_begin();
    for (eventbus_obj_t *bus = eventbus_turn_next(); bus != NULL; bus = eventbus_turn_next()) {
        mp_obj_t ends;
        eventbus_deliver(bus, NODE_US, bus->core->size, &ends);
        first = first == MP_OBJ_NULL ? ends : first;
    }
    if (first != MP_OBJ_NULL) {
        mp_sched_exception(first);
    }
}

void eventbus_bell(void) {
    mp_sched_schedule_node(&node, run_node);
    eventbus_port_wake_vm();
}

#endif // CONFIG_MEMORY_POOL_ENABLE
