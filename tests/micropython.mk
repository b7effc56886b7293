# The C module of the soak (make soak), in the builds that ask for it: never in a firmware. MicroPython's build includes this file
# where USER_C_MODULES is the root of this repository.

ifneq ($(MEMPOOL_SOAK),)

USERMOD_DIR := $(USER_C_MODULES)/tests/soak/module
include $(USERMOD_DIR)/micropython.mk

endif
