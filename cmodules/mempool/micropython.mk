# mempool as a user C module of MicroPython's make-based ports (USER_C_MODULES).
#
# MEMPOOL_CONFIG_DIR is the folder of the generated sdkconfig.h.

MEMPOOL_DIR := $(patsubst %/,%,$(USERMOD_DIR))
MEMPOOL_SOURCES := $(addprefix $(MEMPOOL_DIR)/,$(shell sed '/^\#/d;/^$$/d' $(MEMPOOL_DIR)/sources.list))

ifeq ($(wildcard $(MEMPOOL_CONFIG_DIR)/sdkconfig.h),)
$(error MEMPOOL_CONFIG_DIR="$(MEMPOOL_CONFIG_DIR)" has no sdkconfig.h: build with the Makefile of the repository)
endif

# CONFIG_MEMORY_POOL_ENABLE=n builds nothing, and `import mempool` fails.
ifneq ($(shell grep '^.define CONFIG_MEMORY_POOL_ENABLE 1' $(MEMPOOL_CONFIG_DIR)/sdkconfig.h),)

# Only the binding is scanned for names; the core knows nothing of MicroPython.
SRC_USERMOD_C += $(filter $(MEMPOOL_DIR)/mpy/%,$(MEMPOOL_SOURCES))
SRC_USERMOD_LIB_C += $(filter-out $(MEMPOOL_DIR)/mpy/%,$(MEMPOOL_SOURCES))

endif

CFLAGS_USERMOD += $(addprefix -I$(MEMPOOL_DIR)/,include port core mpy) -I$(MEMPOOL_CONFIG_DIR)

# The path of take and give is made for speed whatever the port is made for, the rest as the port is. benchmarks/ and tools/size.py read these two lines.
MEMPOOL_HOT := pool
MEMPOOL_HOT_CFLAGS := -O2
ifneq ($(DEBUG),1)
$(foreach folder,cmodules/mempool mempool,$(MEMPOOL_HOT:%=$(BUILD)/$(folder)/core/%.o)): CFLAGS += $(MEMPOOL_HOT_CFLAGS)
endif

# The list of sources and the configuration decide which names exist.
QSTR_GLOBAL_DEPENDENCIES += $(MEMPOOL_CONFIG_DIR)/sdkconfig.h $(MEMPOOL_DIR)/sources.list
