# PSRAM on eight lines (modules N8R8, N16R8 and the like), as the variant of the same name of
# MicroPython's ESP32_GENERIC_S3.
list(APPEND SDKCONFIG_DEFAULTS boards/sdkconfig.240mhz boards/sdkconfig.spiram_oct)

list(APPEND MICROPY_DEF_BOARD MICROPY_HW_BOARD_NAME="ModESP ESP32-S3 with octal SPIRAM")
