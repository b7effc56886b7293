# The modules of this folder, in builds that ask for them: make build EXAMPLES=1. A project of your own has a folder of its own for
# USER_C_MODULES instead (c_module/README.md).

ifneq ($(MEMPOOL_EXAMPLES),)

USERMOD_DIR := $(USER_C_MODULES)/examples/c_module
include $(USERMOD_DIR)/micropython.mk

# MicroPython's qemu port has no C++.
ifeq ($(QEMU_ARCH),)
USERMOD_DIR := $(USER_C_MODULES)/examples/cpp_module
include $(USERMOD_DIR)/micropython.mk
endif

endif
