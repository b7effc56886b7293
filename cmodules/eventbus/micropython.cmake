# eventbus as a user C module of MicroPython's CMake-based ports (USER_C_MODULES), above mempool.

add_library(usermod_eventbus INTERFACE)

file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/sources.list EVENTBUS_SOURCES REGEX "^[^#]")
list(TRANSFORM EVENTBUS_SOURCES PREPEND ${CMAKE_CURRENT_LIST_DIR}/)

# Small, where the port would have it fast, as mempool's.
mempool_source_options("${MEMPOOL_SMALL_OPTIONS}" ${EVENTBUS_SOURCES})

# CONFIG_MEMORY_POOL_ENABLE=n builds nothing, and `import eventbus` fails.
if(MEMPOOL_ENABLED)
    target_sources(usermod_eventbus INTERFACE ${EVENTBUS_SOURCES})
endif()

target_include_directories(usermod_eventbus INTERFACE
    ${CMAKE_CURRENT_LIST_DIR}/include
    ${CMAKE_CURRENT_LIST_DIR}/port
    ${CMAKE_CURRENT_LIST_DIR}/core
    ${CMAKE_CURRENT_LIST_DIR}/mpy
)

# A change of the list is a change of the build.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/sources.list)

target_link_libraries(usermod_eventbus INTERFACE usermod_mempool)
target_link_libraries(usermod INTERFACE usermod_eventbus)
