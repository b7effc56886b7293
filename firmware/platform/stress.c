// `_platform.stress(ms)`: pools and bus from everywhere at once. A hand (hand.h) for a task on each core there is and one for a timer
// interrupt; each of them publishes at every fourth turn, and a C subscriber counts what the bus's task delivers. Then what
// each did has to add up to what pools and bus say.
//
// On the emulated boards and unix there are no tasks of this kind: the interrupt (unix: a thread) plays against the caller's
// own hand, which is the program.

#include "eventbus_port.h" // first

#include <string.h>

#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"

#include "bus_sources.h"
#include "eventbus.h"
#include "eventbus_cbor.h"
#include "hand.h"
#include "sdkconfig.h"

#if CONFIG_MEMORY_POOL_ENABLE

#if defined(ESP_PLATFORM)
#define TASKS portNUM_PROCESSORS
#define TASK_STACK 3072
#define TASK_PRIORITY 1 // MicroPython's own
#else
#define TASKS 1
#endif
#define HANDS (TASKS + 1u) // the last one is the interrupt's
#define PERIOD_US 200
#define PAYLOAD_BYTES 12u

typedef struct {
    hand_t hand;
    uint32_t published;
    uint32_t lost; // publishes that found no slot or no block
} player_t;

static struct {
    player_t players[HANDS];
    int topic;
    mempool_word_t delivered; // counted by the bus's task
    mempool_word_t damaged;   // events that did not hold what was published
    mempool_word_t running;   // tasks
    volatile bool stop;
} stress;

// The payload is a byte string whose bytes are all the same.
static MEMPOOL_HOT void player_turn(player_t *player) {
    hand_turn(&player->hand);
    if ((player->hand.turns & 3u) != 0) {
        return;
    }
    uint8_t bytes[PAYLOAD_BYTES + 1];
    bytes[0] = (uint8_t)(EVENTBUS_CBOR_BYTES << 5 | PAYLOAD_BYTES);
    memset(bytes + 1, (int)(player->hand.random & 255u), PAYLOAD_BYTES);
    if (eventbus_publish_from_isr(stress.topic, EVENTBUS_NORMAL, bytes, sizeof(bytes)) == EVENTBUS_OK) {
        player->published += 1;
    } else {
        player->lost += 1;
    }
}

static PLATFORM_ISR void interrupt(void) {
    player_turn(&stress.players[HANDS - 1u]);
}

static void count(const eventbus_event_t *event, void *ctx) {
    (void)ctx;
    const uint8_t *bytes = event->payload;
    bool good = event->length == PAYLOAD_BYTES + 1u;
    for (uint32_t i = 2; good && i < event->length; ++i) {
        good = bytes[i] == bytes[1];
    }
    mempool_poke(&stress.delivered, mempool_peek(&stress.delivered) + 1u);
    mempool_poke(&stress.damaged, mempool_peek(&stress.damaged) + !good);
}

#if defined(ESP_PLATFORM)

static void task(void *ctx) {
    player_t *player = ctx;
    while (!stress.stop) {
        for (unsigned n = 0; n < 200; ++n) {
            player_turn(player);
        }
        vTaskDelay(1); // the idle task is watched, and MicroPython has this priority, too
    }
    MEMPOOL_LOCK();
    mempool_poke(&stress.running, mempool_peek(&stress.running) - 1u);
    MEMPOOL_UNLOCK();
    vTaskDelete(NULL);
}

static void play(mp_uint_t ms) {
    static const char name[] = "stress";
    for (unsigned core = 0; core < TASKS; ++core) {
        MEMPOOL_LOCK();
        mempool_poke(&stress.running, mempool_peek(&stress.running) + 1u);
        MEMPOOL_UNLOCK();
        if (xTaskCreatePinnedToCore(task, name, TASK_STACK, &stress.players[core], TASK_PRIORITY, NULL, (BaseType_t)core) != pdPASS) {
            MEMPOOL_LOCK();
            mempool_poke(&stress.running, mempool_peek(&stress.running) - 1u);
            MEMPOOL_UNLOCK();
        }
    }
    mp_hal_delay_ms(ms);
    stress.stop = true;
    while (mempool_peek(&stress.running) != 0) {
        vTaskDelay(1);
    }
}

#else

static void play(mp_uint_t ms) {
    mp_uint_t start = mp_hal_ticks_ms();
    while (mp_hal_ticks_ms() - start < ms) {
        player_turn(&stress.players[0]);
    }
}

#endif

// The exceptions of a delay (Ctrl-C) must not leave tasks behind.
static void play_safely(mp_uint_t ms) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        play(ms);
        nlr_pop();
        bus_machine_timer(NULL, 0);
        return;
    }
    bus_machine_timer(NULL, 0);
    stress.stop = true;
    while (mempool_peek(&stress.running) != 0) {
        mempool_port_sleep_ms(10);
    }
    nlr_jump(nlr.ret_val);
}

// stress(ms) -> (players, turns, takes, exhausted, published, delivered, lost, errors): players are tasks and one interrupt, each
// of which had its turns. errors: of hand.h, damaged events, and sums that do not agree; 0 is health.
static mp_obj_t platform_stress(mp_obj_t ms_in) {
    mp_int_t ms = mp_obj_get_int(ms_in);
    static const char topic[] = "_platform.stress";
    if (ms < 1) {
        mp_raise_ValueError(MP_ERROR_TEXT("ms must be positive"));
    }
    mempool_init();
    memset(&stress, 0, sizeof(stress));
    for (unsigned i = 0; i < HANDS; ++i) {
        stress.players[i].hand.random = 2463534242u + i * 7919u;
    }
    int subscription = eventbus_subscribe(topic, count, NULL);
    stress.topic = eventbus_topic(topic);
    if (subscription < 0 || stress.topic < 0) {
        mp_raise_msg_varg(&mp_type_RuntimeError, MP_ERROR_TEXT("eventbus says %d"), subscription < 0 ? subscription : stress.topic);
    }
    if (!bus_machine_timer(interrupt, PERIOD_US)) {
        eventbus_unsubscribe(subscription);
        mp_raise_OSError(MP_EIO);
    }
    play_safely((mp_uint_t)ms);

    // What is published is delivered, or has made way.
    player_t all = { 0 };
    uint32_t errors = 0;
    for (unsigned i = 0; i < HANDS; ++i) {
        player_t *player = &stress.players[i];
        (void)hand_empty(&player->hand);
        errors += player->hand.errors + (player->hand.turns == 0) + (player->hand.takes != player->hand.gives);
        all.hand.turns += player->hand.turns;
        all.hand.takes += player->hand.takes;
        all.hand.exhausted += player->hand.exhausted;
        all.published += player->published;
        all.lost += player->lost;
    }
    eventbus_counts_t counts = { 0 };
    for (unsigned tries = 0; tries < 200; ++tries) {
        eventbus_counts(subscription, &counts);
        if (mempool_peek(&stress.delivered) + counts.dropped == all.published) {
            break;
        }
        mp_hal_delay_ms(5);
    }
    eventbus_unsubscribe(subscription);
    uint32_t delivered = mempool_peek(&stress.delivered);
    errors += delivered != counts.delivered;
    errors += delivered + counts.dropped != all.published;
    errors += mempool_peek(&stress.damaged);
    errors += mempool_check();
    mp_obj_t items[] = {
        mp_obj_new_int_from_uint(HANDS),
        mp_obj_new_int_from_uint(all.hand.turns),
        mp_obj_new_int_from_uint(all.hand.takes),
        mp_obj_new_int_from_uint(all.hand.exhausted),
        mp_obj_new_int_from_uint(all.published),
        mp_obj_new_int_from_uint(delivered),
        mp_obj_new_int_from_uint(all.lost),
        mp_obj_new_int_from_uint(errors),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
MP_DEFINE_CONST_FUN_OBJ_1(platform_stress_obj, platform_stress);

#endif // CONFIG_MEMORY_POOL_ENABLE
