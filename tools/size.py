#!/usr/bin/env python3
"""Bytes of the pools' core, read from ELF files: code, static RAM, and metadata a byte of payload.

    size.py                the figures, on the terminal
    size.py --check        fails where a budget is not kept, or README.md shows other figures
    size.py --markdown     writes the table in README.md and docs/budgets.md
    size.py --json         every figure

The whole core is linked, and nothing else: what a firmware leaves out because nobody calls it is
counted here all the same. The counts of blocks are the defaults.
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

# Metadata in percent of the payload; .text of the core in bytes, on RV32, where nothing is on that
# production does without.
TRACED = with_setting(ALL_ON, "MEMORY_POOL_TRACE_ALLOCATIONS=y")
CONFIGURATIONS = {"production": (PRODUCTION, 6.0), "full diagnostics": (TRACED, 15.0)}
TEXT_BUDGET = 4096

# Static RAM by its symbol, or else by the file of core/ that it is in. What is not here is
# metadata, so that nothing escapes.
BY_SYMBOL = {"mempool_payload": "payload", "mempool_port_ticks": "other"}
BY_FILE = {"owner": "owners", "trace": "trace", "pressure": "other", "poison": "other"}


@dataclass
class Figures:
    """Bytes of one core."""

    machine: str
    configuration: str
    text: int
    constants: int
    ram: dict[str, int] = field(default_factory=dict)  # by kind
    symbols: dict[str, int] = field(default_factory=dict)  # of the static RAM

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
            ("ram", (".data", ".sdata", ".bss", ".sbss")),
        ):
            if name.startswith(starts):
                total[kind] += size
    return total


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
                symbols[symbol] = (file, int(words[1], 16))
    return symbols


def kind_of(symbol: str, file: str) -> str:
    return BY_SYMBOL.get(symbol.rpartition(" ")[2]) or BY_FILE.get(file, "metadata")


def measure(machine: Machine, configuration: str) -> Figures:
    settings = CONFIGURATIONS[configuration][0]
    folder = BUILD / f"{machine.board}-{configuration.replace(' ', '-')}"
    config = configure(machine.board, settings, folder / "config")
    flags = include_flags(config)
    objects = compile_all(machine, core_sources(), flags, folder, hot_flags())
    # memcpy and the like are the firmware's; their addresses do not matter here.
    image = folder / "core.elf"
    command = [f"{machine.prefix}ld", "-m", machine.emulation, "--unresolved-symbols=ignore-all"]
    run([*command, "-e0", *objects, "-o", str(image)], "linking the core")
    total = sections(machine, image)
    figures = Figures(machine.name, configuration, total["text"], total["constants"])
    kinds = (*BY_SYMBOL.values(), *BY_FILE.values(), "metadata")
    figures.ram = dict.fromkeys(kinds, 0)
    for symbol, (file, size) in ram_symbols(machine, objects).items():
        figures.symbols[symbol] = size
        figures.ram[kind_of(symbol, file)] += size
    # What lies between symbols is there for their alignment.
    figures.ram["metadata"] += total["ram"] - sum(figures.ram.values())
    if figures.ram["payload"] == 0:
        raise BuildError("size: the core has no symbol mempool_payload")
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


def rows(all_figures: list[Figures]) -> list[list[str]]:
    table = [["bytes of the core, whole"]]
    lines = {
        "code (.text); RV32 production: budget 4096": lambda f: f"{f.text}",
        "constant tables": lambda f: f"{f.constants}",
        "payload of the blocks": lambda f: f"{f.ram['payload']}",
        "metadata (words, stamps, bitmaps, pools)": lambda f: f"{f.ram['metadata']}",
        "metadata in percent of the payload / budget": lambda f: (
            f"{f.percent:.2f} / {CONFIGURATIONS[f.configuration][1]:g}"
        ),
        "owner table": lambda f: f"{f.ram['owners']}",
        "trace ring": lambda f: f"{f.ram['trace']}",
        "other state (doorbell of pressure, tick)": lambda f: f"{f.ram['other']}",
    }
    for item in all_figures:
        table[0].append(f"{item.machine}, {item.configuration}")
    for says, show in lines.items():
        table.append([says, *(show(item) for item in all_figures)])
    return table


def markdown(all_figures: list[Figures]) -> str:
    head, *rest = rows(all_figures)
    versions = ", ".join(f"{m.prefix}gcc {m.version()}" for m in (RV32, CM3))
    lines = [
        f"Made by `{COMMAND}` ({versions}; {flags_text()}; default block counts).",
        "",
        "| " + " | ".join(head) + " |",
        "|---" + "|---:" * (len(head) - 1) + "|",
    ]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rest])


def plain(all_figures: list[Figures]) -> str:
    table = rows(all_figures)
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
        problems = broken(figures)
        if args.json:
            print(json.dumps([asdict(item) | {"percent": item.percent} for item in figures]))
        else:
            print(plain(figures))
        for path in DOCUMENTS if args.markdown else ():
            update(path, PART, markdown(figures))
        if args.check:
            problems += outdated(markdown(figures))
    except (BuildError, MarkerError) as error:
        print(f"size: {error}", file=sys.stderr)
        return 2
    for problem in problems:
        print(f"size: {problem}", file=sys.stderr)
    return 1 if args.check and problems else 0


if __name__ == "__main__":
    sys.exit(main())
