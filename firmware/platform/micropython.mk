# The emulated boards' platform, as a user C module of MicroPython's qemu port.

PLATFORM_DIR := $(USERMOD_DIR)

SRC_USERMOD_C += $(addprefix $(PLATFORM_DIR)/,modplatform.c irq_stress.c)
SRC_USERMOD_LIB_C += $(addprefix $(PLATFORM_DIR)/,clock.c console.c cm3.c rv32.c)

CFLAGS_USERMOD += -I$(PLATFORM_DIR)

# MicroPython's versions of these, where its qemu port has them at all, make way for ours.
PLATFORM_COMMA := ,
PLATFORM_WRAP := ticks_ms ticks_us ticks_cpu time_ns delay_ms delay_us stdin_rx_chr stdio_poll
LDFLAGS_USERMOD += $(addprefix -Wl$(PLATFORM_COMMA)--wrap=mp_hal_,$(PLATFORM_WRAP))
