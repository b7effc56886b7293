# `_platform` on ESP32, as a user C module: event sources in interrupts and the stress of both cores, for the suite that runs on a
# board. cmodules/micropython.cmake includes it; -D MEMPOOL_PLATFORM=OFF leaves it out.

add_library(usermod_mempool_platform INTERFACE)

set(MEMPOOL_PLATFORM_SOURCES
    modplatform.c
    bus_sources.c
    bus_sink.c
    bus_machine_esp32.c
    irq_stress.c
    stress.c
    hand.c
)
list(TRANSFORM MEMPOOL_PLATFORM_SOURCES PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
mempool_source_options(-Os ${MEMPOOL_PLATFORM_SOURCES})
target_sources(usermod_mempool_platform INTERFACE ${MEMPOOL_PLATFORM_SOURCES})
target_include_directories(usermod_mempool_platform INTERFACE ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(usermod_mempool_platform INTERFACE usermod_eventbus)
target_link_libraries(usermod INTERFACE usermod_mempool_platform)
