"""What PORT= of the live view names: open_source(port, period_ms) -> its Source."""

from __future__ import annotations

import os
from pathlib import Path

import flash_port
import hostport
import machine
from monitor_serial import SerialSource
from monitor_source import Source, SourceError
from monitor_udp import UdpSource

UDP_PORT = 18765  # memdiag.live.PORT
WAYS = "/dev/ttyUSB0, qemu:rv32, qemu:cm3, unix, udp://host:port, socket://host:port"


def _address(url: str, usual: int | None = None) -> tuple[str, int]:
    scheme, _, rest = url.partition(flash_port.URL)
    try:
        return hostport.split(rest.rstrip("/"), usual)
    except ValueError:
        raise SourceError(f"{url} is no {scheme}://host:port; {hostport.PORTS}") from None


def open_source(port: str, period_ms: int) -> Source:
    if not port:
        raise SourceError(
            f"say what to look at, make monitor PORT=: {WAYS}; {flash_port.present()}"
        )
    if port == "unix":
        chosen = os.environ.get("MEMPOOL_LIVE_PORT") or str(UDP_PORT)
        if not hostport.is_port(chosen):
            raise SourceError(f"MEMPOOL_LIVE_PORT={chosen} is no port number, 1 to 65535")
        port = f"udp://127.0.0.1:{chosen}"
    if port.startswith("udp://"):
        host, number = _address(port, UDP_PORT)
        return UdpSource(port, host, number, period_ms)
    if port.startswith("qemu:"):
        if port[5:] not in machine.QEMU:
            boards = ", ".join(f"qemu:{x}" for x in machine.QEMU)
            raise SourceError(f"{port}: emulated boards are {boards}")
        try:
            machine.binary(port[5:])
        except machine.MachineError as error:
            raise SourceError(str(error)) from None
    elif flash_port.URL in port:
        if not port.startswith(("socket://", "rfc2217://")):
            raise SourceError(f"{port}: what can be looked at is {WAYS}")
        _address(port.partition("?")[0])
    elif os.path.exists(port) and not Path(port).is_char_device():
        raise SourceError(f"{port} is no serial port; {flash_port.present()}")
    return SerialSource(port, period_ms)
