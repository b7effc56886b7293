# The stand-in's part of IDF's build system: what MicroPython's port and our files call.

set(IDF_PATH $ENV{IDF_PATH})
include(${IDF_PATH}/tools/cmake/version.cmake)
set(ENV{IDF_VERSION} ${IDF_VERSION_MAJOR}.${IDF_VERSION_MINOR}.${IDF_VERSION_PATCH})

function(idf_build_set_property)
endfunction()

function(idf_build_get_property variable name)
    if(name STREQUAL "SDKCONFIG")
        set(${variable} ${SDKCONFIG} PARENT_SCOPE)
    elseif(name STREQUAL "PYTHON")
        set(${variable} $ENV{FAKE_IDF_PYTHON} PARENT_SCOPE)
    elseif(name STREQUAL "COMPILE_OPTIONS")
        set(${variable} -O2 PARENT_SCOPE)
    else()
        message(FATAL_ERROR "the stand-in has no build property ${name}")
    endif()
endfunction()

function(idf_component_get_property variable)
    add_library(fake_${variable} INTERFACE)
    set(${variable} fake_${variable} PARENT_SCOPE)
endfunction()

function(idf_component_register)
    file(WRITE ${CMAKE_BINARY_DIR}/empty.c "")
    add_library(__idf_main STATIC ${CMAKE_BINARY_DIR}/empty.c)
    set(COMPONENT_TARGET __idf_main PARENT_SCOPE)

    # What the tests look at.
    set(SOURCES "")
    set(INCLUDES ${MICROPY_INC_USERMOD})
    foreach(source IN LISTS MICROPY_SOURCE_USERMOD)
        list(APPEND SOURCES ${source})
    endforeach()
    file(WRITE ${CMAKE_BINARY_DIR}/said.cmake "")
    foreach(each IDF_TARGET EXTRA_COMPONENT_DIRS MICROPY_FROZEN_MANIFEST USER_C_MODULES
            MICROPY_MANIFEST_MEMPOOL_CONFIG_DIR SOURCES INCLUDES)
        file(APPEND ${CMAKE_BINARY_DIR}/said.cmake "${each}=${${each}}\n")
    endforeach()
endfunction()

macro(project name)
    _project(${name} C)
    foreach(component IN LISTS EXTRA_COMPONENT_DIRS)
        if(NOT EXISTS ${component}/CMakeLists.txt)
            message(FATAL_ERROR "EXTRA_COMPONENT_DIRS: ${component} is no component")
        endif()
        set(ENV{COMPONENT_KCONFIG} ${component}/Kconfig)
    endforeach()
    set(ENV{IDF_TARGET} ${IDF_TARGET})
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/config)
    execute_process(
        COMMAND $ENV{FAKE_IDF_PYTHON} -m kconfgen --kconfig ${IDF_PATH}/Kconfig --config ${SDKCONFIG}
            --defaults ${SDKCONFIG_DEFAULTS} --output config ${SDKCONFIG}
            --output cmake ${CMAKE_BINARY_DIR}/config/sdkconfig.cmake
            --output header ${CMAKE_BINARY_DIR}/config/sdkconfig.h
        RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said
    )
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "kconfgen: ${said}")
    endif()
    include(${CMAKE_BINARY_DIR}/config/sdkconfig.cmake)
    set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
    add_subdirectory(main)
    # As in IDF: the executable links the main component, and is of the project's own folder.
    add_executable(micropython.elf ${CMAKE_BINARY_DIR}/empty.c)
    target_link_libraries(micropython.elf __idf_main)
endmacro()
