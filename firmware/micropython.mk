# User C modules that only the emulated boards have. MicroPython's build includes this file and
# cmodules/micropython.mk where USER_C_MODULES is the root of this repository.

ifneq ($(QEMU_ARCH),)
USERMOD_DIR := $(USER_C_MODULES)/firmware/platform
include $(USERMOD_DIR)/micropython.mk
endif
