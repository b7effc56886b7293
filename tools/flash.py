"""Write a firmware image to a board, or erase it: `make flash PORT=`, `make erase PORT=`.

esptool does the work. What it and the port answer becomes one line that says what to do; all of
what esptool said is in build/flash.log.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path

import esptool
import firmware_image
import flash_port
import serial
from esp_pylib.logger import EspLog
from esptool.loader import ESPLoader
from esptool.reset import ResetStrategy
from esptool.util import FatalError, PrintOnce, flash_size_bytes
from flash_log import FlashLog

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT / "build" / "flash.log"
BAUD = 460800
BAUD_LEAST, BAUD_MOST = 9600, 5_000_000
BOOT_BUTTON = "hold its BOOT button while it starts"


class FlashError(Exception):
    """What went wrong, and what to do: one line."""


def chip_of(esp: ESPLoader) -> str:
    """ "ESP32-C3" -> "esp32c3"."""
    return re.sub(r"[-() ]", "", esp.CHIP_NAME.lower())


def boards_of(chip: str) -> list[str]:
    """Our boards with that chip."""
    wanted = re.compile(rf"set\(IDF_TARGET\s+\"?{chip}\"?\s*\)", re.IGNORECASE)
    files = sorted((ROOT / "boards").glob("*/mpconfigboard.cmake"))
    return [file.parent.name for file in files if wanted.search(file.read_text())]


def wrong_chip(port: str, found: str, image: firmware_image.Image) -> FlashError:
    boards = boards_of(found)
    advice = (
        f"use BOARD={'|'.join(boards)}" if boards else "no board of this firmware has that chip"
    )
    return FlashError(
        f"{port} has an {found}, and {image.path.name} is for {image.chip}: {advice}"
    )


class Board:
    """A board's bootloader at a port, from the first contact to the reset at the end."""

    def __init__(self, port: str, baud: int, log: FlashLog) -> None:
        self.port = port
        self.log = log
        self.baud = baud
        self.doing = "connecting"
        self.found: ESPLoader | None = None

    @property
    def esp(self) -> ESPLoader:
        assert self.found is not None, "connect first"
        return self.found

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *exc: object) -> None:
        self.log.stop()
        if self.found is not None:
            try:
                self.found._port.close()
            except (OSError, serial.SerialException):
                pass  # it is gone

    def connect(self) -> str:
        """-> the chip."""
        self.found = esptool.detect_chip(self.port, connect_attempts=3)
        return chip_of(self.esp)

    def prepare(self) -> int:
        """The stub that writes faster, a faster line, the flash chip -> its size in bytes."""
        self.doing = "starting the flasher on the board"
        self.found = esptool.run_stub(self.esp)
        if self.baud > ESPLoader.ESP_ROM_BAUD and flash_port.URL not in self.port:
            self.esp.change_baud(self.baud)
        esptool.attach_flash(self.esp)
        size = esptool.detect_flash_size(self.esp)
        return flash_size_bytes(size) or 0

    def write(self, image: firmware_image.Image) -> None:
        self.doing = "writing"
        self.log.start(f"flash: writing {image.path.name} at {image.offset:#x}")
        # esptool asks the board for the MD5 of what it wrote, and fails where it differs.
        esptool.write_flash(self.esp, [(image.offset, str(image.path))], compress=True)
        self.log.stop()
        self.doing = "verifying"
        esptool.verify_flash(self.esp, [(image.offset, str(image.path))])

    def erase(self) -> None:
        self.doing = "erasing"
        esptool.erase_flash(self.esp)

    def reset(self) -> None:
        """Starts what was written. The work is done: a port that goes now is no failure."""
        try:
            esptool.reset_chip(self.esp, "hard-reset")
        except (OSError, serial.SerialException, FatalError):
            pass

    def explain(self, error: Exception) -> str:
        """One line of what esptool or the port raised."""
        text = " ".join(str(error).split())
        if self.found is None and flash_port.URL in self.port and "could not open" in text.lower():
            return f"{self.port} does not answer: is what serves it running?"
        if "exclusively lock" in text or "[Errno 16]" in text:
            return flash_port.busy(self.port, flash_port.holder(self.port))
        if self.doing == "connecting":
            if not isinstance(error, FatalError) or "Could not open" in text:
                return f"lost {self.port} while connecting: plug it in again and run this again"
            if "autodetect" in text or "Unexpected chip" in text:
                return f"{self.port} has a chip that esptool {esptool.__version__} does not know"
            return (
                f"no ESP chip answers on {self.port}: is it that board's port? "
                f"If so, {BOOT_BUTTON}, and run this again"
            )
        if "Verification failed" in text or "MD5 of file does not match" in text:
            return (
                f"what {self.port} has in its flash is not what was written: run this again; "
                "if it stays so, try another cable, BAUD=115200, or another board"
            )
        if "security" in text.lower() or "encryption" in text.lower():
            return f"{self.port} is locked (flash encryption or secure boot): {text}"
        done = "the board is half written and does not start" if self.doing == "writing" else ""
        return (
            f"lost {self.port} while {self.doing}{': ' + done if done else ''}; "
            f"plug it in again (or {BOOT_BUTTON}) and run this again"
        )


def flash(board: Board, image: firmware_image.Image) -> None:
    found = board.connect()
    if found != image.chip:
        raise wrong_chip(board.port, found, image)
    print(f"flash: {found} on {board.port}", flush=True)
    room = board.prepare()
    if room and image.offset + image.size > room:
        raise FlashError(
            f"{image.path.name} ends at {image.offset + image.size:#x}, and the flash of "
            f"{board.port} has {room >> 20} MB: use a board with {image.flash_size}"
        )
    board.write(image)
    board.reset()


def run(arguments: argparse.Namespace) -> None:
    image = None
    if arguments.command == "flash":
        if arguments.image:
            image = firmware_image.load(arguments.image)
            if arguments.board and image.board and arguments.board != image.board:
                raise FlashError(
                    f"{image.path.name} is of {image.board}, not of {arguments.board}: "
                    "give one of IMAGE= and BOARD="
                )
        else:
            image = firmware_image.newest(arguments.board, arguments.folder)
    try:
        baud = int(arguments.baud)
    except ValueError:
        baud = 0
    if not BAUD_LEAST <= baud <= BAUD_MOST:
        raise FlashError(f"BAUD={arguments.baud} is not a number from {BAUD_LEAST} to {BAUD_MOST}")
    port = flash_port.check(arguments.port, arguments.command)
    log = FlashLog(arguments.log)
    EspLog.set_logger(log)
    ResetStrategy.print_once = PrintOnce(log.warn)  # it was bound to the logger before ours
    start = time.monotonic()
    with Board(port, baud, log) as board:
        try:
            if image is not None:
                flash(board, image)
                done = f"{image.size >> 10} KB written and verified"
                after = f"make repl PORT={port}"
            else:
                print(
                    f"erase: everything in the flash of {port}, files of programs too", flush=True
                )
                found = board.connect()
                board.prepare()
                board.erase()
                board.reset()
                done = f"the flash of the {found} is empty"
                after = f"make flash PORT={port}"
        # ValueError, struct.error and the like: what is left of a packet after a cut cable.
        except (FatalError, serial.SerialException, OSError, ValueError, ArithmeticError) as error:
            print(f"{type(error).__name__}: {error}", file=log.file)
            raise FlashError(board.explain(error)) from None
        finally:
            log.stop()
    seconds = time.monotonic() - start
    print(f"{arguments.command}: {done} in {seconds:.1f} s; next: {after}")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["flash", "erase"])
    parser.add_argument("--port", default="")
    parser.add_argument("--board", default="")
    parser.add_argument("--image", type=Path)
    parser.add_argument("--folder", type=Path, default=firmware_image.FOLDER, help="of the images")
    parser.add_argument("--baud", default=str(BAUD))
    parser.add_argument("--log", type=Path, default=LOG, help="what esptool said")
    arguments = parser.parse_args(argv)
    try:
        run(arguments)
    except (FlashError, flash_port.PortError, firmware_image.ImageError) as error:
        print(f"{arguments.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{arguments.command}: stopped; run it again to finish", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
