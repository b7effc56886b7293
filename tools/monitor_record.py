"""A recording of a live view: JSON lines, each written at once, so that whatever ends the view
leaves what was seen. The first line of a session says what was looked at; a line with "live" is
a sample as the device told it, one with "note" a line of the log; "t" is seconds since 1970.

    with Recorder("week.jsonl", port="/dev/ttyUSB0", period_ms=1000) as recorder: ...
    for entry in read("week.jsonl", complain=print): ...   # Session, Sample or Note
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor_model import BadSample, Note, Sample, parse
from monitor_wire import printable

FORMAT = 1
MARK = "mempool_record"
LATEST = 1 << 37  # seconds since 1970: the year 6325, which every computer's calendar has


class RecordError(Exception):
    """Why a file cannot be written or read: one line."""


@dataclass
class Session:
    at: float
    port: str
    period_ms: int


def is_recording(file: Path) -> bool:
    try:
        with file.open("rb") as lines:
            return lines.readline(200).startswith(f'{{"{MARK}"'.encode())
    except OSError:
        return False


def _cut(file: Path) -> bool:
    """Whether the last line has no end: a power cut's half must not swallow the next one."""
    with file.open("rb") as lines:
        if lines.seek(0, os.SEEK_END) == 0:
            return False
        lines.seek(-1, os.SEEK_END)
        return lines.read(1) != b"\n"


class Recorder:
    """Appends to a recording that exists, and to nothing else."""

    def __init__(self, name: str, port: str, period_ms: int, at: float) -> None:
        self.file = Path(name)
        if self.file.is_file() and self.file.stat().st_size and not is_recording(self.file):
            raise RecordError(f"{name} is there and is no recording: choose another name")
        try:
            self._lines = self.file.open("a", encoding="utf-8")
            if _cut(self.file):
                self._lines.write("\n")
            self._write({MARK: FORMAT, "t": at, "port": port, "period_ms": period_ms})
        except OSError as error:
            raise RecordError(f"cannot write {name}: {error.strerror}") from None

    def _write(self, entry: dict[str, Any]) -> None:
        self._lines.write(json.dumps(entry, separators=(",", ":")) + "\n")
        self._lines.flush()

    def add(self, entry: Sample | Note) -> None:
        try:
            if isinstance(entry, Sample):
                self._write({"t": entry.at, "live": entry.raw})
            else:
                self._write({"t": entry.at, "note": entry.text, "kind": entry.kind})
        except OSError as error:
            raise RecordError(f"cannot write {self.file}: {error.strerror}") from None

    def close(self) -> None:
        try:
            self._lines.close()
        except OSError:
            pass  # a full disk: said at the line that did not fit

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


def _within(value: object, most: int) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= most  # NaN is not


def _entry(line: str) -> Session | Sample | Note:
    value = json.loads(line)
    if not isinstance(value, dict) or not _within(value.get("t"), LATEST):
        raise BadSample("no entry of a recording")
    at = float(value["t"])
    if MARK in value:
        if value[MARK] != FORMAT:
            raise RecordError(f"a recording of format {value[MARK]!r}; this reads {FORMAT}")
        if not _within(value.get("period_ms"), LATEST):
            raise BadSample("a session without a period")
        return Session(at, printable(str(value.get("port"))), int(value["period_ms"]))
    if "note" in value:
        return Note(at, printable(str(value.get("kind"))), printable(str(value["note"])))
    return parse(value, at)


def read(name: str, complain: Callable[[str], None]) -> Iterator[Session | Sample | Note]:
    """What is in a recording. Lines that are none are counted, and said at the end."""
    file = Path(name)
    try:
        lines = file.open(encoding="utf-8", errors="replace")
    except OSError as error:
        raise RecordError(f"cannot read {name}: {error.strerror}") from None
    if not is_recording(file):
        lines.close()
        raise RecordError(f"{name} is no recording of make monitor RECORD=")
    bad: list[int] = []
    with lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield _entry(line)
            except (ValueError, RecursionError, BadSample):
                bad.append(number)
    if bad:
        shown = ", ".join(map(str, bad[:5])) + (", ..." if len(bad) > 5 else "")
        complain(f"{name}: {len(bad)} lines could not be read and are left out: {shown}")
