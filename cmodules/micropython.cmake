# Every C module of this repository, for CMake-based ports (ESP32): USER_C_MODULES=<this file>.

include(${CMAKE_CURRENT_LIST_DIR}/mempool/micropython.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/eventbus/micropython.cmake)
