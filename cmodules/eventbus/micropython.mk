# eventbus as a user C module of MicroPython's make-based ports (USER_C_MODULES). Its settings are the pools' (their
# folder's Kconfig), and so are the port's locks and clocks.

EVENTBUS_DIR := $(patsubst %/,%,$(USERMOD_DIR))
EVENTBUS_SOURCES := $(addprefix $(EVENTBUS_DIR)/,$(shell sed '/^\#/d;/^$$/d' $(EVENTBUS_DIR)/sources.list))

# CONFIG_MEMORY_POOL_ENABLE=n builds nothing, and `import eventbus` fails.
ifneq ($(shell grep '^.define CONFIG_MEMORY_POOL_ENABLE 1' $(MEMPOOL_CONFIG_DIR)/sdkconfig.h),)

# Only the binding is scanned for names; the core knows nothing of MicroPython.
SRC_USERMOD_C += $(filter $(EVENTBUS_DIR)/mpy/%,$(EVENTBUS_SOURCES))
SRC_USERMOD_LIB_C += $(filter-out $(EVENTBUS_DIR)/mpy/%,$(EVENTBUS_SOURCES))

# The collector of the unix port must not miss a thread for our signals.
ifeq ($(notdir $(CURDIR)),unix)
SRC_USERMOD_LIB_C += $(EVENTBUS_DIR)/port/sem_wait.c
LDFLAGS_USERMOD += -Wl,--wrap=sem_wait
endif

endif

CFLAGS_USERMOD += $(addprefix -I$(EVENTBUS_DIR)/,include port core mpy)

# The list of sources decides which names exist.
QSTR_GLOBAL_DEPENDENCIES += $(EVENTBUS_DIR)/sources.list
