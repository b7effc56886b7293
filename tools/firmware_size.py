#!/usr/bin/env python3
"""Bytes that this repository adds to a firmware, from the link map of its build.

    firmware_size.py build/MODESP_ESP32            an ESP32 board, as make firmware leaves it
    firmware_size.py build/rv32 [--functions 20]   an emulated board, and its largest functions

Counted is what the linker kept: the C modules' code and constants, and the frozen packages of
modules/. RAM is counted beside pools and queues: the payload and control words of the blocks, the
tables of owners, topics, subscriptions and queue slots, and the trace. Names (qstr) that only we
use are in MicroPython's own tables, and are not counted; strings are, each as often as it stands.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

# Bytes of flash by what is added: the parts it is made of, and the budget.
FLASH_BUDGETS = {
    "pools": (("mempool", "frozen"), 26 * 1024),
    "event bus": (("eventbus",), 19 * 1024),  # C3, which has no atomics, needs most
    "diagnostics": (("memdiag",), 28 * 1024),
}
RAM_BUDGET = 2 * 1024

PARTS = ("cmodules/mempool/", "cmodules/eventbus/", "firmware/platform/")
# The module _platform of the emulated boards and of the suite on a board, which a product may
# leave out (-D MEMPOOL_PLATFORM=OFF): beside the figures, not in them.
SUITE = "platform"
# Of IDF's archives the map says only the object's name, so ours are looked up by their folders.
_IN_ARCHIVE = re.compile(r"\((.+)\)$")
_SECTION = re.compile(
    r"^ (\.[^\s]+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)\n(?: +0x([0-9a-f]+) \(size before)?",
    re.MULTILINE,
)
_OUTPUT = re.compile(r"^(\.[\w.]+)", re.MULTILINE)
_STARTS = "Linker script and memory map"

# The tables of pools and queues: static variables by their names.
TABLES = {
    "mempool_payload": "payload",
    "mempool_stores": "control words",
    "mempool_pools": "control words",
    "extents": "control words",
    "arena": "arena that pools grow into",
    "mempool_owners": "owners",
    "ring": "trace",
    "topics": "topics",
    "buckets": "topics",
    "slots": "queue slots",
    "eventbus_default": "subscriptions",
}


class SizeError(Exception):
    """A build without what is needed to count: the text says what."""


@dataclass(frozen=True)
class Piece:
    """One input section that the linker kept."""

    part: str  # of PARTS, memdiag (frozen), or frozen: the other packages
    source: str
    section: str
    size: int
    flash: bool
    ram: bool  # data memory
    iram: bool


@dataclass
class Added:
    flash: int = 0
    iram: int = 0
    tables: int = 0
    ram: int = 0  # beside the tables
    suite: Counter[str] = field(default_factory=Counter)  # what the device suite's part takes
    by_part: Counter[str] = field(default_factory=Counter)  # flash
    by_table: Counter[str] = field(default_factory=Counter)
    pieces: list[Piece] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        found = []
        for name, (parts, budget) in FLASH_BUDGETS.items():
            size = sum(self.by_part[part] for part in parts)
            if size > budget:
                found.append(f"flash, {name}: {size} bytes, budget {budget}")
        if self.ram > RAM_BUDGET:
            found.append(f"RAM beside pools and queues: {self.ram} bytes, budget {RAM_BUDGET}")
        return found


def find_map(folder: Path) -> Path:
    for name in ("micropython.map", "firmware.map"):
        if (folder / name).is_file():
            return folder / name
    raise SizeError(f"{folder}: no link map; build it first")


def _source(path: str, part: str) -> str:
    return path[path.index(part) :].removesuffix(".obj").removesuffix(".o")


def our_objects(folder: Path) -> dict[str, str]:
    """Name in an archive -> 'cmodules/eventbus/core/queue.c', of the objects of ours. Names that
    stand in two folders are joined."""
    found: dict[str, str] = {}
    for path in folder.rglob("*.o*"):
        text = str(path)
        for part in PARTS:
            if part in text and path.suffix in (".o", ".obj"):
                found[path.name] = _source(text, part)
    return found


def package_names(root: Path) -> list[str]:
    return sorted(path.parent.name for path in root.glob("modules/*/manifest.py"))


def _kind(output: str) -> tuple[bool, bool, bool]:
    """An output section's (flash, data RAM, instruction RAM)."""
    if "noinit" in output:
        return False, True, False
    if "bss" in output:
        return False, True, False
    if "iram" in output:
        return True, False, True
    if "text" in output or "rodata" in output or "appdesc" in output:
        return True, False, False
    if "data" in output:
        return True, True, False
    return False, False, False


def _part_of(file: str, section: str, objects: dict[str, str], frozen: re.Pattern) -> str:
    for part in PARTS:
        if part in file:
            return _source(file, part)
    member = _IN_ARCHIVE.search(file)
    name = member[1] if member else Path(file).name
    if name.startswith("frozen_content.") and frozen.search(section):
        return "memdiag" if "memdiag" in section else "frozen"
    in_main = member and "libmain.a" in file
    return objects.get(name, "") if in_main else ""


def read_map(path: Path, objects: dict[str, str], packages: list[str]) -> list[Piece]:
    text = path.read_text(encoding="utf-8", errors="replace")
    _before, found, text = text.partition(_STARTS)
    if not found:
        raise SizeError(f"{path}: is not a map of GNU ld")
    frozen = re.compile(rf"(?:^|[._])_?(?:{'|'.join(packages)})_")
    outputs = [(match.start(), match[1]) for match in _OUTPUT.finditer(text)]
    pieces = []
    at = 0
    for match in _SECTION.finditer(text):
        while at + 1 < len(outputs) and outputs[at + 1][0] < match.start():
            at += 1
        # Strings that are the same were joined, and the first object got them all: each its own.
        merged = ".str1." in match[1] and match[5]
        size = int(merged or match[3], 16)
        source = _part_of(match[4], match[1], objects, frozen) if size else ""
        flash, ram, iram = _kind(outputs[at][1]) if outputs else (False, False, False)
        if source and (flash or ram):
            part = source.split("/")[1] if "/" in source else source
            pieces.append(Piece(part, source, match[1], size, flash, ram, iram))
    if not pieces:
        raise SizeError(f"{path}: nothing of ours is in it")
    return pieces


def count(pieces: list[Piece]) -> Added:
    added = Added(pieces=pieces)
    for piece in pieces:
        if piece.part == SUITE:
            added.suite["flash"] += piece.size * piece.flash
            added.suite["RAM"] += piece.size * piece.ram
            continue
        if piece.flash:
            added.flash += piece.size
            added.by_part[piece.part] += piece.size
        if piece.iram:
            added.iram += piece.size
        if piece.ram:
            table = TABLES.get(piece.section.rpartition(".")[2])
            if table:
                added.tables += piece.size
                added.by_table[table] += piece.size
            else:
                added.ram += piece.size
    return added


def measure(folder: Path, root: Path) -> Added:
    objects = our_objects(folder)
    return count(read_map(find_map(folder), objects, package_names(root)))


def lines_of(added: Added) -> list[str]:
    sizes = {
        name: (sum(added.by_part[part] for part in parts), budget)
        for name, (parts, budget) in FLASH_BUDGETS.items()
    }
    parts = ", ".join(f"{name} {size} of {budget}" for name, (size, budget) in sizes.items())
    tables = ", ".join(f"{name} {size}" for name, size in added.by_table.most_common())
    lines = [f"flash: {added.flash} bytes added; of their budgets: {parts}"]
    if added.iram:
        lines.append(f"IRAM: {added.iram} of them")
    lines.append(f"RAM: {added.tables} bytes of pools and queues ({tables})")
    lines.append(f"RAM beside them: {added.ram} of {RAM_BUDGET} bytes")
    if added.suite:
        suite = ", ".join(f"{name} {size}" for name, size in added.suite.items())
        lines.append(f"beside all this, for the suite on a board: {suite}")
    return lines


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="of a build")
    parser.add_argument("--functions", type=int, default=0, metavar="N", help="list the largest")
    parser.add_argument("--check", action="store_true", help="fail beyond a budget")
    args = parser.parse_args(argv)
    try:
        added = measure(args.folder, Path(__file__).resolve().parent.parent)
    except SizeError as error:
        print(f"firmware_size: {error}", file=sys.stderr)
        return 2
    print("\n".join(lines_of(added)))
    largest = sorted((piece for piece in added.pieces if piece.flash), key=lambda p: -p.size)
    for piece in largest[: args.functions]:
        print(f"{piece.size:7}  {piece.source}  {piece.section}")
    for problem in added.problems if args.check else ():
        print(f"firmware_size: {problem}", file=sys.stderr)
    return 1 if args.check and added.problems else 0


if __name__ == "__main__":
    sys.exit(main())
