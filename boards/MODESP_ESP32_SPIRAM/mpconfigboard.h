// ESP32 with PSRAM (modules WROVER and the like).

#ifndef MICROPY_HW_BOARD_NAME
#define MICROPY_HW_BOARD_NAME "ModESP ESP32 with SPIRAM"
#endif
#define MICROPY_HW_MCU_NAME "ESP32"

// Errors keep their text when the heap is locked or full.
#define MICROPY_EMERGENCY_EXCEPTION_BUF_SIZE (256)
