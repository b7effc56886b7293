# The emulated Cortex-M3: MicroPython's own board of that machine, with our configuration and link
# script.

include boards/MPS2_AN385/mpconfigboard.mk

CFLAGS += -DMP_CONFIGFILE='<mpconfig.h>' -I$(BOARD_DIR)/../../firmware/qemu
CFLAGS += -I$(BOARD_DIR)/../../firmware/platform
QSTR_GLOBAL_DEPENDENCIES += $(BOARD_DIR)/../../firmware/qemu/mpconfig.h

LDSCRIPT = $(BOARD_DIR)/../../firmware/qemu/cm3.ld
