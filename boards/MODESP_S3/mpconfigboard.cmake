# ESP32-S3 with PSRAM on four lines: MicroPython's ESP32_GENERIC_S3. PSRAM on eight lines is the
# variant SPIRAM_OCT.
set(IDF_TARGET esp32s3)
set(MODESP_PORT_SETTINGS base usb ble spiram_sx)
include(${CMAKE_CURRENT_LIST_DIR}/../modesp.cmake)
