"""Boards: the folders of boards/, and what each says about itself and its pins.

A board is a folder with board.json and pins.csv in MicroPython's own formats and sdkconfig.board,
the settings that differ from the defaults of Kconfig. A mistake in any of them is a ConfigError of
one line that names the file and the line.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from kconfig_pins import refusal

ROOT = Path(__file__).resolve().parent.parent
BOARDS = ROOT / "boards"

# MicroPython's name for an ESP32 pin, and the number of the highest one it knows.
_PIN = re.compile(r"GPIO(0|[1-9][0-9]*)")
_HIGHEST_PIN = 48
_ROLE = re.compile(r"[a-z][a-z0-9_]*")
_ROLE_MAX_BYTES = 31


class ConfigError(Exception):
    """A mistake in what a user wrote: the text is the one line that the build stops with."""


@dataclass(frozen=True)
class Board:
    name: str
    folder: Path
    mcu: str
    product: str
    has_psram: bool = False  # "External RAM" among the features of board.json

    @property
    def is_esp(self) -> bool:
        """Whether IDF reads sdkconfig.board too, so that IDF's own symbols may stand in it."""
        return self.mcu.startswith("esp32")

    @property
    def settings(self) -> Path:
        return self.folder / "sdkconfig.board"


def shown(path: Path) -> str:
    """The path as a user types it: relative to the current folder where it is below."""
    full = path.resolve()
    return str(full.relative_to(Path.cwd()) if full.is_relative_to(Path.cwd()) else full)


def read_lines(path: Path) -> list[tuple[str, str]]:
    """The lines of a file that a user wrote, each with where it stands ('file:line')."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(f"{shown(path)}:{line}: not UTF-8") from None
    return [(line, f"{shown(path)}:{number}") for number, line in enumerate(lines, 1)]


def nearest(wrong: str, known: list[str], likeness: float) -> str:
    """The known name most like a wrong one; empty where none is as like (0 to 1)."""
    near = difflib.get_close_matches(wrong, known, n=1, cutoff=likeness)
    return near[0] if near else ""


def board_names() -> list[str]:
    return sorted(path.parent.name for path in BOARDS.glob("*/board.json"))


def load_board(name: str) -> Board:
    names = board_names()
    if name not in names:
        guess = nearest(name.upper(), names, 0.6)
        hint = f"; did you mean {guess}?" if guess else ""
        raise ConfigError(f"no board {name!r}; boards: {' '.join(names)}{hint}")
    return read_board(BOARDS / name)


def read_board(folder: Path) -> Board:
    """A board by its folder, which may be anywhere."""
    path = folder / "board.json"
    try:
        about = json.loads("\n".join(line for line, _where in read_lines(path)))
    except json.JSONDecodeError as error:
        raise ConfigError(f"{shown(path)}:{error.lineno}: not JSON: {error.msg}") from None
    if not isinstance(about, dict):
        about = {}
    for key in ("mcu", "product"):
        if not isinstance(about.get(key), str) or not about[key]:
            raise ConfigError(f"{shown(path)}:1: {key!r} is missing: a text that is not empty")
    features = about.get("features", [])
    has_psram = isinstance(features, list) and "External RAM" in features
    board = Board(folder.name, folder, about["mcu"], about["product"], has_psram)
    if not board.settings.is_file():
        raise ConfigError(f"{shown(board.settings)}: missing; an empty file takes all defaults")
    return board


def load_pins(board: Board) -> dict[str, int]:
    """Role -> number of the pin, from pins.csv (lines 'role,GPIOn'); no file, no pins."""
    path = board.folder / "pins.csv"
    if not path.exists():
        return {}
    pins: dict[str, int] = {}
    places: dict[str | int, str] = {}
    for line, where in read_lines(path):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split(",")]
        if len(fields) != 2:
            raise ConfigError(f"{where}: {line.strip()!r} is not 'role,pin'")
        role, pin = fields
        if not _ROLE.fullmatch(role) or len(role) > _ROLE_MAX_BYTES:
            raise ConfigError(
                f"{where}: role {role!r} is not a name: a to z, 0 to 9 and _, a letter first,"
                f" at most {_ROLE_MAX_BYTES}"
            )
        match = _PIN.fullmatch(pin)
        if not match or int(match[1]) > _HIGHEST_PIN:
            raise ConfigError(
                f"{where}: pin {pin!r} of role {role!r} is not a pin: GPIO0 to GPIO{_HIGHEST_PIN}"
            )
        if role in places:
            raise ConfigError(f"{where}: role {role!r} has a pin already, by {places[role]}")
        gpio = int(match[1])
        if gpio in places:
            raise ConfigError(f"{where}: pin {pin} of role {role!r} is taken by {places[gpio]}")
        wrong = refusal(board.mcu, gpio, board.has_psram)
        if wrong:
            raise ConfigError(f"{where}: pin {pin} of role {role!r} {wrong}")
        pins[role] = gpio
        places[role] = places[gpio] = where
    return pins
