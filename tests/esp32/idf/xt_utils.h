// Xtensa's compare-and-set, inlined. Here its body is a sequence of loads and stores.
// What our sources use of the IDF header of this name, and no more. tests/esp32/test_headers.py holds it against the real one.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_attr.h"
#include "xtensa/config/core-isa.h"

FORCE_INLINE_ATTR bool xt_utils_compare_and_set(volatile uint32_t *addr, uint32_t compare_value, uint32_t new_value) {
    bool same = *addr == compare_value;
    if (same) {
        *addr = new_value;
    }
    return same;
}
