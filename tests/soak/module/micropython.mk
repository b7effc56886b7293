# `_soak` as a user C module of MicroPython's unix port: several lives in one process, a clock that can be moved, and counters that
# can be set. It comes after the modules of cmodules/, whose state it reaches.

SOAK_DIR := $(USERMOD_DIR)

SRC_USERMOD_C += $(SOAK_DIR)/modsoak.c
SRC_USERMOD_LIB_C += $(addprefix $(SOAK_DIR)/,lives.c clock.c counters.c trace_next.c)

# The counter of the trace is static: trace_next.c includes the file, unchanged, and adds what sets it.
SRC_USERMOD_LIB_C := $(filter-out %/core/trace.c,$(SRC_USERMOD_LIB_C))

# As a board has them, also where small ints have 63 bits: time.ticks_ms() comes round after 12 days, ticks_us() after 18 minutes.
CFLAGS_USERMOD += -DMICROPY_PY_TIME_TICKS_PERIOD=0x40000000
CFLAGS_USERMOD += -I$(SOAK_DIR) -include $(SOAK_DIR)/vm_hook.h

SOAK_COMMA := ,
SOAK_WRAP := main gc_init mp_deinit pthread_key_create clock_gettime gettimeofday pthread_cond_wait pthread_cond_timedwait
LDFLAGS_USERMOD += $(addprefix -Wl$(SOAK_COMMA)--wrap=,$(SOAK_WRAP))
