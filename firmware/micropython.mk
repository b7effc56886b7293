# User C modules that are no part of the product: what the emulated boards run on, and what tests need. MicroPython's build includes
# this file and cmodules/micropython.mk where USER_C_MODULES is the root of this repository.

USERMOD_DIR := $(USER_C_MODULES)/firmware/platform
include $(USERMOD_DIR)/micropython.mk
