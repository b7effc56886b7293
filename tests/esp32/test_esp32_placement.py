"""What interrupts may call lies in IRAM with all that it reads in DRAM, and no zeros are stored in
flash: shown on the objects of ESP32-C3 and C6, whose compiler is here.

tests/bus/test_placement.py shows the same with sections of its own, for every kind of bus.
"""

from __future__ import annotations

import dataclasses
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from esplib import (
    CHIPS,
    binding_sources,
    compile_for,
    core_sources,
    corebuild,
    isr_functions,
    micropython_flags,
)

# Places that can be reached while the flash is written.
REACHED = (".iram1", ".dram1", ".bss", ".sbss", ".data", ".sdata", ".noinit", "*COM*", "*ABS*")
# In the ROM of every chip (esp_rom/*/ld).
ROM = {"memcpy", "memset", "memmove", "memcmp", "__divdi3", "__udivdi3", "__muldi3"}
# IDF's, in IRAM by its linker fragments or attributes.
IDF = {
    "esp_cpu_compare_and_set",
    "esp_timer_get_time",
    # With GPTIMER_CTRL_FUNC_IN_IRAM, which bus_machine_esp32.c asks for where it may run then.
    "gptimer_get_raw_count",
    "gptimer_set_alarm_action",
    "vPortEnterCriticalSafe",
    "vPortExitCriticalSafe",
    "vPortYieldFromISR",
    "vTaskGenericNotifyGiveFromISR",
    "xPortInIsrContext",
    "xTaskGetTickCountFromISR",
    "xTimerPendFunctionCallFromISR",
}
# Reached by tasks alone, which do not run while the flash is written: behind xPortInIsrContext().
TASKS_ONLY = {"xTaskGenericNotify", "xTaskGetCurrentTaskHandle", "arm"}
# Names that are handed on, not read: mempool_pool_info's are what its caller reads.
STRINGS_HANDED_ON = {"mempool_geometry"}
IRAM_BUDGETS = {"Os": 12500, "O2": 14500}  # bytes; IDF's stock image leaves 37 KB of 128
REFERENCE = re.compile(r"^[0-9a-f]+ R_RISCV_\w+ +([^\s+-]+)")
SYMBOL = re.compile(r"^([0-9a-f]+) (.{7}) (\S+)\s+([0-9a-f]+) (?:\.hidden )?(\S+)$")


def dump(*arguments: str) -> str:
    command = ["riscv64-unknown-elf-objdump", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def symbols(path: Path) -> list[tuple[str, str, int, bool]]:
    """(name, section, bytes, global), the compiler's labels included."""
    lines = dump("-t", "--special-syms", str(path)).splitlines()
    matches = (SYMBOL.match(line) for line in lines)
    return [(m[5], m[3], int(m[4], 16), m[2][0] == "g") for m in matches if m]


def references(path: Path) -> Iterator[tuple[str, str]]:
    section = ""
    for line in dump("-r", str(path)).splitlines():
        if line.startswith("RELOCATION RECORDS FOR"):
            section = line[line.index("[") + 1 : line.index("]")]
        elif match := REFERENCE.match(line):
            yield section, match[1]


def sections(path: Path) -> Iterator[tuple[str, int, str]]:
    """(name, bytes, flags)"""
    lines = dump("-h", str(path)).splitlines()
    for head, flags in zip(lines, lines[1:], strict=False):
        if match := re.match(r"\s*\d+ (\S+)\s+([0-9a-f]+) ", head):
            yield match[1], int(match[2], 16), flags


# Pools that do not grow, as the boards have them, and with all that an interrupt may come by.
CONFIGS = {
    "plain": corebuild.DEFAULT,
    "board": dataclasses.replace(corebuild.DEFAULT, name="board", grow=16),
    "all-on": dataclasses.replace(corebuild.ALL_ON, name="all-on-grow", grow=16),
}
CASES = ["esp32c3-Os-plain", "esp32c3-Os-board", "esp32c3-O2-board", "esp32c3-Os-all-on",
         "esp32c6-Os-board", "esp32c6-O2-all-on"]  # fmt: skip


@pytest.fixture(scope="module", params=CASES)
def objects(request, tmp_path_factory) -> list[Path]:
    chip, level, name = request.param.split("-", 2)
    folder = tmp_path_factory.mktemp(request.param)
    config = CONFIGS[name]
    made = compile_for(CHIPS[chip], folder, core_sources(), f"-{level}", config=config)
    # The binding's code for interrupts: the doorbell.
    sources = binding_sources()
    flags = micropython_flags()
    return made + compile_for(CHIPS[chip], folder, sources, f"-{level}", *flags, config=config)


def test_interrupts_need_no_flash(objects):
    tables = {path: symbols(path) for path in objects}
    everywhere = {
        name: section
        for table in tables.values()
        for name, section, _, everybodys in table
        if section != "*UND*" and everybodys
    }
    functions = {name for name in isr_functions() if name in everywhere}
    assert len(functions) > 40
    flash = [name for name in functions if not everywhere[name].startswith(".iram1")]
    assert not flash, f"in flash: {flash}"
    holes = set()
    for path, table in tables.items():
        local = {name: section for name, section, *_ in table}
        owners = {section: name for name, section, *_ in table if name[0] not in ".$"}
        for section, name in references(path):
            if not section.startswith((".iram1", ".dram1")):
                continue
            if section.startswith(".dram1") and owners.get(section) in STRINGS_HANDED_ON:
                continue
            place = local.get(name, name)
            place = everywhere.get(name, place) if place == "*UND*" else place
            if name in ROM | IDF | TASKS_ONLY or re.fullmatch(r"\.L\d+\^B\d+", name):
                continue  # the last: labels within assembly
            if not place.startswith(REACHED):
                holes.add(f"{path.stem}: {owners.get(section, section)} -> {name} in {place}")
    assert not holes, "\n".join(sorted(holes))


def test_no_zeros_in_flash(objects):
    """Words, tables and blocks take no flash; what is stored for RAM is small."""
    stored = 0
    unset = 0
    for path in objects:
        for name, size, flags in sections(path):
            if name.startswith((".dram1", ".data", ".sdata")):
                stored += size
            elif name.startswith((".bss", ".sbss")):
                unset += size
                assert "CONTENTS" not in flags, (path.stem, name)
    assert stored < 1000, stored
    assert unset > 20000, unset


def test_iram_is_counted(objects, request):
    budget = IRAM_BUDGETS[request.node.callspec.params["objects"].split("-")[1]]
    # Once each: the port's weak functions are in every object, and one is left by the linker.
    sizes = {
        (size, name)
        for path in objects
        for name, section, size, _ in symbols(path)
        if section.startswith(".iram1") and not name.startswith(".")
    }
    total = sum(size for size, _ in sizes)
    for size, name in sorted(sizes, reverse=True):
        print(f"{size:6} {name}")
    print(f"{total:6} in IRAM")
    assert 0 < total <= budget, f"{total} bytes in IRAM, budget {budget}"
