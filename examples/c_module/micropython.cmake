# samples as a user C module of CMake-based ports (ESP32), beside mempool's.

add_library(usermod_samples INTERFACE)
target_sources(usermod_samples INTERFACE ${CMAKE_CURRENT_LIST_DIR}/samples.c)
target_link_libraries(usermod_samples INTERFACE usermod_mempool)
target_link_libraries(usermod INTERFACE usermod_samples)
