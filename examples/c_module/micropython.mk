# samples as a user C module of make-based ports; mempool.h is found where mempool is one, too.

SAMPLES_DIR := $(USERMOD_DIR)

SRC_USERMOD_C += $(SAMPLES_DIR)/samples.c
