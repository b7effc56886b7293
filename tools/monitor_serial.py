"""Samples of a board at a serial line, a pseudo terminal or a socket, or of an emulated board that
is started: what memdiag.stream() prints there.
"""

from __future__ import annotations

import os
import time
from typing import Any

import flash_port
from device_link import GONE, STARTS, Board, LinkError
from monitor_source import AGAIN_SECONDS, Source
from monitor_wire import Garbage, Item, Record, Wire, Words, printable
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

LISTEN_SECONDS = 1.5
RESTART_SECONDS = 3.0  # from a reset to a program of the board's own
BOOT_SECONDS = 15  # for a program that streams by itself to do so again
MOST_FAILURES = 3

PROGRAM = """\
try:
    from memdiag import stream
except ImportError:
    print('\\x1e{{"error": "no memdiag"}}')
else:
    stream({period})
"""


class Ended(Exception):
    """The program of the raw REPL has ended: its last words."""


class NoMemdiag(Exception):
    """The firmware cannot be asked."""


class SerialSource(Source):
    """Listens first: a program may stream by itself, and is then not disturbed. Where none does,
    the raw REPL runs memdiag.stream(), which interrupts what runs there."""

    def __init__(self, name: str, period_ms: int) -> None:
        super().__init__(name, period_ms)
        self.board: Board | None = None
        self.wire = Wire()
        self.own = False  # whether the stream is ours
        self.seen_start = False
        self.announced = False
        self.failures = 0

    def _main(self) -> None:
        away = False
        while not self.stopping.is_set():
            opened = False
            try:
                with Board(self.name, command="monitor") as board:
                    opened = True
                    if away:
                        self._trouble = ""
                        self._note("info", f"{self.name}: is there")
                    away = False
                    self.board = board
                    self._session(board)
            except NoMemdiag:
                self._in_trouble(
                    f"{self.name}: its firmware has no memdiag: build and flash this one "
                    "(make firmware, make flash)",
                    "fatal",
                )
                return
            except (LinkError, *GONE) as error:
                away = away or not opened
                self._in_trouble(printable(" ".join(str(error).split())))
            finally:
                self.board = None
            if self.failures >= MOST_FAILURES:
                self._note("fatal", f"{self.name}: memdiag.stream() ended {self.failures} times")
                return
            self.stopping.wait(AGAIN_SECONDS)

    def _session(self, board: Board) -> None:
        """With the port open: until we stop, or the port or the stream fails."""
        link = board.link
        assert link is not None
        self.wire = Wire()
        # Nothing runs on an emulated board that has just been started.
        listen = 0 if board.emulator is not None else LISTEN_SECONDS
        try:
            while not self.stopping.is_set() and self.failures < MOST_FAILURES:
                self.own = self.seen_start = False
                if self._listen(link, listen):
                    self._note("info", f"{self.name}: a program there streams by itself")
                elif not self.stopping.is_set():
                    self._enter(board)
                if self._follow(link):
                    self.failures = 0
                else:
                    self.failures += 1
                listen = LISTEN_SECONDS + (RESTART_SECONDS if self.seen_start else 0)
        except GONE as error:
            if not self.stopping.is_set():
                raise board.gone(error) from None
        finally:
            self._leave(link)

    def _enter(self, board: Board) -> None:
        if not self.announced:
            self.announced = True
            self._note("info", f"{self.name}: runs memdiag.stream() there; it interrupts what ran")
        try:
            board.wait(BOOT_SECONDS if board.emulator else 5)
        except LinkError:
            if board.emulator or (
                flash_port.URL not in self.name and not os.path.exists(self.name)
            ):
                raise
            raise LinkError(
                f"nobody answers at {self.name}: is MicroPython on it, is it switched on and "
                "not busy? its reset button helps"
            ) from None
        self.own = True
        self.wire = Wire()
        board.start(PROGRAM.format(period=round(self.period * 1000)))

    def _listen(self, link: SerialTransport, seconds: float) -> bool:
        """Whether a sample comes by itself within the time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.stopping.is_set():
            if self._take(self._read(link)):
                return True
        return False

    def _follow(self, link: SerialTransport) -> bool:
        """Until nothing comes for long, or the stream's program ends."""
        patience = max(5.0, 5 * self.period)
        last = time.monotonic()
        heard = False
        while not self.stopping.is_set():
            if self._reset.is_set():
                self._reset.clear()
                link.serial.write(b"r")
                self._note("info", "asked the device to reset its statistics")
            try:
                if self._take(self._read(link)):
                    last = time.monotonic()
                    heard = True
                    self.seen_start = False
                    continue
            except Ended as end:
                self._in_trouble(f"{self.name}: memdiag.stream() ended: {end}")
                return heard
            silent = time.monotonic() - last
            if self.seen_start and self.own:
                self._in_trouble(f"{self.name}: the board restarted")
                return True
            if silent > (BOOT_SECONDS if self.seen_start else patience):
                self._in_trouble(
                    f"{self.name}: no sample comes any more: asking the board again"
                    if self.own
                    else f"{self.name}: no sample comes any more: the program there ended or "
                    "hangs; start the view anew to ask the board itself"
                )
                if self.own:
                    return heard
        return True

    def _read(self, link: SerialTransport) -> bytes:
        port: Any = link.serial
        port.timeout = min(0.1, self.period)
        return port.read(4096)

    def _take(self, data: bytes) -> bool:
        """Whether a sample was in it."""
        if self.own and b"\x04" in data:
            data, _, rest = data.partition(b"\x04")
            self._items(self.wire.feed(data))
            raise Ended(self._end_of_program(rest))
        found = self._items(self.wire.feed(data))
        if any(start.strip() in self.wire.held for start in STARTS):
            self.seen_start = True
        return found

    def _end_of_program(self, rest: bytes) -> str:
        """The last line of its traceback, which is between two more 0x04."""
        deadline = time.monotonic() + 2
        while b"\x04" not in rest and time.monotonic() < deadline and self.board:
            if self.board.link is None:
                break
            rest += self._read(self.board.link)
        lines = rest.partition(b"\x04")[0].strip().splitlines()
        return printable(lines[-1]) if lines else "it was stopped"

    def _items(self, items: list[Item]) -> bool:
        found = False
        for item in items:
            if isinstance(item, Garbage):
                self._note("garbage", f"{self.name}: {item.why}")
            elif isinstance(item, Words):
                if any(start.strip() in item.text.encode() for start in STARTS):
                    self.seen_start = True
                self._note("words", item.text)
            elif isinstance(item, Record):
                if isinstance(item.value, dict) and "error" in item.value:
                    if item.value["error"] == "no memdiag":
                        raise NoMemdiag
                    self._in_trouble(f"the device says: {printable(str(item.value['error']))}")
                else:
                    found = self._record(item.value) or found
        return found

    def _leave(self, link: SerialTransport) -> None:
        """A stream of ours ends, and the board is at its prompt again."""
        if not self.own:
            return
        self.own = False
        try:
            link.serial.write(b"\x03\x03")
            time.sleep(0.1)
            link.serial.write(b"\r\x02")
        except (*GONE, TransportError):
            pass  # it is gone
