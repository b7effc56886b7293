// Event sources on ESP32: a hardware timer, and a line. The line is a GPIO, shared with machine.Pin by the interrupt service that
// MicroPython has installed at its start; without a pin it is a second hardware timer that fires once for each trigger, so
// that tests need no wire (and an emulator no GPIO).
//
// The timers are IDF's to give: the first that are free, machine.Timer(0) and (1), which does not ask IDF and must not be used
// beside them. They are kept once they were taken. The callbacks lie in IRAM; whether they run while the flash is written
// depends on CONFIG_GPTIMER_ISR_IRAM_SAFE (v5.5: _CACHE_SAFE), the line's on the flags of MicroPython's service (they wait).

#include "eventbus_port.h" // first

#include "driver/gpio.h"
#include "driver/gptimer.h"

#include "bus_sources.h"

// A callback that runs while the flash is written must not set its alarm from there.
#if (CONFIG_GPTIMER_ISR_IRAM_SAFE || CONFIG_GPTIMER_ISR_CACHE_SAFE) && !CONFIG_GPTIMER_CTRL_FUNC_IN_IRAM
#error "CONFIG_GPTIMER_ISR_IRAM_SAFE (v5.5: _CACHE_SAFE) needs CONFIG_GPTIMER_CTRL_FUNC_IN_IRAM=y"
#endif

#define RESOLUTION_HZ 1000000u
#define TRIGGER_US 20u
#define TRIGGER_WAIT_US 2000u
#define TRIGGER_TRIES 10u

static gptimer_handle_t timer;
static bool timer_runs;
static uint32_t timer_period_us;
static void (*timer_fn)(void);

static int line_pin = BUS_MACHINE_NO_PIN;
static gptimer_handle_t line_timer;
static bool line_armed;
static void (*line_fn)(int level);
static volatile uint32_t line_count;

MEMPOOL_HOT uint32_t bus_machine_us(void) {
    return eventbus_port_us();
}

static MEMPOOL_HOT bool on_timer(gptimer_handle_t handle, const gptimer_alarm_event_data_t *event, void *ctx) {
    (void)ctx;
    // The next alarm, a period after this one. An alarm that the counter has passed when it is set may never come (in the
    // emulator it does not), so one that is late is put off; and whether it was set in time is looked at.
    gptimer_alarm_config_t alarm = { .alarm_count = event->alarm_value + timer_period_us };
    uint64_t now = event->count_value;
    do {
        if (alarm.alarm_count <= now) {
            alarm.alarm_count = now + timer_period_us;
        }
        gptimer_set_alarm_action(handle, &alarm);
    } while (gptimer_get_raw_count(handle, &now) == ESP_OK && now >= alarm.alarm_count);
    timer_fn();
    return false; // who was woken was told so on the way
}

static MEMPOOL_HOT bool on_line_timer(gptimer_handle_t handle, const gptimer_alarm_event_data_t *event, void *ctx) {
    (void)handle;
    (void)event;
    (void)ctx;
    line_fn(-1);
    line_count += 1;
    return false;
}

static void on_pin(void *ctx) {
    (void)ctx;
    line_fn(gpio_get_level((gpio_num_t)line_pin));
    line_count += 1;
}

static bool make(gptimer_handle_t *handle, gptimer_alarm_cb_t callback) {
    if (*handle != NULL) {
        return true;
    }
    gptimer_config_t config = {
        .clk_src = GPTIMER_CLK_SRC_DEFAULT,
        .direction = GPTIMER_COUNT_UP,
        .resolution_hz = RESOLUTION_HZ,
    };
    gptimer_event_callbacks_t callbacks = { .on_alarm = callback };
    gptimer_handle_t made;
    if (gptimer_new_timer(&config, &made) != ESP_OK) {
        return false;
    }
    if (gptimer_register_event_callbacks(made, &callbacks, NULL) != ESP_OK || gptimer_enable(made) != ESP_OK) {
        gptimer_del_timer(made);
        return false;
    }
    *handle = made;
    return true;
}

bool bus_machine_timer(void (*fn)(void), uint32_t period_us) {
    if (timer_runs) {
        gptimer_stop(timer); // its interrupt is on this core: it does not run now
        timer_runs = false;
    }
    if (period_us == 0) {
        return true;
    }
    timer_fn = fn;
    timer_period_us = period_us;
    gptimer_alarm_config_t alarm = { .alarm_count = period_us };
    timer_runs = make(&timer, on_timer) && gptimer_set_raw_count(timer, 0) == ESP_OK &&
                 gptimer_set_alarm_action(timer, &alarm) == ESP_OK && gptimer_start(timer) == ESP_OK;
    return timer_runs;
}

// Direction and pull are as machine.Pin has set them; its own irq() of this pin ends.
static bool arm_pin(int pin) {
    return gpio_set_intr_type((gpio_num_t)pin, GPIO_INTR_ANYEDGE) == ESP_OK &&
           gpio_isr_handler_add((gpio_num_t)pin, on_pin, NULL) == ESP_OK;
}

bool bus_machine_line(void (*fn)(int level), int pin) {
    if (line_armed && line_pin != BUS_MACHINE_NO_PIN) {
        gpio_isr_handler_remove((gpio_num_t)line_pin);
        gpio_set_intr_type((gpio_num_t)line_pin, GPIO_INTR_DISABLE);
    } else if (line_armed) {
        gptimer_stop(line_timer);
    }
    line_armed = false;
    if (fn == NULL) {
        return true;
    }
    line_fn = fn;
    line_pin = pin;
    if (pin != BUS_MACHINE_NO_PIN) {
        // The macro shifts 64 bits.
        line_armed = pin < 64 && GPIO_IS_VALID_GPIO(pin) && arm_pin(pin);
    } else {
        line_armed = make(&line_timer, on_line_timer) && gptimer_set_alarm_action(line_timer, NULL) == ESP_OK &&
                     gptimer_start(line_timer) == ESP_OK;
    }
    return line_armed;
}

static bool fired(uint32_t before, uint32_t wait_us) {
    uint32_t start_us = bus_machine_us();
    while (line_count == before && bus_machine_us() - start_us < wait_us) {
    }
    return line_count != before;
}

// An input does not move by this, and the wait ends by itself. An alarm that the counter passed before it was set is taken
// back, so that it cannot come twice, and set again.
void bus_machine_trigger(void) {
    if (!line_armed) {
        return;
    }
    uint32_t before = line_count;
    if (line_pin != BUS_MACHINE_NO_PIN) {
        gpio_set_level((gpio_num_t)line_pin, gpio_get_level((gpio_num_t)line_pin) == 0);
        fired(before, TRIGGER_WAIT_US * TRIGGER_TRIES);
        return;
    }
    for (uint32_t tries = 0; tries < TRIGGER_TRIES; ++tries) {
        gptimer_alarm_config_t alarm = { .alarm_count = TRIGGER_US << tries };
        gptimer_set_raw_count(line_timer, 0);
        gptimer_set_alarm_action(line_timer, &alarm);
        if (fired(before, (TRIGGER_US << tries) + TRIGGER_WAIT_US)) {
            return;
        }
        gptimer_set_alarm_action(line_timer, NULL);
        if (fired(before, TRIGGER_US)) {
            return;
        }
    }
}
