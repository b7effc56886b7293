// eventbus_mpy.h - what the files of the Python binding of the bus share.

#ifndef EVENTBUS_MPY_H
#define EVENTBUS_MPY_H

#include "mempool_port.h" // first: it chooses what the system's headers declare

#include <string.h>

#include "py/obj.h"
#include "py/runtime.h"

#include "eventbus_core.h"
#include "mempool_blocks.h"

#define EVENTBUS_MPY_NORETURN __attribute__((noreturn))

// ---- The bus (obj_eventbus.c) --------------------------------------------------------------------------

typedef struct _eventbus_obj_t {
    mp_obj_base_t base;
    eventbus_t *core;
    struct _eventbus_event_obj_t *event; // the one that callbacks get
    mp_obj_t filter;                     // None: none
    mp_obj_t on_error;                   // None: printed
    struct _eventbus_obj_t *next;        // of the buses that have subscriptions
    uint32_t turn;                       // of the scheduler's node that served it last
    uint16_t listed;                     // subscriptions; 0: not in that list
    struct _eventbus_subscription_obj_t *subs[EVENTBUS_SUBSCRIBERS];
} eventbus_obj_t;

extern const mp_obj_type_t eventbus_type_EventBus;

eventbus_obj_t *eventbus_new_default(void);

// One subscription more or less: while a bus has some, it lives. What still waits for the last one is given back.
void eventbus_list_add(eventbus_obj_t *bus);
void eventbus_list_remove(eventbus_obj_t *bus);

// A turn of the scheduler's node, and the buses to serve in it, each once and none that is younger; NULL: no more.
void eventbus_turn_begin(void);
eventbus_obj_t *eventbus_turn_next(void);

// ---- publish (publish.c) -------------------------------------------------------------------------------

// Between two bytecodes of the VM: where the ringing of the bell cannot keep the VM from going on.
bool eventbus_in_vm(void);

MP_DECLARE_CONST_FUN_OBJ_KW(eventbus_EventBus_publish_obj);
MP_DECLARE_CONST_FUN_OBJ_2(eventbus_EventBus_block_obj);

// ---- Events (obj_event.c, obj_raw.c) -------------------------------------------------------------------

typedef struct _eventbus_event_obj_t {
    mp_obj_base_t base;
    volatile mempool_handle_t handle; // 0: no event
    bool kept;                        // it holds a reference of its own
    void *listener;                   // that releases what it shows, and so has to live as long; NULL: none
} eventbus_event_obj_t;

extern const mp_obj_type_t eventbus_type_Event;
eventbus_event_obj_t *eventbus_event_new(bool kept);

// Makes an Event show another event, or none (0) -> the one it showed. Of several at once each gets another.
mempool_handle_t eventbus_event_swap(eventbus_event_obj_t *event, mempool_handle_t handle);

extern const mp_obj_type_t eventbus_type_Raw;
mp_obj_t eventbus_raw_new(eventbus_event_obj_t *event, const eventbus_item_t *item);
EVENTBUS_MPY_NORETURN void eventbus_raise_over(void);

// ---- Payloads (encode.c, decode.c) ---------------------------------------------------------------------

// Writes a value, or fields; TypeError and ValueError for what events do not carry, before anything is written for good.
// The writer may only measure.
void eventbus_encode(eventbus_cbor_writer_t *w, mp_obj_t value);
void eventbus_encode_fields(eventbus_cbor_writer_t *w, const mp_map_t *fields, size_t n_fields);

// Whether a keyword of publish is a field, and not one of its parameters.
bool eventbus_is_field(mp_obj_t key);

// The item at `at` as an object; *next: what comes behind it.
mp_obj_t eventbus_decode(const uint8_t *at, const uint8_t *end, const uint8_t **next);

// ---- Subscriptions (obj_subscription.c, obj_listener.c) ------------------------------------------------

typedef struct _eventbus_subscription_obj_t {
    mp_obj_base_t base;
    eventbus_obj_t *bus;
    mp_obj_t pattern;    // the core has its bytes
    mp_obj_t callback;   // of a listener: none
    volatile int number; // 0: ended
    bool once;
    eventbus_counts_t last; // its counts when it ended; a listener's own beside the core's
} eventbus_subscription_obj_t;

extern const mp_obj_type_t eventbus_type_Subscription;
extern const mp_obj_type_t eventbus_type_Listener;

mp_obj_t eventbus_subscription_new(eventbus_obj_t *bus, mp_obj_t pattern, mp_obj_t callback, bool once);

enum {
    EVENTBUS_DROP_NEWEST,
    EVENTBUS_DROP_OLDEST,
    EVENTBUS_LATEST,
};

mp_obj_t eventbus_listener_new(eventbus_obj_t *bus, mp_obj_t pattern, unsigned depth, unsigned policy);

// What the two have in common: begins with `want` as it is but for the pattern; ends, true for the first to do so.
void eventbus_subscription_begin(eventbus_subscription_obj_t *self, eventbus_want_t *want);
bool eventbus_subscription_end(eventbus_subscription_obj_t *self);
eventbus_counts_t eventbus_subscription_counts(const eventbus_subscription_obj_t *self);

// ---- Delivery (deliver.c) ------------------------------------------------------------------------------

// Calls subscribers until nothing waits, `max_us` have passed or `max_events` were delivered -> deliveries. 0 where a
// delivery runs or the bus is paused. What asks the program to end (KeyboardInterrupt, SystemExit) ends it:
// *ends is that exception, or MP_OBJ_NULL.
size_t eventbus_deliver(eventbus_obj_t *bus, uint32_t max_us, size_t max_events, mp_obj_t *ends);

// The scheduler's node: rung by the core.
void eventbus_bell(void);

// ---- The end of a life (reset.c) -----------------------------------------------------------------------

MP_DECLARE_CONST_FUN_OBJ_0(eventbus___init___obj);

#endif // EVENTBUS_MPY_H
