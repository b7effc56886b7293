// ESP32-S3 with PSRAM.

#ifndef MICROPY_HW_BOARD_NAME
#define MICROPY_HW_BOARD_NAME "ModESP ESP32-S3"
#endif
#define MICROPY_HW_MCU_NAME "ESP32S3"

// A prompt at the UART too, for boards with a USB bridge of their own.
#define MICROPY_HW_ENABLE_UART_REPL (1)

// Errors keep their text when the heap is locked or full.
#define MICROPY_EMERGENCY_EXCEPTION_BUF_SIZE (256)
