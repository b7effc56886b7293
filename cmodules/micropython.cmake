# Every C module of this repository, for CMake-based ports (ESP32): USER_C_MODULES=<this file>. With others of your own it is a
# list, separated by semicolons (examples/c_module/README.md).

include(${CMAKE_CURRENT_LIST_DIR}/mempool/micropython.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/eventbus/micropython.cmake)

# What the suite on a board needs (make test-device).
if(MEMPOOL_ENABLED AND (NOT DEFINED MEMPOOL_PLATFORM OR MEMPOOL_PLATFORM))
    include(${CMAKE_CURRENT_LIST_DIR}/../firmware/platform/micropython.cmake)
endif()
