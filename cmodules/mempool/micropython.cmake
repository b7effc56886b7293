# mempool as a user C module of MicroPython's CMake-based ports (USER_C_MODULES). On ESP32,
# sdkconfig.h is IDF's own, which has our symbols from the Kconfig beside this file.

add_library(usermod_mempool INTERFACE)

file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/sources.list MEMPOOL_SOURCES REGEX "^[^#]")
list(TRANSFORM MEMPOOL_SOURCES PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
target_sources(usermod_mempool INTERFACE ${MEMPOOL_SOURCES})

target_include_directories(usermod_mempool INTERFACE
    ${CMAKE_CURRENT_LIST_DIR}/include
    ${CMAKE_CURRENT_LIST_DIR}/port
    ${CMAKE_CURRENT_LIST_DIR}/core
    ${CMAKE_CURRENT_LIST_DIR}/mpy
)

# A change of the list is a change of the build.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/sources.list)

target_link_libraries(usermod INTERFACE usermod_mempool)
