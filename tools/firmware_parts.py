"""What an ESP32 build leaves, put together: the merged image of a board, and its description.

IDF's flasher_args.json names the parts and their places, esptool merges them. The first byte of
the merged image belongs at the chip's bootloader offset (0x1000 on ESP32, 0 on the newer ones), as
in MicroPython's own images.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from firmware_env import FirmwareError

# An entry of the partition table (esp_partition_info_t): magic, type, subtype, offset, size, name.
_ENTRY = struct.Struct("<HBBII16sI")
_ENTRY_MAGIC = 0x50AA
_APP_TYPE = 0


@dataclass(frozen=True)
class Part:
    offset: int
    file: Path


@dataclass(frozen=True)
class Parts:
    """The parts of a build."""

    chip: str
    flash_size: str
    bootloader: Part
    partitions: Part
    app: Part
    all: tuple[Part, ...]


@dataclass(frozen=True)
class Partition:
    name: str
    kind: int
    offset: int
    size: int


def read_parts(build: Path) -> Parts:
    """The parts that IDF left in a build folder."""
    path = build / "flasher_args.json"
    try:
        args = json.loads(path.read_text(encoding="utf-8"))
        parts = {
            name: Part(int(args[name]["offset"], 16), build / args[name]["file"])
            for name in ("bootloader", "partition-table", "app")
        }
        every = tuple(
            Part(int(offset, 16), build / file) for offset, file in args["flash_files"].items()
        )
        chip = args["extra_esptool_args"]["chip"]
        flash_size = args["flash_settings"]["flash_size"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FirmwareError(
            f"{path} does not say what to flash ({error!r}): remove {build}, and build again"
        ) from None
    for part in every:
        if not part.file.is_file():
            raise FirmwareError(f"{part.file} is missing: remove {build}, and build again")
    return Parts(
        chip, flash_size, parts["bootloader"], parts["partition-table"], parts["app"],
        tuple(sorted(every, key=lambda part: part.offset)),
    )  # fmt: skip


def read_partitions(data: bytes) -> list[Partition]:
    found = []
    for at in range(0, len(data) - _ENTRY.size + 1, _ENTRY.size):
        magic, kind, _sub, offset, size, name, _flags = _ENTRY.unpack_from(data, at)
        if magic != _ENTRY_MAGIC:
            break
        found.append(Partition(name.rstrip(b"\0").decode(errors="replace"), kind, offset, size))
    return found


def app_partition(partitions: list[Partition]) -> Partition:
    for partition in partitions:
        if partition.kind == _APP_TYPE:
            return partition
    raise FirmwareError("the partition table has no place for an application")


def esptool(*arguments: str) -> str:
    """The output of esptool, or its last line as the error."""
    command = [sys.executable, "-m", "esptool", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise FirmwareError(f"esptool: {lines[-1] if lines else 'failed'}")
    return done.stdout


def check_room(parts: Parts) -> tuple[int, Partition]:
    """Bytes of the application, and the partition for it. FirmwareError where it is too large."""
    size = parts.app.file.stat().st_size
    place = app_partition(read_partitions(parts.partitions.file.read_bytes()))
    if size > place.size:
        raise FirmwareError(
            f"the application has {size} bytes, and its partition {place.name!r} {place.size}:"
            " freeze less, or give the board a larger partition"
        )
    return size, place


def merge(parts: Parts, output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["--chip", parts.chip, "merge-bin", "--output", str(output)]
    arguments += ["--target-offset", hex(parts.bootloader.offset)]
    for part in parts.all:
        arguments += [hex(part.offset), str(part.file)]
    esptool(*arguments)


def split_app(image: bytes, offset: int, partitions_at: int = 0x8000) -> tuple[Partition, bytes]:
    """The application within a merged image that begins at an offset of the flash."""
    table = image[partitions_at - offset : partitions_at - offset + 0xC00]
    place = app_partition(read_partitions(table))
    return place, image[place.offset - offset : place.offset - offset + place.size]
