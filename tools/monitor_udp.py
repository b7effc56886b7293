"""Samples of a program that polls memdiag.Responder(): it is asked by UDP."""

from __future__ import annotations

import socket
import time

from monitor_source import AGAIN_SECONDS, Source
from monitor_wire import Garbage, decode, printable

ANSWER_SECONDS = 2.0


class UdpSource(Source):
    """Asks memdiag.live.Responder, which the program polls."""

    def __init__(self, name: str, host: str, port: int, period_ms: int) -> None:
        super().__init__(name, period_ms)
        self.address = (host, port)
        self.heard = False

    def _main(self) -> None:
        while not self.stopping.is_set():
            try:
                kind, *_, address = socket.getaddrinfo(*self.address, type=socket.SOCK_DGRAM)[0]
                with socket.socket(kind, socket.SOCK_DGRAM) as link:
                    link.connect(address)
                    self._ask(link)
            except socket.gaierror as error:
                self._in_trouble(f"{self.name}: no host {self.address[0]!r}: {error.strerror}")
            except OSError as error:
                self._in_trouble(f"{self.name}: {error.strerror or error}")
            self.stopping.wait(AGAIN_SECONDS)

    def _nobody(self) -> None:
        if self.heard:
            self._in_trouble(f"{self.name}: no answer any more: the program ended, or hangs")
        else:
            self._in_trouble(
                f"nobody answers at {self.name}: start a program that polls "
                "memdiag.Responder(), as make run LEAK=1 does"
            )

    def _ask(self, link: socket.socket) -> None:
        due = time.monotonic()
        while not self.stopping.is_set():
            self.stopping.wait(max(0.0, min(self.period, due - time.monotonic())))
            due = max(due + self.period, time.monotonic())
            try:
                self._drain(link)
                if self._reset.is_set():
                    self._reset.clear()
                    link.send(b"reset_stats")
                    self._answer(link)
                link.send(b"live")
                self._answer(link)
            except (ConnectionRefusedError, TimeoutError):
                self._nobody()
                due = time.monotonic() + min(AGAIN_SECONDS, self.period)

    def _drain(self, link: socket.socket) -> None:
        """What came too late belongs to no question any more."""
        link.setblocking(False)
        try:
            while link.recv(65536):
                pass
        except BlockingIOError:
            pass

    def _answer(self, link: socket.socket) -> None:
        link.settimeout(max(ANSWER_SECONDS, self.period))
        found = decode(link.recv(65536))
        if isinstance(found, Garbage):
            self._note("garbage", f"{self.name}: {found.why}")
            return
        value = found.value
        if isinstance(value, dict) and isinstance(value.get("error"), str):
            self._in_trouble(f"{self.name}: the device says: {printable(value['error'])}")
        elif isinstance(value, dict) and "reset_stats" in value:
            self._note("info", "the device has reset its statistics")
        elif self._record(value):
            self.heard = True
