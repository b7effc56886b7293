# One entry for everything: `make` lists what there is. Each target brings what it needs by itself
# (Debian packages where it may, MicroPython's source, a Python environment in .venv) and says so.

.DEFAULT_GOAL := help
include firmware/versions.mk

# What a caller may set.
TEST_TARGET := $(TARGET)
TARGET ?= unix
VARIANT ?=
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
# 0 is no, as nothing is.
override LEAK := $(filter-out 0,$(LEAK))
override EXHAUST := $(filter-out 0,$(EXHAUST))
override TLS := $(filter-out 0,$(TLS))
override PLAIN := $(filter-out 0,$(PLAIN))
override REMOVE := $(filter-out 0,$(REMOVE))
override LOAD := $(filter-out 0,$(LOAD))
HOURS ?= $(if $(EXHAUST),1,$(if $(LEAK),4,$(if $(filter unix%,$(TARGET)),24,4)))
# Simulated seconds a second of make run, 0 as fast as it goes. A leak takes a minute of looking at it.
SPEED ?= $(if $(LEAK),$(if $(filter unix%,$(TARGET)),240,0),0)

ROOT := $(CURDIR)
BUILD := build/$(TARGET)$(addprefix -,$(VARIANT))
# A variant that is built keeps its settings: `make exec VARIANT=name` need not repeat them.
include $(wildcard $(BUILD)/settings.mk)

BOARD_unix := UNIX
BOARD_unix32 := UNIX
BOARD_cm3 := QEMU_CM3
BOARD_rv32 := QEMU_RV32
TARGETS := unix unix32 cm3 rv32
TARGET_BOARD := $(BOARD_$(TARGET))
ifeq ($(TARGET_BOARD),)
$(error TARGET=$(TARGET) is not one of: $(TARGETS))
endif
# It names a folder, which is removed and made anew.
ifneq ($(findstring /,$(VARIANT))$(word 2,$(VARIANT)),)
$(error VARIANT=$(VARIANT) is not a name: one word, without a slash)
endif

VENV := .venv/bin/python
SOURCE := build/micropython-$(MICROPYTHON_VERSION)
MPY := $(or $(MICROPYTHON_DIR),$(SOURCE))
MPY_CROSS := build/mpy-cross$(if $(MICROPYTHON_DIR),-clone)/mpy-cross
BINARY := $(BUILD)/$(if $(filter unix%,$(TARGET)),micropython,firmware.elf)

# ------------------------------------------------------------------------------------------------
# What a user types

.PHONY: help
help: ## This list
	@echo "mempool: deterministic memory for MicroPython. Targets:"
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile | expand -t 18
	@echo "TARGET=$(subst $() ,|,$(TARGETS)) chooses where; unix without it."

RUN_FLAGS = , speed=$(SPEED)$(if $(LEAK),$(comma) leak=True)$(if $(EXHAUST),$(comma) exhaust=True)$(if \
    $(filter unix%,$(TARGET)),$(comma) live=True$(comma) blackbox='$(BUILD)/blackbox.bin')
comma := ,

.PHONY: run run-arguments
run-arguments:
	@case "$(HOURS).$(SPEED)" in *[!0-9.]*|.*|*.|*.*.*) echo "run: HOURS and SPEED are whole numbers, not '$(HOURS)' and '$(SPEED)'"; exit 2;; esac
	@test $(HOURS) -ge 1 -a $(HOURS) -le 240 || { echo "run: HOURS must be 1 to 240, not $(HOURS)"; exit 2; }

run: run-arguments build ## A day in a cold room on this computer; TARGET=cm3|rv32 on a board [HOURS= SPEED= LEAK=1 EXHAUST=1]
ifeq ($(wildcard examples/cold_room.py),)
	@echo "run: examples/cold_room.py is not there"; exit 1
else
	@test -t 1 && bar=True || bar=False; $(VENV) tools/exec.py $(EXEC_FLAGS) \
	    -c "import sys, cold_room; sys.exit(cold_room.main(hours=$(HOURS), bar=$$bar$(RUN_FLAGS)))"
endif

.PHONY: repl
ifdef PORT
repl: $(VENV) ## A prompt, on this computer, TARGET=cm3|rv32, or a board's PORT=/dev/ttyUSB0
	@$(VENV) tools/flash_repl.py --port "$(PORT)"
else
repl: build
	@$(VENV) tools/repl.py $(WHERE)
endif

.PHONY: exec
exec: build ## Run FILE=script.py with its true exit status [TARGET= TIMEOUT=seconds HEAP=64m]
	$(if $(FILE),,@echo "exec: say which script, FILE=script.py"; exit 2)
	@$(VENV) tools/exec.py $(EXEC_FLAGS) $(FILE)

.PHONY: build
build: $(BINARY) ## Build a target [TARGET= VARIANT=name CONFIG="MEMORY_POOL_...=y" MASKED=1 EXAMPLES=1]

.PHONY: test
test: $(VENV) ## Every test; TARGET= only the MicroPython suite there; LOAD=8 beside 8 busy processes
	@$(VENV) tests/busy.py "$(LOAD)"
	@python3 tools/packages.py build test $(if $(LOAD),load) $(if $(TEST_TARGET),$(TEST_TARGET),browser unix32 cm3 rv32)
	@$(VENV) tests/run.py $(addprefix --target ,$(TEST_TARGET)) --load "$(LOAD)"

.PHONY: lint
lint: $(VENV) ## Formatting and types only
	@python3 tools/packages.py test
	@$(VENV) tests/run.py --only lint

.PHONY: format
format: $(VENV) ## Format C and Python in place
	@python3 tools/packages.py test
	@.venv/bin/ruff format -q . && .venv/bin/ruff check -q --fix .
	@find cmodules firmware tests benchmarks -name '*.[ch]' -o -name '*.[ch]pp' | xargs clang-format -i

.PHONY: menuconfig
menuconfig: $(VENV) ## Edit a board's settings, BOARD=UNIX|QEMU_CM3|QEMU_RV32|MODESP_...
	$(if $(BOARD),,@echo "menuconfig: say which board, BOARD=UNIX"; exit 2)
	@$(VENV) tools/kconfig.py menuconfig --board "$(BOARD)"

# Where images and the ESP32 boards' own folders go.
FIRMWARE_DIR ?= build
# Not the settings that a build of TARGET has kept.
GIVEN_CONFIG = $(if $(filter command environment,$(word 1,$(origin CONFIG))),$(CONFIG))
FIRMWARE = --board "$(BOARD)" $(addprefix --variant ,$(BOARD_VARIANT)) --config "$(GIVEN_CONFIG)" \
    --modules "$(USER_C_MODULES)" $(addprefix --manifest ,$(FROZEN_MANIFEST)) \
    --mpy-cross $(MPY_CROSS) --build $(FIRMWARE_DIR)

.PHONY: firmware
firmware: $(VENV) ## Image for an ESP32 board, BOARD=MODESP_ESP32|S3|C3|... [CONFIG= USER_C_MODULES=]
	@$(VENV) tools/firmware.py check $(FIRMWARE)
	@$(MAKE) --no-print-directory $(MPY_CROSS)
	@$(VENV) tools/firmware.py build $(FIRMWARE)

.PHONY: image-info
image-info: $(VENV) ## What is in an image, the newest or BOARD= or IMAGE=file.bin
	@$(VENV) tools/firmware_info.py --folder $(FIRMWARE_DIR)/firmware --board "$(BOARD)" $(addprefix --image ,$(IMAGE))

.PHONY: size
size: prepare ## Footprint of the pools, from the ELF
	@python3 tools/packages.py build rv32 cm3
	@$(VENV) tools/size.py

.PHONY: bench
bench: prepare ## Instructions per operation against the budgets, in QEMU
	@python3 tools/packages.py build rv32
	@$(VENV) benchmarks/run.py

.PHONY: coverage
coverage: prepare ## Which branches the tests reach: a table, pages in build/coverage/ [PART=cores]
	@python3 tools/packages.py build unix
	@$(VENV) tests/coverage/measure.py $(if $(PART),--part "$(PART)")

.PHONY: mutants
mutants: $(VENV) ## Small faults in the cores, and which no test finds [COUNT= SEED= FILE= ONLY= LIST=1]
	@python3 tools/packages.py build test rv32
	@$(VENV) tests/mutants/run.py --jobs "$(JOBS)" $(if $(COUNT),--count "$(COUNT)") $(if $(SEED),--seed "$(SEED)") \
	    $(if $(FILE),--file "$(FILE)") $(if $(ONLY),--only "$(ONLY)") $(if $(LIST),--list)

.PHONY: clean
clean: ## Remove what was built; the downloaded archive stays
	@rm -rf $(filter-out build/source,$(wildcard build/*))

.PHONY: flash
flash: $(VENV) ## Write a board's firmware, PORT=/dev/ttyUSB0 [BOARD= IMAGE=file.bin BAUD=]
	@$(VENV) tools/flash.py flash $(FLASH_FLAGS)

.PHONY: erase
erase: $(VENV) ## Empty a board's flash, PORT=/dev/ttyUSB0
	@$(VENV) tools/flash.py erase $(FLASH_FLAGS)

# PORT=qemu:rv32 brings its firmware by itself.
DEVICE_TARGET = $(filter cm3 rv32,$(patsubst qemu:%,%,$(filter qemu:%,$(PORT))))
.PHONY: test-device
test-device: $(VENV) ## The suite on a board, PORT=/dev/ttyUSB0|qemu:cm3|qemu:rv32 [FILES= PARTS=]
	@$(if $(DEVICE_TARGET),$(MAKE) --no-print-directory build TARGET=$(DEVICE_TARGET))
	@$(VENV) tools/device.py --port "$(PORT)" $(if $(filter undefined,$(origin PARTS)),,--parts "$(PARTS)") $(FILES)

.PHONY: stubs
stubs: $(VENV) ## The type stubs as a wheel, for an editor
	@rm -rf build/stubs
	@python3 tools/quiet.py "Building the stubs" build/stubs/build.log \
	    .venv/bin/pip wheel --no-deps --no-build-isolation --wheel-dir build/stubs ./typings
	@echo "stubs: $$(echo build/stubs/*.whl); typings/README.md says how an editor finds them"

.PHONY: fleet
fleet: $(VENV) ## Metrics of a fleet for Prometheus and Grafana, BROKER=host:port [HTTP=host:port TENANT=]
	$(if $(BROKER),,@echo "fleet: say which broker, BROKER=host:1883"; exit 2)
	@$(VENV) tools/fleet.py --broker "$(BROKER)" $(addprefix --http ,$(HTTP)) $(addprefix --tenant ,$(TENANT)) $(if $(TLS),--tls)

MONITOR = --port "$(PORT)" $(addprefix --period ,$(PERIOD)) $(if $(RECORD),--record "$(RECORD)") \
    $(if $(REPORT),--report "$(REPORT)") $(if $(PLAIN),--plain)
.PHONY: monitor
monitor: $(VENV) ## Live view, PORT=/dev/ttyUSB0|qemu:rv32|unix|udp://... [RECORD= REPORT= PERIOD= PLAIN=1]
	@$(if $(DEVICE_TARGET),$(MAKE) --no-print-directory build TARGET=$(DEVICE_TARGET))
	@$(VENV) tools/monitor.py $(MONITOR)

.PHONY: mpremote-config
mpremote-config: $(VENV) ## Shortcuts: mpremote pools, leaks, poolmap [REMOVE=1]
	@$(VENV) tools/mpremote_config.py $(if $(REMOVE),--remove)

.PHONY: proof
proof: $(VENV) ## What shows the cores right and takes more than make test gives [DEPTH= ONLY=word]
	$(if $(filter-out unix,$(TARGET))$(VARIANT),@echo "proof: it looks at the unix build$(comma) not at TARGET=$(TARGET) VARIANT=$(VARIANT)"; exit 2)
	@.venv/bin/python tests/proof/run.py --look $(PROOF)
	@$(MAKE) --no-print-directory build
	@python3 tools/packages.py build test unix32 proof
	@$(VENV) tests/proof/run.py $(PROOF)
PROOF = $(addprefix --depth ,$(DEPTH)) $(if $(ONLY),--only "$(ONLY)")

.PHONY: soak
soak: $(VENV) ## Years of a cold room with faults and counters that come round [YEARS= MONTHS= SEED= TARGET=unix32]
	@$(VENV) tests/soak/run.py --target "$(TARGET)" --years "$(YEARS)" --months "$(MONTHS)" --seed "$(SEED)"

# ------------------------------------------------------------------------------------------------
# What it takes

WHERE = --target $(TARGET) $(addprefix --variant ,$(VARIANT))
FLASH_FLAGS = --port "$(PORT)" --board "$(BOARD)" --folder $(FIRMWARE_DIR)/firmware $(addprefix --image ,$(IMAGE)) $(addprefix --baud ,$(BAUD))
EXEC_FLAGS = $(WHERE) $(addprefix --timeout ,$(TIMEOUT)) $(addprefix --heap ,$(HEAP))

$(VENV): tools/requirements.txt
	@command -v python3 >/dev/null || { apt-get -qq update && apt-get -qq install -y python3; } || \
	    { echo "python3 is missing: run sudo apt-get install python3"; exit 1; }
	@python3 tools/packages.py build
	@python3 -m venv .venv
	@python3 tools/quiet.py "Installing tools/requirements.txt into .venv" build/venv.log \
	    .venv/bin/pip install --disable-pip-version-check -r $<
	@touch $@

$(SOURCE): firmware/versions.mk
	@python3 tools/source.py --suite $(MICROPYTHON_SUITE) --archive $(MICROPYTHON_ARCHIVE) \
	    --sha256 $(MICROPYTHON_SHA256) --cache build/source --output $@
	@touch $@

# A clone is built as it is; only what the build would fail without, much later, is checked.
.PHONY: clone
clone:
	@test -f $(MPY)/py/mpconfig.h || \
	    { echo "MICROPYTHON_DIR=$(MPY) holds no MicroPython"; exit 1; }
	@test -f $(MPY)/lib/micropython-lib/README.md || \
	    { echo "$(MPY) lacks a submodule: run git -C $(MPY) submodule update --init lib/micropython-lib"; exit 1; }

# MicroPython writes the day of the build into itself. Here it is the day of its source, or what SOURCE_DATE_EPOCH says: the
# same source gives the same firmware on every day, and the next day's build compiles nothing again.
SOURCE_DAY = SOURCE_DATE_EPOCH=$(or $(SOURCE_DATE_EPOCH),$$(stat -c %Y $(MPY)/py/mpconfig.h))

# Upstream's makefiles see none of this one's variables; the downloaded source has no git, and is not to take ours for its own.
UPSTREAM = env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u TARGET -u VARIANT -u BOARD -u BUILD -u CONFIG \
    -u USER_C_MODULES -u FROZEN_MANIFEST \
    GIT_CEILING_DIRECTORIES=$(ROOT)/build $(SOURCE_DAY) MEMPOOL_CONFIG_DIR=$(ROOT)/$(BUILD)/config make -j$(JOBS) -C $(MPY)

# Of another tree, or another version of it, everything is built anew.
$(MPY_CROSS): $(if $(MICROPYTHON_DIR),clone,$(SOURCE)) | $(VENV)
	@mkdir -p $(@D); cksum $(MPY)/py/mpconfig.h | cmp -s - $(@D)/from || \
	    { rm -rf $(@D) && mkdir -p $(@D) && cksum $(MPY)/py/mpconfig.h > $(@D)/from; }
	@python3 tools/quiet.py "Building mpy-cross" $(@D)/build.log \
	    $(UPSTREAM)/mpy-cross BUILD=$(ROOT)/$(@D)
	@touch $@

# Settings that no file's date shows: where they change, the folder is built anew. Wrong ones are neither kept nor built.
SETTINGS = CONFIG ?= $(CONFIG)\nMASKED ?= $(MASKED)\nEXAMPLES ?= $(EXAMPLES)\n$(if $(COVERAGE),COVERAGE ?= 1\n)$(if $(SOAK),SOAK ?= 1\n)\# from $(MPY)\n
# A variant starts from what its target has built of the same source; not the soak's, which compiles all of it another way.
BASE := build/$(TARGET)
SEEDED = $(if $(and $(if $(SOAK),,$(VARIANT)),$(wildcard $(BASE)/$(notdir $(BINARY)))),\
    if grep -qx '\# from $(MPY)' $(BASE)/settings.mk; then tools/seed.sh $(BASE) $(BUILD); fi,true)

CHECK = $(if $(CONFIG),$(VENV) tools/kconfig.py check --board $(TARGET_BOARD) $(addprefix --set ,$(CONFIG)) > /dev/null,true)

.PHONY: settings
settings: $(VENV)
	@mkdir -p $(BUILD)
	@printf '$(SETTINGS)' | cmp -s - $(BUILD)/settings.mk || \
	    { $(CHECK) && rm -rf $(BUILD) && mkdir -p $(BUILD) && $(SEEDED) && \
	      printf '$(SETTINGS)' > $(BUILD)/settings.mk; }

# What every build shares, so that builds may run side by side.
.PHONY: prepare
prepare: $(VENV) $(MPY_CROSS)

.PHONY: print-SOURCE
print-SOURCE:
	@echo $(SOURCE)

INPUTS = $(shell find cmodules modules firmware boards examples $(if $(SOAK),tests/soak/module) tools/kconfig*.py -type f ! -name '*.pyc' 2>/dev/null)

# The same source and options without this repository: what upstream's tests compare us with.
.PHONY: stock
stock: $(MPY_CROSS)
	@python3 tools/quiet.py "Building the stock unix port" build/stock/build.log \
	    $(UPSTREAM)/ports/unix VARIANT=standard BUILD=$(ROOT)/build/stock \
	    MICROPY_PY_BTREE=0 MICROPY_PY_SSL=0 MICROPY_PY_FFI=0 USER_C_MODULES= \
	    FROZEN_MANIFEST=$(abspath $(MPY))/extmod/asyncio/manifest.py \
	    MICROPY_MPYCROSS=$(ROOT)/$(MPY_CROSS)

PORT_unix = ports/unix VARIANT_DIR=$(ROOT)/firmware/unix
PORT_unix32 = $(PORT_unix) MICROPY_FORCE_32BIT=1
PORT_cm3 = ports/qemu BOARD=QEMU_CM3 BOARD_DIR=$(ROOT)/boards/QEMU_CM3
PORT_rv32 = ports/qemu BOARD=QEMU_RV32 BOARD_DIR=$(ROOT)/boards/QEMU_RV32

# Where they change the binary goes, which make, that has seen it, would not miss: so it depends on them then.
CHANGED = $(shell printf '$(SETTINGS)' | cmp -s - $(BUILD)/settings.mk || echo settings)

$(BINARY): Makefile $(INPUTS) $(if $(MICROPYTHON_DIR),clone) $(CHANGED) | settings $(MPY_CROSS)
	@python3 tools/packages.py build $(TARGET)
	@$(VENV) tools/kconfig.py generate --board $(TARGET_BOARD) --output $(BUILD)/config \
	    $(addprefix --set ,$(CONFIG)) > $(BUILD)/config.log || { cat $(BUILD)/config.log; exit 1; }
	@rm -f $(BUILD)/frozen_content.c  # upstream's keeps names that C has defined since, and then does not compile
	@python3 tools/quiet.py "Building $(BUILD)" $(BUILD)/build.log \
	    $(UPSTREAM)/$(PORT_$(TARGET)) BUILD=$(ROOT)/$(BUILD) \
	    USER_C_MODULES=$(ROOT) FROZEN_MANIFEST=$(ROOT)/firmware/manifest.py \
	    MICROPY_MPYCROSS=$(ROOT)/$(MPY_CROSS) MEMPOOL_CONFIG_DIR=$(ROOT)/$(BUILD)/config \
	    $(if $(EXAMPLES),MEMPOOL_EXAMPLES=1) $(if $(COVERAGE),MEMPOOL_REACHED=1) $(if $(SOAK),MEMPOOL_SOAK=1) \
	    $(if $(MASKED),CFLAGS_EXTRA=-DMEMPOOL_PORT_MASKED=1)
	@touch $@
