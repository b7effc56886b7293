// RISC-V's control registers.
// What our sources use of the IDF header of this name, and no more. tests/esp32/test_headers.py holds it against the real one.

#pragma once

#define MSTATUS_MIE 0x00000008
