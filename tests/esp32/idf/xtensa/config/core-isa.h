// What an Xtensa core has. THIN_ESP32S2: the one without a compare-and-set.
// What our sources use of the IDF header of this name, and no more. tests/esp32/test_headers.py holds it against the real one.

#pragma once

#ifdef THIN_ESP32S2
#define XCHAL_HAVE_S32C1I 0
#else
#define XCHAL_HAVE_S32C1I 1
#endif
