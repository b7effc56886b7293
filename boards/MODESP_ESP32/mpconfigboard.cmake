# ESP32 with 4 MB of flash and no PSRAM: MicroPython's ESP32_GENERIC with our modules.
set(IDF_TARGET esp32)
set(MODESP_PORT_SETTINGS base ble)
include(${CMAKE_CURRENT_LIST_DIR}/../modesp.cmake)
