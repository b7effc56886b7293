# `_platform`, and what stands behind it, as a user C module: of MicroPython's qemu port (clock, console, interrupts), and of its
# unix port (event sources and stress alone). ESP32: micropython.cmake.

PLATFORM_DIR := $(USERMOD_DIR)

SRC_USERMOD_C += $(addprefix $(PLATFORM_DIR)/,modplatform.c bus_sources.c bus_sink.c irq_stress.c stress.c)
SRC_USERMOD_LIB_C += $(PLATFORM_DIR)/hand.c
CFLAGS_USERMOD += -I$(PLATFORM_DIR)

ifneq ($(QEMU_ARCH),)

SRC_USERMOD_LIB_C += $(addprefix $(PLATFORM_DIR)/,clock.c console.c bus_task.c bus_machine_qemu.c reset.c cm3.c rv32.c)

# MicroPython's versions of these, where its qemu port has them at all, make way for ours.
PLATFORM_COMMA := ,
PLATFORM_WRAP := ticks_ms ticks_us ticks_cpu time_ns delay_ms delay_us stdin_rx_chr stdio_poll
LDFLAGS_USERMOD += $(addprefix -Wl$(PLATFORM_COMMA)--wrap=mp_hal_,$(PLATFORM_WRAP))

else

SRC_USERMOD_LIB_C += $(PLATFORM_DIR)/bus_machine_unix.c

endif
