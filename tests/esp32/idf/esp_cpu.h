// The processor: its compare-and-set, its cycles.
// What our sources use of the IDF header of this name, and no more. tests/esp32/test_headers.py holds it against the real one.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_attr.h"
#include "esp_bit_defs.h"

typedef uint32_t esp_cpu_cycle_count_t;

#if __XTENSA__
#include "xt_utils.h"
#else
#include "riscv/rv_utils.h"
#endif

bool esp_cpu_compare_and_set(volatile uint32_t *addr, uint32_t compare_value, uint32_t new_value);

FORCE_INLINE_ATTR esp_cpu_cycle_count_t esp_cpu_get_cycle_count(void) {
    return 0;
}
