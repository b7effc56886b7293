// port_esp32_task.h - the bus's task under ESP-IDF: a FreeRTOS task of its own, above MicroPython's, woken by notification. It
// runs on the core that MicroPython's does not use, where there are two, so that no garbage collection delays it.

#ifndef EVENTBUS_PORT_ESP32_H
#define EVENTBUS_PORT_ESP32_H

#include "esp_task.h"
#include "esp_timer.h"

void eventbus_task_run(void);

#define EVENTBUS_ESP32_STACK 3072u // bytes
#define EVENTBUS_ESP32_PRIORITY (ESP_TASK_PRIO_MIN + 2)
#define EVENTBUS_ESP32_CORE 0 // MicroPython's tasks are pinned to core 1 where there are two

__attribute__((weak)) DRAM_ATTR TaskHandle_t eventbus_esp32_task;
__attribute__((weak)) DRAM_ATTR volatile bool eventbus_esp32_later;

// Both read the system timer; in IRAM, and good in interrupts.
MEMPOOL_PORT_INLINE uint32_t eventbus_port_us(void) {
    return (uint32_t)esp_timer_get_time();
}

MEMPOOL_PORT_INLINE uint32_t eventbus_port_ms(void) {
    return (uint32_t)(esp_timer_get_time() / 1000);
}

MEMPOOL_PORT_INLINE void eventbus_port_wake(void) {
    if (eventbus_esp32_task == NULL) {
        return;
    }
    if (xPortInIsrContext()) {
        BaseType_t woken = pdFALSE;
        vTaskNotifyGiveFromISR(eventbus_esp32_task, &woken);
        portYIELD_FROM_ISR(woken);
    } else {
        xTaskNotifyGive(eventbus_esp32_task);
    }
}

// The task looks at the flag before it sleeps, and sleeps a tick where it is set: so only others have to wake it, once.
MEMPOOL_PORT_INLINE void eventbus_port_later(void) {
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

static void eventbus_esp32_main(void *unused) {
    (void)unused;
    for (;;) {
        ulTaskNotifyTake(pdTRUE, eventbus_esp32_later ? 1 : portMAX_DELAY);
        eventbus_esp32_later = false;
        eventbus_task_run();
    }
}

static inline void eventbus_port_start(void) {
    xTaskCreatePinnedToCore(eventbus_esp32_main, "eventbus", EVENTBUS_ESP32_STACK, NULL, EVENTBUS_ESP32_PRIORITY,
        &eventbus_esp32_task, EVENTBUS_ESP32_CORE);
}

#define eventbus_port_vm_is_here() ((void)0)
#define eventbus_port_vm_awake() ((void)0)
#define eventbus_port_wake_vm() ((void)0) // MicroPython's scheduler wakes its task

#endif // EVENTBUS_PORT_ESP32_H
