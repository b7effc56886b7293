# mempool as a user C module of MicroPython's CMake-based ports (USER_C_MODULES). On ESP32,
# sdkconfig.h is IDF's own, which has our symbols from the Kconfig beside this file.

add_library(usermod_mempool INTERFACE)

set(MEMPOOL_DIR ${CMAKE_CURRENT_LIST_DIR})
file(STRINGS ${MEMPOOL_DIR}/sources.list MEMPOOL_SOURCES REGEX "^[^#]")
list(TRANSFORM MEMPOOL_SOURCES PREPEND ${MEMPOOL_DIR}/)

# Which files of core/ are made for speed, and how; the rest is made small, where the port would
# have it fast. The lines are those of the make-based ports.
foreach(MEMPOOL_NAME HOT HOT_CFLAGS)
    file(STRINGS ${MEMPOOL_DIR}/micropython.mk MEMPOOL_LINE REGEX "^MEMPOOL_${MEMPOOL_NAME} :=")
    string(REGEX REPLACE "^[^=]*= *" "" MEMPOOL_${MEMPOOL_NAME} "${MEMPOOL_LINE}")
    separate_arguments(MEMPOOL_${MEMPOOL_NAME})
endforeach()

# A user module's sources are compiled in the port's main component and, because that links it on,
# in the executable, which comes first in the link; and a third time they are searched for names.
# Each of the two has its own folder for the options of sources, and the executable and the search
# have none of IDF's definitions.
function(mempool_source_options OPTIONS)
    if(CMAKE_VERSION VERSION_LESS 3.18)
        set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "${OPTIONS}")
    else()
        set_source_files_properties(${ARGN}
            DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_SOURCE_DIR}
            PROPERTIES COMPILE_OPTIONS "${OPTIONS}")
    endif()
endfunction()

# Smaller than -Os alone, by 1 % without copies of jumps and constants in registers, and on Xtensa by half a percent without
# padding before the targets of jumps.
set(MEMPOOL_SMALL_OPTIONS -Os -fno-tree-dominator-opts -fno-move-loop-invariants)
if(CONFIG_IDF_TARGET_ARCH_XTENSA)
    list(APPEND MEMPOOL_SMALL_OPTIONS -mno-target-align)
endif()
mempool_source_options("${MEMPOOL_SMALL_OPTIONS}" ${MEMPOOL_SOURCES})
foreach(MEMPOOL_NAME IN LISTS MEMPOOL_HOT)
    mempool_source_options("${MEMPOOL_HOT_CFLAGS}" ${MEMPOOL_DIR}/core/${MEMPOOL_NAME}.c)
endforeach()

# On ESP32: what IDF resolved is held against the board's file, and becomes the data of boardcfg.
set(MEMPOOL_ENABLED ON)
if(COMMAND idf_build_get_property)
    idf_build_get_property(MEMPOOL_SDKCONFIG SDKCONFIG)
    idf_build_get_property(MEMPOOL_PYTHON PYTHON)
    get_filename_component(MEMPOOL_TOOLS ${MEMPOOL_DIR}/../../tools ABSOLUTE)
    if(MODESP_EXTRA_SDKCONFIG)
        set(MEMPOOL_EXTRA --extra ${MODESP_EXTRA_SDKCONFIG})
    endif()
    execute_process(
        COMMAND ${MEMPOOL_PYTHON} ${MEMPOOL_TOOLS}/kconfig_idf.py --board-dir ${MICROPY_BOARD_DIR}
            --sdkconfig ${MEMPOOL_SDKCONFIG} --output ${CMAKE_BINARY_DIR}/mempool ${MEMPOOL_EXTRA}
        RESULT_VARIABLE MEMPOOL_STATUS
        OUTPUT_VARIABLE MEMPOOL_SAYS
        ERROR_VARIABLE MEMPOOL_ERROR
    )
    if(NOT MEMPOOL_STATUS EQUAL 0)
        message(FATAL_ERROR "mempool: ${MEMPOOL_ERROR} (${MEMPOOL_STATUS})")
    endif()
    if(MEMPOOL_SAYS)
        message(WARNING "${MEMPOOL_SAYS}")
    endif()
    file(GLOB MEMPOOL_INPUTS ${MEMPOOL_TOOLS}/kconfig_*.py)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${MEMPOOL_INPUTS}
        ${MICROPY_BOARD_DIR}/board.json ${MICROPY_BOARD_DIR}/pins.csv ${MICROPY_BOARD_DIR}/sdkconfig.board
        ${MODESP_EXTRA_SDKCONFIG})
    set(MEMPOOL_ENABLED ${CONFIG_MEMORY_POOL_ENABLE})
    target_compile_definitions(usermod_mempool INTERFACE ESP_PLATFORM)
    list(APPEND MICROPY_CPP_DEF_EXTRA ESP_PLATFORM)
    if(CONFIG_COMPILER_OPTIMIZATION_ASSERTIONS_DISABLE)
        target_compile_definitions(usermod_mempool INTERFACE NDEBUG)
    endif()
endif()

# CONFIG_MEMORY_POOL_ENABLE=n builds nothing, and `import mempool` fails.
if(MEMPOOL_ENABLED)
    target_sources(usermod_mempool INTERFACE ${MEMPOOL_SOURCES})
endif()

# Tables of jumps and of switches would lie in flash, where an interrupt cannot reach them while it is written. IDF has
# the same flags, which user C modules get from MicroPython 1.28 on.
target_compile_options(usermod_mempool INTERFACE -fno-jump-tables -fno-tree-switch-conversion)

target_include_directories(usermod_mempool INTERFACE
    ${MEMPOOL_DIR}/include
    ${MEMPOOL_DIR}/port
    ${MEMPOOL_DIR}/core
    ${MEMPOOL_DIR}/mpy
)

# A change of the list is a change of the build.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    ${MEMPOOL_DIR}/sources.list ${MEMPOOL_DIR}/micropython.mk)

target_link_libraries(usermod INTERFACE usermod_mempool)
