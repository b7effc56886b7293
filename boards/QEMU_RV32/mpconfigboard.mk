# The emulated RV32IMAC: MicroPython's own board of that machine, with our configuration, link
# script and start.

# Where the architecture's name says _zicsr, gcc 12 finds no 32-bit libraries; the older ISA
# specification counts those instructions into the base.
RV32_ARCH = rv32imac
AFLAGS += -misa-spec=2.2

include boards/VIRT_RV32/mpconfigboard.mk

CFLAGS += -DMP_CONFIGFILE='<mpconfig.h>' -I$(BOARD_DIR)/../../firmware/qemu
CFLAGS += -I$(BOARD_DIR)/../../firmware/platform
QSTR_GLOBAL_DEPENDENCIES += $(BOARD_DIR)/../../firmware/qemu/mpconfig.h

LDSCRIPT = $(BOARD_DIR)/../../firmware/qemu/rv32.ld
LDFLAGS += -nostartfiles
