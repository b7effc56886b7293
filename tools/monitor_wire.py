"""What comes from a device, told apart: the lines of RFC 7464 (0x1e, JSON, a newline) that
memdiag.stream() prints, what the program prints beside them, and garbage.

    wire = Wire()
    for item in wire.feed(data):    # Record(value), Words(text) or Garbage(why)
"""

from __future__ import annotations

import json
from dataclasses import dataclass

BEGIN = 0x1E
END = 0x0A
# Longer than any line of a device: what has no end is garbage, and is not kept.
LONGEST = 256 * 1024
LONGEST_WORDS = 500


@dataclass
class Record:
    value: object


@dataclass
class Words:
    text: str


@dataclass
class Garbage:
    why: str


Item = Record | Words | Garbage


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def decode(data: bytes) -> Record | Garbage:
    """The JSON text of a line or a datagram."""
    try:
        return Record(json.loads(data.decode("utf-8"), parse_constant=_refuse))
    except (ValueError, RecursionError):
        # UnicodeDecodeError and JSONDecodeError are ValueErrors.
        return Garbage(f"{len(data)} bytes that are no JSON: {printable(data[:40])}")


def printable(data: bytes | str, longest: int = LONGEST_WORDS) -> str:
    """For a terminal: what could move its cursor or change its colours is replaced."""
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    return "".join(x if x.isprintable() else "\N{REPLACEMENT CHARACTER}" for x in text[:longest])


def _words(data: bytes) -> Item | None:
    data = data.strip(b"\r \t")
    if not data:
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return Garbage(f"{len(data)} bytes that are no text: {printable(data[:40])}")
    # Colours and cursor movements of a program's own are no garbage.
    if sum(not x.isprintable() and x not in "\t\r\x1b\b" for x in text) > len(text) // 8:
        return Garbage(f"{len(data)} bytes that are no text: {printable(data[:40])}")
    return Words(printable(text))


class Wire:
    """Puts pieces together; a line may come in any number of them."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._inside = False

    @property
    def held(self) -> bytes:
        """The words that no newline has ended yet: a prompt, the beginning of a start."""
        return b"" if self._inside else bytes(self._held)

    def feed(self, data: bytes) -> list[Item]:
        items: list[Item] = []
        for byte in data:
            if byte == BEGIN:
                # A line that was cut short: the next one begins all the same.
                self._close(items, cut=self._inside)
                self._inside = True
            elif byte == END:
                self._close(items, cut=False)
            else:
                self._held.append(byte)
                if len(self._held) > LONGEST:
                    items.append(Garbage(f"{len(self._held)} bytes without the end of a line"))
                    self._held.clear()
                    self._inside = False
        return items

    def _close(self, items: list[Item], cut: bool) -> None:
        data = bytes(self._held)
        self._held.clear()
        if cut:
            items.append(Garbage(f"a line cut off after {len(data)} bytes"))
        elif self._inside:
            items.append(decode(data))
        elif (words := _words(data)) is not None:
            items.append(words)
        self._inside = False
