# smooth as a user C++ module of make-based ports; mempool.hpp is found where mempool is one, too. A standard library is not
# linked: mempool.hpp needs none.

SMOOTH_DIR := $(USERMOD_DIR)

SRC_USERMOD_C += $(SMOOTH_DIR)/modsmooth.c
SRC_USERMOD_LIB_CXX += $(SMOOTH_DIR)/smooth.cpp
CFLAGS_USERMOD += -I$(SMOOTH_DIR)
CXXFLAGS_USERMOD += $(addprefix -I$(MEMPOOL_DIR)/,include) -I$(SMOOTH_DIR) -std=c++17 -fno-exceptions -fno-rtti
