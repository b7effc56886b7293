# mempool as a user C module of MicroPython's make-based ports (USER_C_MODULES).
#
# MEMPOOL_CONFIG_DIR is the folder of the generated sdkconfig.h.

MEMPOOL_DIR := $(patsubst %/,%,$(USERMOD_DIR))
MEMPOOL_SOURCES := $(addprefix $(MEMPOOL_DIR)/,$(shell sed '/^\#/d;/^$$/d' $(MEMPOOL_DIR)/sources.list))

ifeq ($(wildcard $(MEMPOOL_CONFIG_DIR)/sdkconfig.h),)
$(error MEMPOOL_CONFIG_DIR="$(MEMPOOL_CONFIG_DIR)" has no sdkconfig.h: build with the Makefile of the repository)
endif

# Only the binding is scanned for names; the core knows nothing of MicroPython.
SRC_USERMOD_C += $(filter $(MEMPOOL_DIR)/mpy/%,$(MEMPOOL_SOURCES))
SRC_USERMOD_LIB_C += $(filter-out $(MEMPOOL_DIR)/mpy/%,$(MEMPOOL_SOURCES))

CFLAGS_USERMOD += $(addprefix -I$(MEMPOOL_DIR)/,include port core mpy) -I$(MEMPOOL_CONFIG_DIR)

# The core is made for speed whatever the port is made for. benchmarks/ and tools/size.py read this line.
MEMPOOL_CORE_CFLAGS := -O2
ifneq ($(DEBUG),1)
$(BUILD)/cmodules/mempool/core/%.o $(BUILD)/mempool/core/%.o: CFLAGS += $(MEMPOOL_CORE_CFLAGS)
endif

# The list of sources and the configuration decide which names exist.
QSTR_GLOBAL_DEPENDENCIES += $(MEMPOOL_CONFIG_DIR)/sdkconfig.h $(MEMPOOL_DIR)/sources.list
