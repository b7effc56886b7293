# What the ESP32 boards of this repository share; each mpconfigboard.cmake says its chip and
# includes this. MicroPython's port reads it before IDF's project.cmake.
#
#   IDF_TARGET            the chip, as IDF calls it
#   MODESP_PORT_SETTINGS  which of the port's own boards/sdkconfig.NAME the stock board of this chip
#                         takes; which exist differs from 1.25 to 1.28, so those that do are taken

get_filename_component(MODESP_ROOT ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)

# CMAKE_SOURCE_DIR is the port's folder: named relative to it, as the stock boards name them.
set(SDKCONFIG_DEFAULTS "")
foreach(MODESP_NAME IN LISTS MODESP_PORT_SETTINGS)
    if(EXISTS ${CMAKE_SOURCE_DIR}/boards/sdkconfig.${MODESP_NAME})
        list(APPEND SDKCONFIG_DEFAULTS boards/sdkconfig.${MODESP_NAME})
    endif()
endforeach()
list(APPEND SDKCONFIG_DEFAULTS ${MICROPY_BOARD_DIR}/sdkconfig.board)

# One file more, last, so that it wins: settings of this build alone (make firmware CONFIG=...).
if(MODESP_EXTRA_SDKCONFIG)
    list(APPEND SDKCONFIG_DEFAULTS ${MODESP_EXTRA_SDKCONFIG})
endif()

# "Memory Pool Configuration" in IDF's menuconfig. A user C module is no IDF component, so a
# Kconfig beside it is not seen; this component has no sources, and carries it.
list(APPEND EXTRA_COMPONENT_DIRS ${MODESP_ROOT}/cmodules/mempool)

# The C modules and what is frozen, where the command line names no others.
if(NOT USER_C_MODULES)
    set(USER_C_MODULES ${MODESP_ROOT}/cmodules/micropython.cmake)
endif()
set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)

# Where cmodules/mempool/micropython.cmake writes the data of the module boardcfg; in a manifest
# this is $(MEMPOOL_CONFIG_DIR).
set(MICROPY_MANIFEST_MEMPOOL_CONFIG_DIR ${CMAKE_BINARY_DIR}/mempool)
