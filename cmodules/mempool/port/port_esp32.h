// port_esp32.h - Espressif's chips under ESP-IDF (FreeRTOS). Chips with a compare-and-set (ESP32, S3: S32C1I; C6, H2, P4: the A
// extension) use esp_cpu_compare_and_set; C3, C2 and S2 have none, and mask interrupts around each operation.
//
// S32C1I is only true in internal RAM, so words and tables are placed there explicitly, and code that interrupts run
// lies in IRAM: take and give work while the flash is being written. Written against IDF v5.4's public headers.

#ifndef MEMPOOL_PORT_ESP32_H
#define MEMPOOL_PORT_ESP32_H

#include "esp_attr.h"
#include "esp_cpu.h"
#include "esp_heap_caps.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "soc/soc_caps.h"

#define MEMPOOL_SINGLE_CORE 0
#define MEMPOOL_HOT IRAM_ATTR
#define MEMPOOL_FAST DRAM_ATTR
#define MEMPOOL_PAYLOAD DRAM_ATTR
#define MEMPOOL_PORT_INLINE static inline __attribute__((always_inline)) // a copy of its own would lie in flash
#define MEMPOOL_TICK_MS ((uint32_t)portTICK_PERIOD_MS)

// IDF's own test for a core without a CAS instruction, as in esp_cpu.c.
#if defined(__XTENSA__)
#include "xtensa/config/core-isa.h"
#define MEMPOOL_ESP32_HAS_CAS XCHAL_HAVE_S32C1I
#elif defined(__riscv_atomic)
#define MEMPOOL_ESP32_HAS_CAS 1
#else
#define MEMPOOL_ESP32_HAS_CAS 0
#endif

#if !MEMPOOL_ESP32_HAS_CAS
#undef MEMPOOL_PORT_MASKED
#define MEMPOOL_PORT_MASKED 1
#endif

__attribute__((weak)) DRAM_ATTR portMUX_TYPE mempool_port_mux = portMUX_INITIALIZER_UNLOCKED;

#define MEMPOOL_LOCK() portENTER_CRITICAL_SAFE(&mempool_port_mux)
#define MEMPOOL_UNLOCK() portEXIT_CRITICAL_SAFE(&mempool_port_mux)

#if MEMPOOL_PORT_MASKED
#if !defined(CONFIG_FREERTOS_UNICORE) && SOC_CPU_CORES_NUM > 1
#error "a mask of one core's interrupts does not hold the other: MEMPOOL_PORT_MASKED needs a single core"
#endif
MEMPOOL_PORT_INLINE uint32_t mempool_port_mask(void) {
    return (uint32_t)portSET_INTERRUPT_MASK_FROM_ISR();
}

MEMPOOL_PORT_INLINE void mempool_port_unmask(uint32_t state) {
    portCLEAR_INTERRUPT_MASK_FROM_ISR(state);
}
#include "masked.h"
#else
#include "atomic_cas.h"
#endif

#if defined(__XTENSA__)
// NSAU counts leading zeros; GCC makes trailing ones of it.
#define MEMPOOL_PORT_CTZ(v) ((uint32_t)__builtin_ctz(v))
#endif

MEMPOOL_PORT_INLINE uint32_t mempool_port_tick(void) {
    return (uint32_t)xTaskGetTickCountFromISR(); // one load; the same from tasks
}

static inline void mempool_port_sleep_ms(uint32_t ms) {
    TickType_t ticks = pdMS_TO_TICKS(ms);
    vTaskDelay(ticks == 0 ? 1 : ticks);
}

static inline void *mempool_port_heap_alloc(uint32_t size) {
    return heap_caps_malloc(size, MALLOC_CAP_8BIT);
}

static inline void mempool_port_heap_free(void *data) {
    heap_caps_free(data);
}

#endif // MEMPOOL_PORT_ESP32_H
