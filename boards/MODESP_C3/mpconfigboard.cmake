# ESP32-C3 with 4 MB of flash: MicroPython's ESP32_GENERIC_C3.
set(IDF_TARGET esp32c3)
set(MODESP_PORT_SETTINGS base riscv ble)
include(${CMAKE_CURRENT_LIST_DIR}/../modesp.cmake)
