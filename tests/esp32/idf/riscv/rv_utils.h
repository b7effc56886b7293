// RISC-V's control registers.
// What our sources use of the IDF header of this name, and no more. tests/esp32/test_headers.py holds it against the real one.

#pragma once

#include "riscv/csr.h"
