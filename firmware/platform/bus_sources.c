// `_platform`'s part for the event bus: producers in interrupts, and CBOR from C. The same Python calls on every target; what
// differs is in bus_machine_*.c.

#include "py/mperrno.h"
#include "py/runtime.h"

#include "bus_sources.h"
#include "eventbus.h"
#include "eventbus_source.h"
#include "sdkconfig.h"

#if CONFIG_MEMORY_POOL_ENABLE

static eventbus_source_t timer_source;
static eventbus_source_t line_source;
static volatile bool line_level;

static PLATFORM_ISR void fire_timer(void) {
    eventbus_source_fire(&timer_source, bus_machine_us(), false);
}

static PLATFORM_ISR void fire_line(int level) {
    line_level = level < 0 ? !line_level : level != 0;
    eventbus_source_fire(&line_source, bus_machine_us(), line_level);
}

static void check(int status) {
    if (status < 0) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("eventbus says %d"), status);
    }
}

// source_timer(topic, period_us, priority=2): an event every period_us from an interrupt
static mp_obj_t platform_source_timer(size_t n_args, const mp_obj_t *args) {
    mp_int_t period_us = mp_obj_get_int(args[1]);
    if (period_us < 1) {
        mp_raise_ValueError(MP_ERROR_TEXT("period_us must be positive"));
    }
    bus_machine_timer(NULL, 0);
    check(eventbus_source_open(&timer_source, mp_obj_str_get_str(args[0]),
        n_args > 2 ? (eventbus_priority_t)mp_obj_get_int(args[2]) : EVENTBUS_NORMAL));
    if (!bus_machine_timer(fire_timer, (uint32_t)period_us)) {
        mp_raise_OSError(MP_EIO);
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(platform_source_timer_obj, 2, 3, platform_source_timer);

// source_edge(topic, priority=2, pin=None): an event for each edge of a pin of an ESP32 that machine.Pin has set up; without a pin,
// for each edge(), its level by turns 1 and 0
static mp_obj_t platform_source_edge(size_t n_args, const mp_obj_t *args) {
    mp_int_t pin = n_args > 2 && args[2] != mp_const_none ? mp_obj_get_int(args[2]) : BUS_MACHINE_NO_PIN;
    bus_machine_line(NULL, BUS_MACHINE_NO_PIN);
    line_level = false;
    check(eventbus_source_open(&line_source, mp_obj_str_get_str(args[0]),
        n_args > 1 ? (eventbus_priority_t)mp_obj_get_int(args[1]) : EVENTBUS_NORMAL));
    if (!bus_machine_line(fire_line, (int)pin)) {
        mp_raise_OSError(pin == BUS_MACHINE_NO_PIN ? MP_EIO : MP_ENODEV); // no such pin
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(platform_source_edge_obj, 1, 3, platform_source_edge);

// edge(n=1): triggers the line n times; nothing where it is not armed
static mp_obj_t platform_edge(size_t n_args, const mp_obj_t *args) {
    mp_int_t n = n_args > 0 ? mp_obj_get_int(args[0]) : 1;
    while (n > 0) {
        bus_machine_trigger();
        n -= 1;
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(platform_edge_obj, 0, 1, platform_edge);

static mp_obj_t counts_of(const eventbus_source_t *source) {
    eventbus_source_counts_t counts;
    eventbus_source_counts(source, &counts);
    mp_obj_t items[] = {
        mp_obj_new_int_from_uint(counts.fired),
        mp_obj_new_int_from_uint(counts.published),
        mp_obj_new_int_from_uint(counts.lost),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}

// source_stop() -> (fired, published, lost) of the timer, and of the line
static mp_obj_t platform_source_stop(void) {
    bus_machine_timer(NULL, 0);
    bus_machine_line(NULL, BUS_MACHINE_NO_PIN);
    mp_obj_t items[] = { counts_of(&timer_source), counts_of(&line_source) };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
MP_DEFINE_CONST_FUN_OBJ_0(platform_source_stop_obj, platform_source_stop);

// publish(topic, priority, payload) -> eventbus_publish's status
static mp_obj_t platform_publish(mp_obj_t topic, mp_obj_t priority, mp_obj_t payload) {
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(payload, &buffer, MP_BUFFER_READ);
    return MP_OBJ_NEW_SMALL_INT(eventbus_publish(mp_obj_str_get_str(topic),
        (eventbus_priority_t)mp_obj_get_int(priority), buffer.buf, buffer.len));
}
MP_DEFINE_CONST_FUN_OBJ_3(platform_publish_obj, platform_publish);

#endif // CONFIG_MEMORY_POOL_ENABLE
