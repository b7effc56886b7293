# Every C module of this repository, for make-based ports: USER_C_MODULES=<this repository>, or
# =<this repository>/cmodules without the emulated boards' platform.

$(foreach module,$(wildcard $(USER_C_MODULES)/cmodules/*/micropython.mk),\
    $(eval USERMOD_DIR := $(patsubst %/,%,$(dir $(module))))\
    $(eval include $(module)))
