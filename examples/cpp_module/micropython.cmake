# smooth as a user C++ module of CMake-based ports (ESP32), beside mempool's.

add_library(usermod_smooth INTERFACE)
target_sources(usermod_smooth INTERFACE
    ${CMAKE_CURRENT_LIST_DIR}/modsmooth.c
    ${CMAKE_CURRENT_LIST_DIR}/smooth.cpp
)
target_include_directories(usermod_smooth INTERFACE ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(usermod_smooth INTERFACE usermod_mempool)
target_link_libraries(usermod INTERFACE usermod_smooth)
