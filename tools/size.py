#!/usr/bin/env python3
"""Bytes of the pools' core and of the bus's, read from ELF files: code, static RAM by what it
holds, and of the pools metadata a byte of payload.

    size.py                the figures, on the terminal
    size.py --check        fails where a budget is not kept, or README.md shows other figures
    size.py --markdown     writes the table in README.md and docs/budgets.md
    size.py --json         every figure

A whole core is linked, and nothing else: what a firmware leaves out because nobody calls it is
counted here all the same. The counts of blocks and the bus's tables are the defaults.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from coreimage import (
    ALL_ON,
    BUS,
    CM3,
    PRODUCTION,
    ROOT,
    RV32,
    BuildError,
    Machine,
    compile_all,
    configure,
    core_sources,
    flags_text,
    hot_flags,
    include_flags,
    run,
    with_setting,
)
from marked import MarkerError, part, update

BUILD = ROOT / "build" / "size"
DOCUMENTS = (ROOT / "README.md", ROOT / "docs" / "budgets.md")
PART = "size"
COMMAND = "make size"

# Metadata in percent of the payload; .text of the cores in bytes, on RV32, that of the pools where
# nothing is on that production does without.
TRACED = with_setting(ALL_ON, "MEMORY_POOL_TRACE_ALLOCATIONS=y")
FULL = with_setting(TRACED, "MEMORY_POOL_GROW_BLOCKS=0")
CONFIGURATIONS = {"production": (PRODUCTION, 6.0), "full diagnostics": (FULL, 15.0)}
# That pools can grow is measured beside these; the arena is a board's own.
GROWTH, ARENA, ARENA_BYTES = "MEMORY_POOL_GROW_BLOCKS", "MEMORY_POOL_GROW_ARENA", 1024
TEXT_BUDGET = 4400
BUS_TEXT_BUDGET = 8100

# Static RAM by its symbol, or else by the file of core/ that it is in. What is not here is
# metadata, so that nothing escapes.
BY_SYMBOL = {"mempool_payload": "payload", "mempool_port_ticks": "other"}
BY_FILE = {
    "owner": "owners",
    "trace": "trace",
    "pressure": "other",
    "poison": "other",
    "noinit": "noinit",
}

# The same of the bus: its variables by what they hold, and the parts of the one that is a
# structure, whose sizes the compiler is asked for. What is not here is "other".
BUS_VARIABLES = {"slots": "slots", "topics": "topics", "buckets": "topics"}
BUS_STATE = "eventbus_default"
BUS_MEMBERS = {"match": "topics", "known": "topics", "subs": "subscriptions"}


@dataclass
class Figures:
    """Bytes of one core."""

    machine: str
    configuration: str
    text: int
    constants: int
    ram: dict[str, int] = field(default_factory=dict)  # by kind
    symbols: dict[str, int] = field(default_factory=dict)  # of the static RAM
    growth: dict[str, int] = field(default_factory=dict)  # by 16 blocks a pool: bytes more

    @property
    def percent(self) -> float:
        return 100 * self.ram["metadata"] / self.ram["payload"]


def sections(machine: Machine, image: Path) -> dict[str, int]:
    """Bytes of the sections that take memory, by what they hold."""
    total = {"text": 0, "constants": 0, "ram": 0}
    for line in run([f"{machine.prefix}size", "-A", str(image)], "size").splitlines():
        words = line.split()
        if len(words) != 3 or not words[0].startswith("."):
            continue
        name, size = words[0], int(words[1])
        for kind, starts in (
            ("text", (".text",)),
            ("constants", (".rodata", ".srodata")),
            ("ram", (".data", ".sdata", ".bss", ".sbss", ".noinit")),
        ):
            if name.startswith(starts):
                total[kind] += size
    return total


# Copies of weak variables beyond the first, which a firmware's linker drops with their sections.
AGAIN = "again"


def ram_symbols(machine: Machine, objects: list[str]) -> dict[str, tuple[str, int]]:
    """The variables of the core: symbol -> (file of core/, bytes)."""
    symbols: dict[str, tuple[str, int]] = {}
    for path in objects:
        command = [f"{machine.prefix}nm", "-S", "--defined-only", path]
        for line in run(command, "nm").splitlines():
            words = line.split()
            if len(words) == 4 and words[2] in "bBdDsSgGvVcC":
                file = Path(path).stem
                # A weak variable of a header is in several objects, and once in the firmware.
                symbol = words[3] if words[2] in "vV" else f"{file}: {words[3]}"
                if symbol in symbols:
                    symbols[AGAIN] = ("", symbols.get(AGAIN, ("", 0))[1] + int(words[1], 16))
                    continue
                symbols[symbol] = (file, int(words[1], 16))
    return symbols


def kind_of(symbol: str, file: str) -> str:
    return BY_SYMBOL.get(symbol.rpartition(" ")[2]) or BY_FILE.get(file, "metadata")


def link(machine: Machine, objects: list[str], image: Path) -> dict[str, int]:
    """Bytes by kind of section. What a core leaves to others, memcpy or another core, does not
    matter here, nor do addresses."""
    command = [f"{machine.prefix}ld", "-m", machine.emulation, "--unresolved-symbols=ignore-all"]
    run([*command, "-e0", *objects, "-o", str(image)], "linking the core")
    return sections(machine, image)


def core_of(
    machine: Machine, settings: tuple[str, ...], folder: Path
) -> tuple[list[str], dict[str, int]]:
    """The pools' core compiled and linked. -> its objects, and bytes by kind of section."""
    config = configure(machine.board, settings, folder / "config")
    objects = compile_all(machine, core_sources(), include_flags(config), folder, hot_flags())
    return objects, link(machine, objects, folder / "core.elf")


def measure(machine: Machine, configuration: str) -> Figures:
    settings = CONFIGURATIONS[configuration][0]
    folder = BUILD / f"{machine.board}-{configuration.replace(' ', '-')}"
    objects, total = core_of(machine, settings, folder)
    figures = Figures(machine.name, configuration, total["text"], total["constants"])
    kinds = (*BY_SYMBOL.values(), *BY_FILE.values(), "metadata")
    figures.ram = dict.fromkeys(kinds, 0)
    symbols = ram_symbols(machine, objects)
    total["ram"] -= symbols.pop(AGAIN, ("", 0))[1]
    for symbol, (file, size) in symbols.items():
        figures.symbols[symbol] = size
        figures.ram[kind_of(symbol, file)] += size
    # What lies between symbols is there for their alignment.
    figures.ram["metadata"] += total["ram"] - sum(figures.ram.values())
    if figures.ram["payload"] == 0:
        raise BuildError("size: the core has no symbol mempool_payload")
    grown = with_setting(settings, f"{GROWTH}=16") + (f"{ARENA}={ARENA_BYTES}",)
    more = core_of(machine, grown, folder / "growing")[1]
    figures.growth = {kind: size - total[kind] for kind, size in more.items()}
    figures.growth["ram"] -= ARENA_BYTES
    return figures


@dataclass
class BusFigures:
    """Bytes of one core of the bus."""

    machine: str
    text: int
    constants: int
    ram: dict[str, int] = field(default_factory=dict)  # by what it holds
    counts: dict[str, int] = field(default_factory=dict)  # of what, in this configuration


def member_sizes(machine: Machine, flags: list[str], folder: Path) -> dict[str, int]:
    """Bytes of the members of the bus's state that BUS_MEMBERS names."""
    source = folder / "members.c"
    lines = [f"char {name}[sizeof(((eventbus_t *)0)->{name})];" for name in BUS_MEMBERS]
    source.write_text("\n".join(['#include "eventbus_core.h"', *lines, ""]), encoding="utf-8")
    objects = compile_all(machine, [source], flags, folder, {})
    symbols = ram_symbols(machine, objects)
    return {name: symbols[f"members: {name}"][1] for name in BUS_MEMBERS}


def measure_bus(machine: Machine) -> BusFigures:
    folder = BUILD / f"{machine.board}-eventbus"
    config = configure(machine.board, (), folder / "config")
    flags = include_flags(config, BUS)
    objects = compile_all(machine, core_sources(BUS), flags, folder, {})
    total = link(machine, objects, folder / "core.elf")
    figures = BusFigures(machine.name, total["text"], total["constants"])
    ram = dict.fromkeys((*BUS_VARIABLES.values(), *BUS_MEMBERS.values()), 0)
    found = {
        symbol.rpartition(" ")[2]: size
        for symbol, (_, size) in ram_symbols(machine, objects).items()
    }
    for name, kind in BUS_VARIABLES.items():
        ram[kind] += found.get(name, 0)
    for name, size in member_sizes(machine, flags, folder).items():
        ram[BUS_MEMBERS[name]] += size
    if BUS_STATE not in found or 0 in ram.values():
        raise BuildError(f"size: the bus's state is not where it was: {ram}")
    ram["other"] = total["ram"] - sum(ram.values())
    figures.ram = ram
    header = (config / "sdkconfig.h").read_text(encoding="utf-8")
    for kind, name in (("slots", "QUEUE"), ("topics", "TOPICS"), ("subscriptions", "SUBSCRIBERS")):
        value = re.search(rf"CONFIG_MEMORY_POOL_EVENT_{name} (\d+)", header)
        figures.counts[kind] = int(value[1]) if value else 0
    return figures


def broken(all_figures: list[Figures]) -> list[str]:
    """A line for each budget that is not kept."""
    lines = []
    for item in all_figures:
        limit = CONFIGURATIONS[item.configuration][1]
        if item.percent > limit:
            lines.append(
                f"metadata, {item.machine}, {item.configuration}: {item.percent:.2f} % of the "
                f"payload, budget {limit:g} %"
            )
        limited = item.machine == RV32.name and item.configuration == "production"
        if limited and item.text > TEXT_BUDGET:
            lines.append(
                f".text of the core, {item.machine}, {item.configuration}: {item.text} bytes, "
                f"budget {TEXT_BUDGET}"
            )
    return lines


def bus_broken(all_figures: list[BusFigures]) -> list[str]:
    return [
        f".text of the bus's core, {item.machine}: {item.text} bytes, budget {BUS_TEXT_BUDGET}"
        for item in all_figures
        if item.machine == RV32.name and item.text > BUS_TEXT_BUDGET
    ]


def rows(all_figures: list[Figures]) -> list[list[str]]:
    table = [["bytes of the core, whole"]]
    lines = {
        "code (.text); RV32 production: budget 4400": lambda f: f"{f.text}",
        "constant tables": lambda f: f"{f.constants}",
        "payload of the blocks": lambda f: f"{f.ram['payload']}",
        "metadata (words, stamps, bitmaps, pools)": lambda f: f"{f.ram['metadata']}",
        "metadata in percent of the payload / budget": lambda f: (
            f"{f.percent:.2f} / {CONFIGURATIONS[f.configuration][1]:g}"
        ),
        "owner table": lambda f: f"{f.ram['owners']}",
        "trace ring": lambda f: f"{f.ram['trace']}",
        "noinit region": lambda f: f"{f.ram['noinit']}",
        "other state (doorbell of pressure, tick)": lambda f: f"{f.ram['other']}",
        "more where each pool can grow by 16 blocks: code": lambda f: f"{f.growth['text']}",
        "more where each pool can grow by 16 blocks: RAM": lambda f: f"{f.growth['ram']}",
    }
    for item in all_figures:
        table[0].append(f"{item.machine}, {item.configuration}")
    for says, show in lines.items():
        table.append([says, *(show(item) for item in all_figures)])
    return table


def bus_rows(all_figures: list[BusFigures]) -> list[list[str]]:
    table = [["bytes of the event bus's core, whole", *(item.machine for item in all_figures)]]
    first = all_figures[0]
    lines = {
        f"code (.text); RV32: budget {BUS_TEXT_BUDGET}": lambda f: f"{f.text}",
        "constant tables": lambda f: f"{f.constants}",
        f"queue: {first.counts['slots']} slots": lambda f: f"{f.ram['slots']}",
        f"topics: {first.counts['topics']}, with names and matches": lambda f: (
            f"{f.ram['topics']}"
        ),
        f"subscriptions: {first.counts['subscriptions']}": lambda f: f"{f.ram['subscriptions']}",
        "other state": lambda f: f"{f.ram['other']}",
    }
    for says, show in lines.items():
        table.append([says, *(show(item) for item in all_figures)])
    return table


def markdown_table(table: list[list[str]]) -> list[str]:
    head, *rest = table
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rest]


def markdown(pools: list[Figures], bus: list[BusFigures]) -> str:
    versions = ", ".join(f"{m.prefix}gcc {m.version()}" for m in (RV32, CM3))
    lines = [
        f"Made by `{COMMAND}` ({versions}; {flags_text()}; default block counts and tables).",
        "",
        *markdown_table(rows(pools)),
        "",
        *markdown_table(bus_rows(bus)),
    ]
    return "\n".join(lines)


def plain(table: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    lines = []
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells))
    return "\n".join(lines)


def outdated(content: str) -> list[str]:
    """The documents that show other figures; those of another compiler are not compared."""
    lines = []
    versions = re.findall(r"-gcc ([\d.]+)", content)
    for path in DOCUMENTS:
        shown = part(path, PART)
        if re.findall(r"-gcc ([\d.]+)", shown) not in ([], versions):
            print(f"{path.name}: made with other compilers, so not compared", file=sys.stderr)
        elif shown.split() != content.split():
            lines.append(f"{path.name}: its figures are not current, run tools/size.py --markdown")
    return lines


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    for name in ("check", "markdown", "json"):
        parser.add_argument(f"--{name}", action="store_true")
    args = parser.parse_args(argv)
    try:
        figures = [measure(m, c) for m in (RV32, CM3) for c in CONFIGURATIONS]
        bus = [measure_bus(machine) for machine in (RV32, CM3)]
        problems = broken(figures) + bus_broken(bus)
        if args.json:
            shown = [asdict(item) | {"percent": item.percent} for item in figures]
            print(json.dumps({"pools": shown, "bus": [asdict(item) for item in bus]}))
        else:
            print(plain(rows(figures)), plain(bus_rows(bus)), sep="\n\n")
        for path in DOCUMENTS if args.markdown else ():
            update(path, PART, markdown(figures, bus))
        if args.check:
            problems += outdated(markdown(figures, bus))
    except (BuildError, MarkerError) as error:
        print(f"size: {error}", file=sys.stderr)
        return 2
    for problem in problems:
        print(f"size: {problem}", file=sys.stderr)
    return 1 if args.check and problems else 0


if __name__ == "__main__":
    sys.exit(main())
