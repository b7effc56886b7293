# ESP32 with 4 MB of flash and PSRAM: the variant SPIRAM of MicroPython's ESP32_GENERIC.
set(IDF_TARGET esp32)
set(MODESP_PORT_SETTINGS base ble spiram)
include(${CMAKE_CURRENT_LIST_DIR}/../modesp.cmake)
