// MicroPython's unix port for this firmware: the standard variant, with the scheduler of an ESP32.

#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)
#define MICROPY_SCHEDULER_STATIC_NODES (1)
#define MICROPY_SCHEDULER_DEPTH (8)

// Brings the emergency exception buffer of 256 bytes, too.
#include "ports/unix/variants/mpconfigvariant_common.h"

// Ctrl-C waits for the VM, as on an ESP32. Upstream raises it from the signal handler, in the middle of whatever C runs:
// with the pools' lock held, within a delivery, within the collector.
#undef MICROPY_ASYNC_KBD_INTR
#define MICROPY_ASYNC_KBD_INTR (0)
