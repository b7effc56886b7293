"""The generated files: sdkconfig, sdkconfig.h, and the data that the module boardcfg reads.

All three are functions of the values alone (no date, no path), and a file whose content would not
change is left untouched, so that make builds only what has to be built.
"""

from __future__ import annotations

from pathlib import Path

import esp_kconfiglib.core as kconfiglib
from kconfig_boards import Board
from kconfig_data import DATA, MADE_BY, data_text, write_if_changed
from kconfig_model import symbols


def header_text(kconf: kconfiglib.Kconfig) -> str:
    """sdkconfig.h as IDF writes it: a bool is 1 or absent, a number is itself."""
    lines = [f"// {MADE_BY}", "#pragma once", ""]
    for symbol in symbols(kconf):
        text = symbol.str_value
        if not symbol.config_string or text == "n":
            continue
        lines.append(f"#define CONFIG_{symbol.name} {1 if text == 'y' else text}")
    return "\n".join(lines) + "\n"


def sdkconfig_text(kconf: kconfiglib.Kconfig) -> str:
    lines = [f"# {MADE_BY}"]
    for symbol in symbols(kconf):
        if symbol.config_string:
            lines.append(symbol.config_string.rstrip("\n"))
    return "\n".join(lines) + "\n"


def shown_values(kconf: kconfiglib.Kconfig) -> list[tuple[str, bool | int]]:
    """Every symbol with its value. One that does not exist in this configuration is False or 0:
    there is none of it."""
    found: list[tuple[str, bool | int]] = []
    for symbol in symbols(kconf):
        text = symbol.str_value if symbol.config_string else ""
        found.append(
            (symbol.name, text == "y" if symbol.type == kconfiglib.BOOL else int(text or 0))
        )
    return found


def write_outputs(
    kconf: kconfiglib.Kconfig, board: Board, pins: dict[str, int], folder: Path
) -> list[Path]:
    """Write what changed, and return it."""
    files = {
        folder / "sdkconfig": sdkconfig_text(kconf),
        folder / "sdkconfig.h": header_text(kconf),
        folder / DATA: data_text(board.name, shown_values(kconf), pins),
    }
    return [path for path, text in files.items() if write_if_changed(path, text)]
