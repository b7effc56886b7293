# ESP32-C6 with 4 MB of flash: MicroPython's ESP32_GENERIC_C6.
set(IDF_TARGET esp32c6)
set(MODESP_PORT_SETTINGS base riscv c6 ble)
include(${CMAKE_CURRENT_LIST_DIR}/../modesp.cmake)
