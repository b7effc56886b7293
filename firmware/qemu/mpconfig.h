// MicroPython's configuration for the emulated boards: the qemu port's own, then what an ESP32
// has and the port leaves out. Chosen by MP_CONFIGFILE in boards/QEMU_*/mpconfigboard.mk.

#include "mpconfigport.h"
#include "platform.h"

// Time, select and asyncio, on the platform's clock.
#undef MICROPY_PY_TIME
#define MICROPY_PY_TIME (1)
#undef MICROPY_PY_TIME_TIME_TIME_NS
#define MICROPY_PY_TIME_TIME_TIME_NS (1)
#undef MICROPY_PY_TIME_INCLUDEFILE
#define MICROPY_PY_TIME_INCLUDEFILE "time.inc"
#undef MICROPY_PY_SELECT
#define MICROPY_PY_SELECT (1)
#undef MICROPY_PY_ASYNCIO
#define MICROPY_PY_ASYNCIO (1)

// The scheduler as on ESP32, and nodes that C producers arm.
#undef MICROPY_SCHEDULER_STATIC_NODES
#define MICROPY_SCHEDULER_STATIC_NODES (1)
#undef MICROPY_SCHEDULER_DEPTH
#define MICROPY_SCHEDULER_DEPTH (8)

// Errors keep their text when the heap is locked or full.
#undef MICROPY_EMERGENCY_EXCEPTION_BUF_SIZE
#define MICROPY_EMERGENCY_EXCEPTION_BUF_SIZE (256)

// sys.stdin.buffer: how make exec sends a script.
#undef MICROPY_PY_SYS_STDIO_BUFFER
#define MICROPY_PY_SYS_STDIO_BUFFER (1)

#undef MICROPY_ENABLE_FINALISER
#define MICROPY_ENABLE_FINALISER (1)
#undef MICROPY_KBD_EXCEPTION
#define MICROPY_KBD_EXCEPTION (1)

#undef MICROPY_PORT_INIT_FUNC
#define MICROPY_PORT_INIT_FUNC platform_init()
#undef MICROPY_BEGIN_ATOMIC_SECTION
#define MICROPY_BEGIN_ATOMIC_SECTION() platform_irq_save()
#undef MICROPY_END_ATOMIC_SECTION
#define MICROPY_END_ATOMIC_SECTION(state) platform_irq_restore(state)
#undef MICROPY_INTERNAL_WFE
#define MICROPY_INTERNAL_WFE(timeout_ms) platform_wait()
