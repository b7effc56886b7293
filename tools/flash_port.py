"""A serial port as the user named it: is it there, may we open it, is it free; and what is there
instead, where it is not.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import serial
from serial.tools import list_ports

# pyserial's URLs (socket://host:port, rfc2217://host:port) are not looked at from here.
URL = "://"


class PortError(Exception):
    """Why a port cannot be used, and what to do: one line."""


def present() -> str:
    """The ports of this machine, in words."""
    ports = [port for port in list_ports.comports() if port.vid is not None or port.hwid != "n/a"]
    if not ports:
        return "no serial port is there: plug the board in, with a cable that carries data"
    shown = [
        f"{port.device} ({port.description})"
        if port.description not in ("n/a", port.device, port.name)
        else port.device
        for port in ports
    ]
    return f"there is {', '.join(shown)}"


def holder(port: str) -> str:
    """The other program that has the port open, "" where none is seen.

    Linux lets several open one port, and each then gets a part of what the board says.
    """
    try:
        device = os.stat(port).st_rdev
    except OSError:
        return ""
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == str(os.getpid()):
            continue
        try:
            # Links first: a stat of every open file of the machine would take long.
            for link in (folder / "fd").iterdir():
                if os.readlink(link).startswith("/dev/") and link.stat().st_rdev == device:
                    name = (folder / "comm").read_text().strip()
                    return f"{name}, process {folder.name}"
        except OSError:
            continue  # it has ended, or is another user's
    return ""


def check(port: str | None, command: str) -> str:
    """The port, where it can be opened. `command` is what the user typed, for the advice."""
    if not port:
        raise PortError(f"say which port, make {command} PORT=/dev/ttyUSB0; {present()}")
    if URL in port:
        try:
            serial.serial_for_url(port, do_not_open=True)
        except (ValueError, serial.SerialException):
            known = "socket://host:port, rfc2217://host:port"
            raise PortError(f"{port} is no serial port that pyserial knows: {known}") from None
        return port
    if os.name == "nt":
        return port
    try:
        descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        raise PortError(explain(port, error)) from None
    try:
        if not os.isatty(descriptor):
            raise PortError(f"{port} is no serial port; {present()}")
    finally:
        os.close(descriptor)
    if found := holder(port):
        raise PortError(busy(port, found))
    return port


def busy(port: str, found: str = "") -> str:
    held = f"is held by {found}" if found else "is held by another program"
    return f"{port} {held}: end that one (a monitor, a REPL, an IDE) and run this again"


def explain(port: str, error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return f"{port} is not there; {present()}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"no permission for {port}: run sudo usermod -a -G dialout $USER "
            "(uucp on Arch), log out and in, and run this again"
        )
    if error.errno == errno.EBUSY:
        return busy(port, holder(port))
    return f"cannot open {port}: {error.strerror}"
