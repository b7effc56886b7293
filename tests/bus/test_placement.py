"""What interrupts may call lies in RAM, with all it needs: on the ESP32 the flash may be busy.

The cores of bus and pools are compiled with the placements of the port as sections, and every
reference out of the code that is placed must lead to such a section again.
"""

from __future__ import annotations

import re
from pathlib import Path

import busbuild
import corebuild
import pytest
from busconfig import BusConfig
from crossbuild import objects, tool

CONFIG = BusConfig("bus-placed", reserve=1, trace=16, spill=True)
# eventbus.h and eventbus_cbor.h say "ISR: yes" of these.
FROM_INTERRUPTS = [
    "eventbus_publish_from_isr",
    "eventbus_counts",
    "eventbus_stats",
    "eventbus_cbor_check",
    "eventbus_cbor_read",
    "eventbus_cbor_skip",
    "eventbus_cbor_find",
    "eventbus_cbor_double",
    "eventbus_source_fire",
    "eventbus_source_counts",
    "eventbus_gap_check",
]
# In the ROM of the chips, or placed by the platform.
ELSEWHERE = {"memcpy", "memset", "memmove", "memcmp", "__udivdi3"}
# What the port supplies here and, placed or inlined, there; and labels within assembly.
PLATFORM = re.compile(r"eventbus_bare_|mempool_port_(ticks|mask|unmask)$|\.L\d+\^B")
REFERENCE = re.compile(r"^[0-9a-f]+ (R_RISCV_\w+) +([^\s+-]+)")
SYMBOL = re.compile(r"^[0-9a-f]+ .{7} (\S+)\s+[0-9a-f]+ (?:\.hidden )?(\S+)$")


def compiled(folder: Path, config: BusConfig, level: str) -> list[str]:
    paths = objects(
        folder,
        "rv32",
        config,
        level,
        "-ffunction-sections",
        "-include",
        str(busbuild.HERE / "placed.h"),
        sources=[*busbuild.bus_sources(), *corebuild.core_sources()],
        includes=busbuild.INCLUDES,
    )
    return [str(path) for path in paths]


def symbols(path: str) -> dict[str, str]:
    """The section of each symbol, the compiler's labels included."""
    listing = tool("rv32", "objdump", "-t", "--special-syms", path)
    found = (SYMBOL.match(line) for line in listing.splitlines())
    return {match[2]: match[1] for match in found if match}


def references(path: str):
    """(section, symbol) of everything that code or data refers to."""
    section = ""
    for line in tool("rv32", "objdump", "-r", path).splitlines():
        if line.startswith("RELOCATION RECORDS FOR"):
            section = line[line.index("[") + 1 : line.index("]")]
        elif match := REFERENCE.match(line):
            yield section, match[2]


@pytest.mark.parametrize("level", ["-Os", "-O2"])
@pytest.mark.parametrize("config", CONFIG.variants(), ids=lambda c: c.name)
def test_code_of_interrupts_needs_no_flash(tmp_path, config, level):
    tables = {path: symbols(path) for path in compiled(tmp_path, config, level)}
    everywhere = {
        name: place
        for table in tables.values()
        for name, place in table.items()
        if place != "*UND*"
    }
    flash = [name for name in FROM_INTERRUPTS if not everywhere[name].startswith(".hot")]
    assert not flash, "not placed at all"
    holes = set()
    for path, table in tables.items():
        names = {place: name for name, place in table.items() if name[0] != "."}
        for section, name in references(path):
            place = table.get(name, name)
            place = everywhere.get(name, place) if place == "*UND*" else place
            if (
                section.startswith(".hot")
                and not place.startswith((".hot", ".fast", ".bss", ".sbss", "*ABS*"))
                and name not in ELSEWHERE
                and not PLATFORM.match(name)
            ):
                holes.add(f"{names.get(section, section)} -> {name} in {place}")
    assert not holes, "\n".join(sorted(holes))
