# User C modules that are no part of the product: what the emulated boards run on, and what tests need. MicroPython's build includes
# this file and cmodules/micropython.mk where USER_C_MODULES is the root of this repository.

USERMOD_DIR := $(USER_C_MODULES)/firmware/platform
include $(USERMOD_DIR)/micropython.mk

# make coverage: the modules' own C counts what is reached (tests/coverage), neither made faster nor inlined, which books
# branches elsewhere; so the texts of its errors stay as they are, as MicroPython compresses them in a function that must be
# inlined. This follows what the modules say of their flags: the last word counts.
ifeq ($(MEMPOOL_REACHED),1)
REACHED_CFLAGS = -O0 -Dalways_inline=unused -UMICROPY_ROM_TEXT_COMPRESSION --coverage -fprofile-update=atomic
$(patsubst $(USER_C_MODULES)/%.c,$(BUILD)/%.o,$(filter $(USER_C_MODULES)/cmodules/%,$(SRC_USERMOD_C) $(SRC_USERMOD_LIB_C))): CFLAGS += $(REACHED_CFLAGS)
LDFLAGS_USERMOD += --coverage
endif
