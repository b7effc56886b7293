// port_esp32.h - Espressif's chips under ESP-IDF (FreeRTOS), v5.3 to v5.5. ESP32 and S3 have a compare-and-set (S32C1I), C6 and H2 the A
// extension; C3, C2 and S2 have neither, and mask interrupts around each operation.
//
// Placement: S32C1I is only true in internal RAM, and while the flash is written nothing but IRAM, internal RAM and ROM can be
// reached. So code that interrupts run is IRAM_ATTR, constants that it reads are DRAM_ATTR, and words and blocks are plain
// .bss: IDF moves that of its own libraries to PSRAM at most (SPIRAM_ALLOW_BSS_SEG_EXTERNAL_MEMORY), never ours, and unlike
// DRAM_ATTR, which stores even zeros, it takes no flash.

#ifndef MEMPOOL_PORT_ESP32_H
#define MEMPOOL_PORT_ESP32_H

#include "esp_attr.h"
#include "esp_cpu.h"
#include "esp_heap_caps.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "freertos/timers.h"
#include "soc/soc_caps.h"

#define MEMPOOL_SINGLE_CORE 0 // tasks there are even on one core
#define MEMPOOL_HOT IRAM_ATTR
#define MEMPOOL_FAST
#define MEMPOOL_FAST_CONST DRAM_ATTR
#define MEMPOOL_PAYLOAD
#define MEMPOOL_NOINIT __NOINIT_ATTR
#define MEMPOOL_PORT_INLINE static inline __attribute__((always_inline)) // a copy of its own would lie in flash
#define MEMPOOL_TICK_MS ((uint32_t)portTICK_PERIOD_MS)

// IDF's own test for a core without a CAS instruction, as in its xt_utils.h and rv_utils.h.
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

__attribute__((weak)) portMUX_TYPE mempool_port_mux = portMUX_INITIALIZER_UNLOCKED;

// FreeRTOS's mutex counts how deep it is nested, so that what wakes a task within it does not wait for the switch (vPortYield on
// RISC-V does). As functions: the macros are three calls each time. One copy of each is linked.
__attribute__((weak, noinline)) MEMPOOL_HOT void mempool_port_lock(void) {
    portENTER_CRITICAL_SAFE(&mempool_port_mux);
}

__attribute__((weak, noinline)) MEMPOOL_HOT void mempool_port_unlock(void) {
    portEXIT_CRITICAL_SAFE(&mempool_port_mux);
}

#define MEMPOOL_LOCK() mempool_port_lock()
#define MEMPOOL_UNLOCK() mempool_port_unlock()

#if MEMPOOL_PORT_MASKED

#if !defined(CONFIG_FREERTOS_UNICORE) && SOC_CPU_CORES_NUM > 1
#error "a mask of one core's interrupts does not hold the other: MEMPOOL_PORT_MASKED needs a single core"
#endif

#if defined(__riscv)
// As rv_utils_compare_and_set does it: two instructions, where FreeRTOS's mask is a call that writes a register of the
// interrupt controller and waits for it.
MEMPOOL_PORT_INLINE uint32_t mempool_port_mask(void) {
    uint32_t state = RV_CLEAR_CSR(mstatus, MSTATUS_MIE);
    __asm__ volatile(""
                     :
                     :
                     : "memory");
    return state & MSTATUS_MIE;
}

MEMPOOL_PORT_INLINE void mempool_port_unmask(uint32_t state) {
    __asm__ volatile(""
                     :
                     :
                     : "memory");
    RV_SET_CSR(mstatus, state);
}
#else
MEMPOOL_PORT_INLINE uint32_t mempool_port_mask(void) {
    return (uint32_t)portSET_INTERRUPT_MASK_FROM_ISR();
}

MEMPOOL_PORT_INLINE void mempool_port_unmask(uint32_t state) {
    portCLEAR_INTERRUPT_MASK_FROM_ISR(state);
}
#endif

#include "masked.h"

#elif defined(__riscv) && SOC_CPU_CORES_NUM == 1
#include "atomic_riscv.h"
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

static inline uint32_t mempool_port_uptime_s(void) {
    return (uint32_t)(esp_timer_get_time() / 1000000);
}

static inline void mempool_port_sleep_ms(uint32_t ms) {
    TickType_t ticks = pdMS_TO_TICKS(ms);
    vTaskDelay(ticks == 0 ? 1 : ticks);
}

// ---- Out of an interrupt -------------------------------------------------------------------------------

MEMPOOL_PORT_INLINE bool mempool_port_must_defer(void) {
    return xPortInIsrContext() != 0;
}

// Hands fn over to FreeRTOS's timer task, which reads flash when it may. FromISR is good in tasks and with interrupts masked,
// too; where the queue of that task is full it is false.
MEMPOOL_PORT_INLINE bool mempool_port_defer(void (*fn)(void *, uint32_t)) {
    BaseType_t woken = pdFALSE;
    if (xTimerPendFunctionCallFromISR(fn, NULL, 0, &woken) != pdPASS) {
        return false;
    }
    if (woken != pdFALSE) {
        portYIELD_FROM_ISR();
    }
    return true;
}

// ---- Resets --------------------------------------------------------------------------------------------

// What esp_reset_reason() says, in words. A watchdog that software sees to first (interrupt, task) is told apart from the others.
static inline const char *mempool_port_reset_cause(void) {
    static const char *const causes[] = {
        [ESP_RST_POWERON] = "power-on",
        [ESP_RST_EXT] = "pin",
        [ESP_RST_SW] = "software",
        [ESP_RST_PANIC] = "panic",
        [ESP_RST_INT_WDT] = "interrupt watchdog",
        [ESP_RST_TASK_WDT] = "task watchdog",
        [ESP_RST_WDT] = "watchdog",
        [ESP_RST_DEEPSLEEP] = "deep sleep",
        [ESP_RST_BROWNOUT] = "brownout",
        [ESP_RST_USB] = "usb",
        [ESP_RST_JTAG] = "jtag",
    };
    unsigned reason = (unsigned)esp_reset_reason();
    const char *cause = reason < sizeof(causes) / sizeof(causes[0]) ? causes[reason] : NULL;
    return cause != NULL ? cause : "unknown";
}

// ---- The heap ------------------------------------------------------------------------------------------

// Internal RAM: a block of the heap may be used by an interrupt like any other. IDF's heap itself aligns to 4 bytes.
static inline void *mempool_port_heap_alloc(uint32_t size) {
    return heap_caps_aligned_alloc(MEMPOOL_ALIGN, size, MALLOC_CAP_INTERNAL | MALLOC_CAP_8BIT);
}

static inline void mempool_port_heap_free(void *data) {
    heap_caps_free(data);
}

// What pools grow into.
#define MEMPOOL_PORT_EXTENT_ALLOC(bytes) mempool_port_heap_alloc(bytes)
#define MEMPOOL_PORT_EXTENT_FREE(data) mempool_port_heap_free(data)

#define MEMPOOL_PORT_HEAPS 1

// By capability, so they overlap. One that the chip does not have is left out.
static inline bool mempool_port_heap_info(unsigned number, mempool_heap_info_t *info) {
    static const struct {
        const char *name;
        uint32_t caps;
    } heaps[] = {
        { "internal", MALLOC_CAP_INTERNAL | MALLOC_CAP_8BIT },
        { "dma", MALLOC_CAP_DMA },
        { "exec", MALLOC_CAP_EXEC },
        { "spiram", MALLOC_CAP_SPIRAM },
    };
    for (unsigned i = 0; i < sizeof(heaps) / sizeof(heaps[0]); ++i) {
        uint32_t total = (uint32_t)heap_caps_get_total_size(heaps[i].caps);
        if (total != 0 && number-- == 0) {
            *info = (mempool_heap_info_t){
                heaps[i].name,
                total,
                (uint32_t)heap_caps_get_free_size(heaps[i].caps),
                (uint32_t)heap_caps_get_largest_free_block(heaps[i].caps),
                (uint32_t)heap_caps_get_minimum_free_size(heaps[i].caps),
            };
            return true;
        }
    }
    return false;
}

#endif // MEMPOOL_PORT_ESP32_H
