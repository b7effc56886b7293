// What a chip has. THIN_CORES: its cores.
// What our sources use of the IDF header of this name, and no more. tests/esp32/test_headers.py holds it against the real one.

#pragma once

#define SOC_CPU_CORES_NUM (THIN_CORES)
