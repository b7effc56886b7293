#!/usr/bin/env python3
"""What IDF's build of an ESP32 board really uses: the sdkconfig that IDF resolved, held against
the board's sdkconfig.board, and the data of the module boardcfg made from it.

    kconfig_idf.py --board-dir boards/MODESP_ESP32 --sdkconfig build/.../sdkconfig --output DIR

CMake runs it (cmodules/mempool/micropython.cmake) with IDF's Python, so it needs no package. IDF
passes over a value that is out of range or a symbol that does not exist, and keeps an sdkconfig
that is older than the board's file: here each of these stops the build with one line. What was
changed with IDF's own menuconfig is taken, and said.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from kconfig_boards import ROOT, ConfigError, load_pins, read_board, shown
from kconfig_data import DATA, data_text, write_if_changed
from kconfig_lines import Assignment, parse_file
from kconfig_rules import PREFIX, broken_rules

KCONFIG = ROOT / "cmodules" / "mempool" / "Kconfig"
# What the board's file said when IDF made its sdkconfig from it.
SEEN = "sdkconfig.seen"

# Our own Kconfig is written so that this suffices; a test compares it with esp-idf-kconfig.
_CONFIG = re.compile(r"^\s*config (\w+)\n\s*(bool|int) (?:.*\n)*?(?=^\s*help$)", re.MULTILINE)
_RANGE = re.compile(r"^\s*range (\d+) (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Symbol:
    name: str
    low: int | None = None  # None: a bool
    high: int | None = None

    @property
    def is_bool(self) -> bool:
        return self.low is None

    def allows(self, value: str) -> bool:
        if self.low is None or self.high is None:
            return value in ("y", "n")
        return bool(re.fullmatch(r"0|[1-9][0-9]*", value)) and self.low <= int(value) <= self.high

    @property
    def allowed(self) -> str:
        return "y or n" if self.is_bool else f"{self.low} to {self.high}"


def menu_symbols() -> dict[str, Symbol]:
    """The symbols of our Kconfig, in its order."""
    found = {}
    for match in _CONFIG.finditer(KCONFIG.read_text(encoding="utf-8")):
        limits = _RANGE.search(match[0])
        if match[2] == "bool":
            found[match[1]] = Symbol(match[1])
        elif limits:
            found[match[1]] = Symbol(match[1], int(limits[1]), int(limits[2]))
    return found


def ours_of(path: Path) -> list[Assignment]:
    return [each for each in parse_file(path) if each.name.startswith(PREFIX)]


def resolved_values(sdkconfig: Path) -> dict[str, str]:
    """Symbol -> value of ours in IDF's sdkconfig; what a dependency switches off is absent."""
    ours = {
        each.name: each.value for each in parse_file(sdkconfig) if each.name.startswith(PREFIX)
    }
    if not ours:
        raise ConfigError(
            f"{shown(sdkconfig)}: no CONFIG_{PREFIX}ENABLE; the board's mpconfigboard.cmake must"
            " include boards/modesp.cmake, or add cmodules/mempool to EXTRA_COMPONENT_DIRS"
        )
    return ours


def _check_given(given: Assignment, known: dict[str, Symbol]) -> None:
    if given.name not in known:
        raise given.error("is not a symbol of the menu")
    if not known[given.name].allows(given.value):
        raise given.error(f"is out of range: {known[given.name].allowed}")


def compare(given: dict[str, Assignment], ours: dict[str, str], sdkconfig: Path) -> list[str]:
    """A line for each value that IDF's menuconfig changed. ConfigError where one does not hold."""
    changed = []
    known = menu_symbols()
    enabled = ours.get(PREFIX + "ENABLE") == "y"
    for each in given.values():
        _check_given(each, known)
        value = ours.get(each.name, "n" if known[each.name].is_bool else "")
        if value == each.value or not enabled:
            continue
        if each.name not in ours:
            raise each.error("does not hold: another symbol switches it off")
        changed.append(f"CONFIG_{each.name}={value} by {shown(sdkconfig)}, not {each.value}")
    return changed


def check_rules(ours: dict[str, str], sdkconfig: Path) -> None:
    numbers = {
        name: int(value == "y") if value in ("y", "n") else int(value)
        for name, value in ours.items()
    }
    for broken in broken_rules(numbers):
        wrong = Assignment(broken.symbol, ours[broken.symbol], shown(sdkconfig))
        raise wrong.error(broken.says)


def boardcfg_values(ours: dict[str, str]) -> list[tuple[str, bool | int]]:
    """Every symbol with its value, in the order of the menu."""
    return [
        (each.name, ours.get(each.name) == "y" if each.is_bool else int(ours.get(each.name, 0)))
        for each in menu_symbols().values()
    ]


def resolve(folder: Path, extra: Path | None, sdkconfig: Path, output: Path) -> list[str]:
    """Check, and write the data. -> what menuconfig changed."""
    board = read_board(folder)
    pins = load_pins(board)
    given: dict[str, Assignment] = {}
    for path in (board.settings, *([extra] if extra else [])):
        given.update(
            {each.name: each for each in parse_file(path) if each.name.startswith(PREFIX)}
        )
    ours = resolved_values(sdkconfig)
    changed = compare(given, ours, sdkconfig)
    said = "".join(f"CONFIG_{each.name}={each.value}\n" for each in given.values())
    seen = output / SEEN
    if changed and seen.is_file() and seen.read_text(encoding="utf-8") != said:
        raise ConfigError(
            f"{shown(sdkconfig)}: older than {shown(board.settings)}, which says otherwise:"
            " remove the former, and build again"
        )
    if not changed:
        write_if_changed(seen, said)
    check_rules(ours, sdkconfig)
    write_if_changed(output / DATA, data_text(board.name, boardcfg_values(ours), pins))
    return changed


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--board-dir", required=True, type=Path)
    parser.add_argument("--extra", type=Path, help="one more file of settings, which wins")
    parser.add_argument("--sdkconfig", required=True, type=Path)
    parser.add_argument("--output", required=True, type=Path)
    args = parser.parse_args(argv)
    try:
        for line in resolve(args.board_dir, args.extra, args.sdkconfig, args.output):
            print(f"menuconfig: {line}")
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
