#!/usr/bin/env python3
"""Firmware for an ESP32 board: checks what is needed, lets IDF build MicroPython with our modules,
and leaves one image, build/firmware/BOARD-DATE-VERSION.bin, with a .json that describes it.

    firmware.py check --board MODESP_ESP32         only what is needed
    firmware.py build --board MODESP_ESP32 --mpy-cross build/mpy-cross/mpy-cross

IDF_PATH names ESP-IDF (v5.3 to v5.5; its export.sh may be sourced, and need not), MICROPYTHON_DIR
MicroPython (1.25 to 1.28). What is missing or wrong ends it with status 1 and one line.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import firmware_size
import quiet
from firmware_env import (
    FirmwareError,
    Sources,
    current_environment,
    find_sources,
    idf_command,
    note,
)
from firmware_parts import check_room, merge, read_parts
from kconfig_boards import (
    BOARDS,
    ROOT,
    Board,
    ConfigError,
    board_names,
    load_board,
    load_pins,
    shown,
)
from kconfig_data import write_if_changed
from kconfig_lines import parse_set
from kconfig_model import evaluate

BUILD = ROOT / "build"
VERSION_FILE = ROOT / "firmware" / "versions.mk"


def esp_boards() -> list[str]:
    return [name for name in board_names() if (BOARDS / name / "mpconfigboard.cmake").is_file()]


def find_board(name: str) -> Board:
    boards = " ".join(esp_boards())
    if not name:
        raise FirmwareError(f"say which board, BOARD=NAME; boards: {boards}")
    if name not in esp_boards():
        if name in board_names():
            raise FirmwareError(f"{name} is no ESP32 board: {boards}; or make build TARGET=")
        raise FirmwareError(f"no board {name!r}; boards: {boards}")
    return load_board(name)


def our_version() -> str:
    """As MicroPython's own: v0.1.0 for the tagged commit, else a preview of it."""
    match = re.search(r"^VERSION := (\S+)", VERSION_FILE.read_text(encoding="utf-8"), re.MULTILINE)
    if match is None:
        raise FirmwareError(f"{VERSION_FILE}: no line VERSION := ...")
    version = f"v{match[1]}"

    def git(*arguments: str) -> str:
        try:
            done = subprocess.run(
                ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            return ""
        return done.stdout.strip()

    commit = git("rev-parse", "--short", "HEAD")
    dirty = ".dirty" if git("status", "--porcelain", "--untracked-files=no") else ""
    if version in git("tag", "--points-at", "HEAD").split() and not dirty:
        return version
    return f"{version}-preview{f'.g{commit}' if commit else ''}{dirty}"


def today() -> str:
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return time.strftime("%Y%m%d", time.gmtime(int(epoch)) if epoch else time.localtime())


def modules_of(text: str) -> list[str]:
    """USER_C_MODULES of the user's own, separated by blanks or ';': absolute paths."""
    found = []
    for item in re.split(r"[\s;]+", text.strip()):
        path = Path(item).absolute()
        if path.is_dir():
            path = path / "micropython.cmake"
        if item and not path.is_file():
            raise FirmwareError(f"USER_C_MODULES: {item} holds no micropython.cmake")
        if item:
            found.append(str(path))
    return found


class Build:
    """One board's build folder."""

    def __init__(self, args: argparse.Namespace, board: Board, sources: Sources) -> None:
        self.board = board
        self.sources = sources
        self.variant = args.variant
        self.name = f"{board.name}-{args.variant}" if args.variant else board.name
        self.folder = args.build.absolute() / self.name
        self.images = args.build.absolute() / "firmware"
        self.extra = self.folder / "sdkconfig.extra"
        self.config = args.config.split()
        self.mpy_cross = args.mpy_cross.absolute()
        self.modules = modules_of(args.modules)
        self.manifest = str(Path(args.manifest).absolute()) if args.manifest else ""
        if args.variant:
            file = board.folder / f"mpconfigvariant_{args.variant}.cmake"
            if not file.is_file():
                known = [p.stem.partition("_")[2] for p in board.folder.glob("mpconfigvariant_*")]
                raise FirmwareError(
                    f"{board.name} has no variant {args.variant!r}: {' '.join(known) or 'none'}"
                )
        if self.manifest and not Path(self.manifest).is_file():
            raise FirmwareError(f"FROZEN_MANIFEST={args.manifest} is no file")

    def _forget_what_is_old(self) -> None:
        """A folder of other sources is built anew; an sdkconfig of other settings is made anew, or
        IDF would keep the old values."""
        origin = {
            "idf": f"{self.sources.idf} {self.sources.idf_text}",
            "micropython": f"{self.sources.micropython} {self.sources.micropython_text}",
            "modules": self.modules,
            "manifest": self.manifest,
            "mpy-cross": str(self.mpy_cross),
        }
        settings = "\n".join(
            [self.board.settings.read_text(encoding="utf-8"), *self.config, *self._port_settings()]
        )
        state = self.folder / "firmware.state"
        old = {}
        if state.is_file():
            old = json.loads(state.read_text(encoding="utf-8"))
        if old.get("origin") != origin and self.folder.exists():
            shutil.rmtree(self.folder)
        if old.get("settings") != settings:
            (self.folder / "sdkconfig").unlink(missing_ok=True)
            shutil.rmtree(self.folder / "mempool", ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"origin": origin, "settings": settings})
        state.write_text(text, encoding="utf-8")

    def _port_settings(self) -> list[str]:
        """What the port's and this repository's cmake files of the board say."""
        port = self.sources.micropython / "ports" / "esp32" / "boards"
        files = [*sorted(port.glob("sdkconfig.*")), *sorted(self.board.folder.glob("*.cmake"))]
        return [path.read_text(encoding="utf-8", errors="replace") for path in files]

    def _command(self, idf_py: list[str]) -> list[str]:
        values = {
            "MICROPY_BOARD": self.board.name,
            "MICROPY_BOARD_DIR": self.board.folder,
            "USER_C_MODULES": ";".join([str(ROOT / "cmodules/micropython.cmake"), *self.modules]),
        }
        if self.variant:
            values["MICROPY_BOARD_VARIANT"] = self.variant
        # Said even where it is empty, because CMake keeps what it was once told.
        values["MODESP_EXTRA_SDKCONFIG"] = self.extra if self.config else ""
        if self.manifest:
            values["MICROPY_FROZEN_MANIFEST"] = self.manifest
        defines = [item for name, value in values.items() for item in ("-D", f"{name}={value}")]
        project = str(self.sources.micropython / "ports" / "esp32")
        return [*idf_py, "-C", project, "-B", str(self.folder), *defines, "build"]

    def run(self) -> None:
        self._forget_what_is_old()
        if self.config:
            given = [parse_set(text) for text in self.config]
            text = "".join(f"CONFIG_{each.name}={each.value}\n" for each in given)
            write_if_changed(self.extra, text)
        else:
            self.extra.unlink(missing_ok=True)
        idf_py, environ = idf_command(self.sources, self.board.mcu, current_environment())
        environ["MICROPY_MPYCROSS"] = str(self.mpy_cross)
        os.environ.clear()
        os.environ.update(environ)
        title = f"Building {self.name} (MicroPython {self.sources.micropython_text}, ESP-IDF v"
        title += f"{self.sources.idf_text})"
        if quiet.main(title, self.folder / "build.log", *self._command(idf_py)):
            raise FirmwareError(f"{self.name} is not built: see {self.folder}/build.log")

    def finish(self, version: str) -> Path:
        parts = read_parts(self.folder)
        if parts.chip != self.board.mcu:
            raise FirmwareError(f"{self.folder} is a build for {parts.chip}: remove it")
        size, place = check_room(parts)
        image = self.images / f"{self.name}-{today()}-{version}.bin"
        merge(parts, image)
        about = {
            "board": self.name,
            "chip": parts.chip,
            "offset": parts.bootloader.offset,
            "flash_size": parts.flash_size,
            "image": image.name,
            "micropython": self.sources.micropython_text,
            "idf": self.sources.idf_text,
            "version": version,
        }
        text = json.dumps(about, indent=4) + "\n"
        image.with_suffix(".json").write_text(text, encoding="utf-8")
        share = 100 * size / place.size
        print(f"application: {size} of {place.size} bytes of its partition ({share:.0f} %)")
        self._report_size()
        return image

    def _report_size(self) -> None:
        try:
            added = firmware_size.measure(self.folder, ROOT)
        except firmware_size.SizeError as error:
            print(f"what we add is not known: {error}")
            return
        print("\n".join(firmware_size.lines_of(added)))


def prepare(args: argparse.Namespace) -> Build:
    """Everything that can be wrong before the long work."""
    board = find_board(args.board)
    evaluate(board, args.config.split())
    load_pins(board)
    return Build(args, board, find_sources(current_environment()))


def _check(args: argparse.Namespace) -> None:
    build = prepare(args)
    idf_command(build.sources, build.board.mcu, current_environment())


def _build(args: argparse.Namespace) -> None:
    build = prepare(args)
    if not build.mpy_cross.is_file():
        raise FirmwareError(f"{args.mpy_cross} is missing: build it, or let make firmware do so")
    said = note(build.sources)
    if said:
        print(said)
    build.run()
    image = build.finish(our_version())
    print(f"{shown(image)}: make flash PORT= BOARD={build.name} writes it")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, run in (("check", _check), ("build", _build)):
        sub = commands.add_parser(name)
        sub.set_defaults(run=run)
        sub.add_argument("--board", default="", metavar="NAME")
        sub.add_argument("--variant", default="", metavar="NAME", help="of the board")
        sub.add_argument("--config", default="", metavar='"NAME=VALUE ..."')
        sub.add_argument("--modules", default="", help="more USER_C_MODULES")
        sub.add_argument("--manifest", default="", help="another FROZEN_MANIFEST")
        sub.add_argument("--build", type=Path, default=BUILD, metavar="DIR", help="where to")
        sub.add_argument("--mpy-cross", type=Path, default=BUILD / "mpy-cross" / "mpy-cross")
    args = parser.parse_args(argv)
    try:
        args.run(args)
    except (FirmwareError, ConfigError) as error:
        print(f"firmware: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"firmware: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
