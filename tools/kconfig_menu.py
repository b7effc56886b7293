"""menuconfig: esp-idf-kconfig's own menu, and its result written back to a board's settings.

A board's file stays as short as a person would write it: only what differs from the defaults, in
place, with its comments and IDF's own lines kept.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import esp_kconfiglib.core as kconfiglib
from kconfig_boards import Board, ConfigError, shown
from kconfig_data import write_if_changed
from kconfig_lines import parse_file, parse_line
from kconfig_model import ENABLE, default_of, evaluate, load_kconfig, symbols
from kconfig_outputs import sdkconfig_text

# Shows the menu for a configuration; True where the user saved it to $KCONFIG_CONFIG.
Menu = Callable[[kconfiglib.Kconfig], bool]


def _menu(kconf: kconfiglib.Kconfig) -> bool:
    from esp_menuconfig import menuconfig

    return menuconfig(kconf)


def changed_values(kconf: kconfiglib.Kconfig) -> dict[str, str]:
    """Symbol -> value, of those that are not at their default and exist in this configuration."""
    return {
        symbol.name: symbol.str_value
        for symbol in symbols(kconf)
        if symbol.config_string and symbol.str_value != default_of(symbol)
    }


def merged(text: str, ours: set[str], changed: dict[str, str]) -> str:
    """The text of a settings file with the changed values in it.

    Lines of other symbols and comments stay; a line of ours is replaced in place, or removed where
    its symbol is at its default again; what is new is appended in the order of the menu.
    """
    lines = []
    written = set()
    for line in text.splitlines():
        given = parse_line(line.rstrip(), "")
        if given is None or given.name not in ours:
            lines.append(line)
        elif given.name in changed and given.name not in written:
            same = given.value == changed[given.name]
            lines.append(line if same else f"CONFIG_{given.name}={changed[given.name]}")
            written.add(given.name)
    lines += [f"CONFIG_{name}={value}" for name, value in changed.items() if name not in written]
    return "".join(line + "\n" for line in lines)


def save(board: Board, kconf: kconfiglib.Kconfig) -> bool:
    """Write a configuration back to its board's file; whether the file changed."""
    if kconf.syms[ENABLE].str_value == "y":
        ours = {symbol.name for symbol in symbols(kconf)}
        changed = changed_values(kconf)
    else:  # the others wait in the file, untouched
        ours = {ENABLE}
        changed = {ENABLE: "n"}
    text = board.settings.read_text(encoding="utf-8")
    return write_if_changed(board.settings, merged(text, ours, changed))


def edit(board: Board, menu: Menu = _menu) -> str:
    """Show the menu until what it saved is right, write it back, and say what was done."""
    kconf = evaluate(board, [])
    start = sdkconfig_text(kconf)
    if kconf.syms[ENABLE].str_value == "n":  # what waits in the file, for when it is switched on
        start += "".join(
            f"CONFIG_{each.name}={each.value}\n"
            for each in parse_file(board.settings)
            if each.name in kconf.syms and each.name != ENABLE
        )
    with tempfile.TemporaryDirectory(prefix="menuconfig-") as folder:
        working = Path(folder) / "sdkconfig"
        working.write_text(start, encoding="utf-8")
        os.environ["KCONFIG_CONFIG"] = str(working)
        while menu(load_kconfig()):
            try:
                # What was saved, which is not what the menu held where it was left unsaved.
                result = evaluate(board, [], settings=working)
            except ConfigError as error:
                print(str(error).removeprefix(f"{folder}/"), file=sys.stderr)
                try:
                    input("Not saved. Enter: back to the menu. Ctrl-C: give up the changes. ")
                except (EOFError, KeyboardInterrupt):
                    raise ConfigError(f"{shown(board.settings)} is as it was") from None
                continue
            written = save(board, result)
            return f"{shown(board.settings)} {'saved' if written else 'needs no change'}"
    return f"{shown(board.settings)} is as it was"
