"""A board with MicroPython at a serial port, or an emulated one behind a pseudo terminal, driven
by mpremote's transport: programs run there, and what goes wrong with the link has a name.

A port is /dev/ttyUSB0, socket://host:port and the like, or qemu:cm3, qemu:rv32.
"""

from __future__ import annotations

import os
import re
import secrets
import struct
import subprocess
import time
from typing import Any

import flash_port
import machine
import serial
from console import die_with_parent
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

# A board that starts says so; a test does not say it.
STARTS = (b"rst:0x", b"ESP-ROM:", b"MPY: soft reboot\r\n", b'Type "help()" for more information.')
LONGEST_START = max(map(len, STARTS))
PROMPT_SECONDS = 10
BOOT_SECONDS = 20
READ_SECONDS = 0.5
ANSWER_SECONDS = 20  # to a piece of a program; the board, or what emulates it, may be busy
QEMU_PORT = re.compile(rb"(/dev/pts/\d+)")

# What pyserial, mpremote and a half answer raise where the port or the board is gone.
GONE = (serial.SerialException, OSError, TransportError, struct.error)


class LinkError(Exception):
    """The board gave no result: one line."""


class Lost(LinkError):
    """The port is gone, or nobody answers: nothing can be run any more."""


class Restarted(LinkError):
    """The board started anew in the middle."""


class Hung(LinkError):
    """No end within the time."""


class Emulator:
    """QEMU with the board's serial line at a pseudo terminal."""

    def __init__(self, target: str) -> None:
        try:
            elf = machine.binary(target)
        except machine.MachineError as error:
            raise Lost(str(error)) from None
        # As `make exec` runs it, but for the serial line.
        command = machine.qemu_command(target, elf, serial="pty")
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
            )
        except FileNotFoundError:
            raise Lost(f"{command[0]} is missing: run make build TARGET={target}") from None
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = QEMU_PORT.search(line)
        if not found:
            self.stop()
            raise Lost(f"{command[0]} did not start: {line.decode(errors='replace').strip()}")
        self.port = found[1].decode()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


class Board:
    """`traceback` is that of the last program that ended with an exception; `command` is what the
    user typed, for the advice of a port that cannot be used."""

    def __init__(
        self, port: str, patience: float = BOOT_SECONDS, command: str = "test-device"
    ) -> None:
        self.name = port
        self.command = command
        self.patience = patience  # seconds that it has to come back
        self.target = port[5:] if port.startswith("qemu:") else "esp32"
        self.emulator: Emulator | None = None
        self.link: SerialTransport | None = None
        self.traceback = ""
        if port.startswith("qemu:") and self.target not in machine.QEMU:
            raise Lost(
                f"{port}: emulated boards are {', '.join(f'qemu:{x}' for x in machine.QEMU)}"
            )
        self.open()

    def open(self) -> None:
        """Opens the port; of an emulated board, starts it."""
        self.close()
        port = self.name
        if port.startswith("qemu:"):
            self.emulator = Emulator(self.target)
            port = self.emulator.port
        else:
            try:
                flash_port.check(port, self.command)
            except flash_port.PortError as error:
                raise Lost(str(error)) from None
        try:
            self.link = SerialTransport(port, timeout=READ_SECONDS)
        except GONE as error:
            text = " ".join(str(error).split())
            raise Lost(f"cannot open {self.name}: {text}") from None

    def close(self) -> None:
        if self.link is not None:
            try:
                self.link.close()
            except GONE:
                pass
            self.link = None
        if self.emulator is not None:
            self.emulator.stop()
            self.emulator = None

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def gone(self, error: Exception) -> Lost:
        if self.emulator is not None:
            try:
                self.emulator.process.wait(1)
                return Lost(f"{self.name} has ended: the emulated board was switched off")
            except subprocess.TimeoutExpired:
                pass
        if flash_port.URL not in self.name and not self.emulator and not os.path.exists(self.name):
            return Lost(f"{self.name} vanished: is the cable still in?")
        text = " ".join(str(error).split()) or type(error).__name__
        return Lost(f"{self.name} does not answer any more ({text})")

    def _raw(self, soft_reset: bool, seconds: int) -> None:
        """mpremote prints what it read where it finds no prompt; that belongs to nobody here."""
        assert self.link is not None
        self.link.serial.write(b"\r\x03\x03\r\x01")
        self._expect(b"raw REPL; CTRL-B to exit\r\n>", seconds)
        if soft_reset:
            self.link.serial.write(b"\x04")
            self._expect(b"soft reboot\r\n", seconds)
            self._expect(b"raw REPL; CTRL-B to exit\r\n", seconds)
        else:
            # exec_raw reads the prompt itself.
            self.link.serial.write(b"\r\x01")
            self._expect(b"raw REPL; CTRL-B to exit\r\n", seconds)

    def _expect(self, ending: bytes, seconds: int) -> bytes:
        assert self.link is not None
        data = self.link.read_until(1, ending, timeout=seconds, timeout_overall=seconds)
        if not data.endswith(ending):
            raise TransportError(
                f"no {ending.split(b';')[0].decode().strip()} within {seconds:g} s"
            )
        return data

    def wait(self, seconds: float = 0) -> None:
        """Until the board answers at its raw REPL, as after a start; a USB port may come anew."""
        deadline = time.monotonic() + (seconds or self.patience)
        while True:
            try:
                if self.link is None:
                    self.open()
                self._raw(False, 2)
                return
            except (*GONE, Lost) as error:
                if time.monotonic() > deadline:
                    raise error if isinstance(error, Lost) else self.gone(error) from None
                if not isinstance(error, TransportError) and self.emulator is None:
                    if self.link is not None:
                        self.link.serial.close()
                    self.link = None
                    time.sleep(0.2)
                elif self.emulator is not None and self.emulator.process.poll() is not None:
                    raise self.gone(error) from None

    def _send(self, program: str) -> None:
        """Into the raw REPL. mpremote waits for each of its answers as long as for a byte."""
        assert self.link is not None
        line: Any = self.link.serial
        usual, line.timeout = line.timeout, ANSWER_SECONDS
        try:
            self.link.exec_raw_no_follow(program)
        finally:
            line.timeout = usual

    def started(self, seconds: float) -> bool:
        """Whether the board starts anew within the time. Nothing is sent: a Ctrl-C would end what
        makes it start. A port that goes away is that of a board whose USB starts anew."""
        deadline = time.monotonic() + seconds
        said = b""
        try:
            while time.monotonic() < deadline:
                assert self.link is not None
                said = (said + self.link.serial.read(1))[-LONGEST_START:]
                if said.endswith(STARTS):
                    return True
        except GONE:
            return self.emulator is None or self.emulator.process.poll() is None
        return False

    def soft_reset(self) -> None:
        try:
            self._raw(True, PROMPT_SECONDS)
        except GONE as error:
            raise self.gone(error) from None

    def fresh(self) -> None:
        """A start from reset, so that nothing is left of what ran before."""
        if self.emulator is not None:
            self.open()
        else:
            self._raw(False, PROMPT_SECONDS)
            self.start("import machine; machine.reset()")
            self.started(self.patience)
        self.wait()

    def restart(self) -> None:
        """For a board that does not come back by itself: the reset line, or a new emulator."""
        if self.emulator is not None:
            self.open()
        elif self.link is not None:
            line: Any = self.link.serial
            try:
                line.dtr = False
                line.rts = True
                time.sleep(0.1)
                line.rts = False
            except GONE:
                pass  # a pseudo terminal, a socket: there is no such line
        self.wait()

    def run(self, source: bytes | str, name: str, timeout: float) -> tuple[int, bytes]:
        """Runs a program after a soft reset or another program: (status, what it printed)."""
        assert self.link is not None
        data = source.encode() if isinstance(source, str) else source
        nonce = "\x1e" + secrets.token_hex(8) + "\x1e"
        fields = {"name": name, "first": nonce[:9], "rest": nonce[9:]}
        program = machine.WRAPPER.format(setup="pass", source=repr(data), **fields)
        stream = machine.Stream(nonce.encode(), None)
        self.traceback = ""
        said = bytearray()
        deadline = time.monotonic() + timeout

        def consume(byte: bytes) -> None:
            if byte == b"\x04":
                return
            stream.feed(byte)
            said.extend(byte)
            if any(said.endswith(start) for start in STARTS):
                raise Restarted(f"the board restarted in the middle of {name}{_last_words(said)}")
            if len(said) > 4096:
                del said[:2048]
            if time.monotonic() > deadline:
                raise Hung(f"{name} had not ended after {timeout:g} s, and still prints")

        try:
            self._send(program)
            _, error = self.link.follow(timeout, consume)
        except TransportError as problem:
            if "timeout waiting" in str(problem):
                raise Hung(f"{name} had not ended after {timeout:g} s") from None
            raise self.gone(problem) from None
        except GONE as problem:
            raise self.gone(problem) from None
        result = stream.result()
        if result is None:
            text = error.decode(errors="replace").strip().splitlines()
            raise LinkError(f"{name} did not run: {text[-1] if text else 'no result'}")
        self.traceback = result[1].replace("\r", "")
        return result[0], bytes(stream.output).replace(b"\r\n", b"\n")

    def start(self, source: str) -> None:
        """Runs a program that does not end, as one that resets the board."""
        assert self.link is not None
        try:
            self._send(source)
        except GONE as error:
            raise self.gone(error) from None


def _last_words(said: bytes | bytearray) -> str:
    """What an ESP32 says of a crash, as it stands before its next start."""
    found = re.search(rb"Guru Meditation Error[^\r\n]*|abort\(\)[^\r\n]*|assert[^\r\n]*", said)
    return f": {found[0].decode(errors='replace')}" if found else ""
