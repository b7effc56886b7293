// Names that every IDF header brings along, whether one wants them or not.
// What our sources use of the IDF header of this name, and no more. tests/esp32/test_headers.py holds it against the real one.

#pragma once

#define BIT(nr) (1UL << (nr))
#define BIT0 0x00000001
#define BIT31 0x80000000
