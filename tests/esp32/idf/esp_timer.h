// Microseconds since boot.
// What our sources use of the IDF header of this name, and no more. tests/esp32/test_headers.py holds it against the real one.

#pragma once

#include <stdint.h>

int64_t esp_timer_get_time(void);
