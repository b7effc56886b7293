// port_esp32_task.h - the bus's task under ESP-IDF: a FreeRTOS task of its own, above MicroPython's, woken by notification.
//
// It runs on core 0: where there are two cores MicroPython's tasks are pinned to core 1, so that neither a garbage collection nor
// a busy program delays it. On core 0 it shares with Wi-Fi, Bluetooth and IDF's timers, whose tasks are above it.

#ifndef EVENTBUS_PORT_ESP32_H
#define EVENTBUS_PORT_ESP32_H

#include "esp_timer.h"

#include "sdkconfig.h"

void eventbus_task_run(void);

#define EVENTBUS_ESP32_CORE 0

_Static_assert(CONFIG_MEMORY_POOL_EVENT_TASK_PRIORITY < configMAX_PRIORITIES,
    "CONFIG_MEMORY_POOL_EVENT_TASK_PRIORITY must be below configMAX_PRIORITIES");

__attribute__((weak)) TaskHandle_t eventbus_esp32_task;
__attribute__((weak)) volatile bool eventbus_esp32_later;

// Both read the system timer; in IRAM, and good in interrupts. The division is in ROM.
MEMPOOL_PORT_INLINE uint32_t eventbus_port_us(void) {
    return (uint32_t)esp_timer_get_time();
}

MEMPOOL_PORT_INLINE uint32_t eventbus_port_ms(void) {
    return (uint32_t)(esp_timer_get_time() / 1000);
}

// xTaskNotifyGive may lie in flash (FREERTOS_PLACE_FUNCTIONS_INTO_FLASH, set by MicroPython's boards with PSRAM), as it may: tasks
// do not run while it is written. Weak as the variables are: one copy is linked.
__attribute__((weak, noinline)) MEMPOOL_HOT void eventbus_port_wake(void) {
    if (eventbus_esp32_task == NULL) {
        return;
    }
    if (xPortInIsrContext()) {
        BaseType_t woken = pdFALSE;
        vTaskNotifyGiveFromISR(eventbus_esp32_task, &woken);
        if (woken != pdFALSE) {
            portYIELD_FROM_ISR();
        }
    } else {
        xTaskNotifyGive(eventbus_esp32_task);
    }
}

// The task looks at the flag before it sleeps, and sleeps a tick where it is set: so only others have to wake it, once.
__attribute__((weak, noinline)) MEMPOOL_HOT void eventbus_port_later(void) {
    if (!eventbus_esp32_later) {
        eventbus_esp32_later = true;
        if (xPortInIsrContext() || xTaskGetCurrentTaskHandle() != eventbus_esp32_task) {
            eventbus_port_wake();
        }
    }
}

#define eventbus_port_more() eventbus_port_wake()

static inline bool eventbus_port_in_task(void) {
    return xTaskGetCurrentTaskHandle() == eventbus_esp32_task;
}

static inline void eventbus_port_pause(void) {
    vTaskDelay(1);
}

static inline void eventbus_esp32_main(void *unused) {
    (void)unused;
    for (;;) {
        ulTaskNotifyTake(pdTRUE, eventbus_esp32_later ? 1 : portMAX_DELAY);
        eventbus_esp32_later = false;
        eventbus_task_run();
    }
}

// IDF counts stacks in bytes.
static inline bool eventbus_port_start(void) {
    return xTaskCreatePinnedToCore(eventbus_esp32_main, "eventbus", CONFIG_MEMORY_POOL_EVENT_TASK_STACK, NULL,
               CONFIG_MEMORY_POOL_EVENT_TASK_PRIORITY, &eventbus_esp32_task, EVENTBUS_ESP32_CORE) == pdPASS;
}

// MicroPython's scheduler does not wake its task by itself, which sleeps up to a tick at a time. Good in tasks, too.
void mp_hal_wake_main_task_from_isr(void);

#define eventbus_port_vm_is_here() ((void)0)
#define eventbus_port_vm_awake() ((void)0)
#define eventbus_port_wake_vm() mp_hal_wake_main_task_from_isr()

#endif // EVENTBUS_PORT_ESP32_H
