// Where code and data lie.
// What our sources use of the IDF header of this name, and no more. tests/esp32/test_headers.py holds it against the real one.

#pragma once

#define IRAM_ATTR _SECTION_ATTR_IMPL(".iram1", __COUNTER__)
#define DRAM_ATTR _SECTION_ATTR_IMPL(".dram1", __COUNTER__)
#define __NOINIT_ATTR _SECTION_ATTR_IMPL(".noinit", __COUNTER__)
#define FORCE_INLINE_ATTR static inline __attribute__((always_inline))

#define _SECTION_ATTR_IMPL(SECTION, COUNTER) __attribute__((section(SECTION "." _COUNTER_STRINGIFY(COUNTER))))
#define _COUNTER_STRINGIFY(COUNTER) #COUNTER
