"""The merged firmware images in build/firmware, and what is known about each.

`make firmware` leaves BOARD-DATE-VERSION.bin, which is written at one offset, and a .json of the
same name that describes it. Nothing is believed that the image's own header contradicts: its first
bytes are those of the second-stage bootloader, with the chip and the size of the flash.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from esptool.bin_image import LoadFirmwareImage
from esptool.targets import CHIP_DEFS
from esptool.util import FatalError
from firmware_env import FirmwareError
from firmware_parts import split_app

FOLDER = Path(__file__).resolve().parent.parent / "build" / "firmware"

# esp_image_header_t: magic, segments, SPI mode, speed and size, ..., chip id at byte 12.
HEADER_BYTES = 24
MAGIC = 0xE9
CHIP_ID_AT = 12
FLASH_SIZES = ("1MB", "2MB", "4MB", "8MB", "16MB", "32MB", "64MB", "128MB")
# ESP8266 is older than the chip id in the header; nothing of ours runs on it.
CHIPS = {
    chip.IMAGE_CHIP_ID: name
    for name, chip in CHIP_DEFS.items()
    if getattr(chip, "IMAGE_CHIP_ID", None) is not None
}
# Where an image made for one chip's bootloader is written, as esptool has it.
OFFSETS = {name: CHIP_DEFS[name].BOOTLOADER_FLASH_OFFSET for name in CHIPS.values()}
# IDF's default place of the partition table, and the first bytes of an entry.
PARTITIONS_AT = 0x8000
PARTITION_MAGIC = b"\xaa\x50"

FIELDS = {
    "board": str,
    "chip": str,
    "offset": int,
    "flash_size": str,
    "image": str,
    "micropython": str,
    "idf": str,
    "version": str,
}


class ImageError(Exception):
    """What is wrong with an image, or that there is none, and what to do: one line."""


@dataclass
class Image:
    path: Path
    chip: str  # as esptool names it: esp32c3
    offset: int
    flash_size: str  # "4MB"
    board: str = ""  # "" where nothing but the header tells
    about: dict = field(default_factory=dict)  # the whole .json

    @property
    def size(self) -> int:
        return self.path.stat().st_size


def header(path: Path) -> tuple[str, str]:
    """(chip, flash size) by the image's own first bytes."""
    try:
        with path.open("rb") as file:
            data = file.read(HEADER_BYTES)
    except OSError as error:
        raise ImageError(f"cannot read {path}: {error.strerror}") from None
    if len(data) < HEADER_BYTES or data[0] != MAGIC:
        found = f"begins with 0x{data[0]:02x}, not 0x{MAGIC:02x}" if data else "is empty"
        if data and data[0] == MAGIC:
            found = f"has {len(data)} bytes"
        raise ImageError(
            f"{path} is no firmware image: it {found}; give the .bin that make firmware names"
        )
    (chip_id,) = struct.unpack_from("<H", data, CHIP_ID_AT)
    if chip_id not in CHIPS:
        raise ImageError(f"{path} is for a chip that esptool does not know: id {chip_id}")
    size = data[3] >> 4
    return CHIPS[chip_id], FLASH_SIZES[size] if size < len(FLASH_SIZES) else ""


def describe(path: Path) -> dict:
    """The .json beside an image or an image's own; {} where there is none."""
    description = path.with_suffix(".json")
    try:
        about = json.loads(description.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ImageError(f"cannot read {description}: {error.strerror}") from None
    except ValueError as error:
        raise ImageError(f"{description} is no JSON: {error}; make firmware again") from None
    for name, kind in FIELDS.items():
        if not isinstance(about, dict) or type(about.get(name)) is not kind:
            raise ImageError(f"{description} has no {kind.__name__} {name!r}; make firmware again")
    return about


def load(path: Path) -> Image:
    """An image with or without its description; both must agree where both tell."""
    path = Path(path)
    about = describe(path)
    chip, flash_size = header(path)
    if not about:
        image = Image(path, chip, OFFSETS[chip], flash_size)
        _whole(image)
        return image
    if about["chip"] != chip:
        raise ImageError(
            f"{path} is for {chip}, its .json says {about['chip']}: "
            "one of them is of another build; make firmware again"
        )
    if about["offset"] != OFFSETS[chip]:
        raise ImageError(
            f"{path.with_suffix('.json')} says offset {about['offset']:#x}, but {chip} starts at "
            f"{OFFSETS[chip]:#x}; make firmware again"
        )
    image = Image(path, chip, about["offset"], about["flash_size"], about["board"], about)
    _whole(image)
    return image


def _whole(image: Image) -> None:
    """An application begins with the same header, but written in the bootloader's place it only
    makes a board that does not start; and so does half an image."""
    data = image.path.read_bytes()
    at = PARTITIONS_AT - image.offset
    if data[at : at + len(PARTITION_MAGIC)] != PARTITION_MAGIC:
        raise ImageError(
            f"{image.path} has no partition table at {PARTITIONS_AT:#x}: an application "
            "alone? Give the merged image that make firmware names"
        )
    try:
        app: Any = LoadFirmwareImage(image.chip, split_app(data, image.offset)[1])
        whole = app.checksum == app.calculate_checksum()
        whole = whole and not (app.append_digest and app.stored_digest != app.calc_digest)
    except FirmwareError as error:
        raise ImageError(f"{image.path}: {error}") from None
    except (FatalError, struct.error, IndexError, TypeError):  # as esptool ends where bytes do
        whole = False
    if not whole:
        raise ImageError(
            f"the application in {image.path} is cut off or damaged ({len(data)} bytes): "
            "copy the image anew, or make firmware again"
        )


def newest(board: str = "", folder: Path = FOLDER) -> Image:
    """The newest image of a board; without a board, of the only one that there is."""
    found = []
    for description in sorted(folder.glob("*.json")):
        about = describe(description)
        if about["image"] == description.with_suffix(".bin").name:
            found.append((description.stat().st_mtime, description, about))
    boards = sorted({about["board"] for _, _, about in found})
    if not board and len(boards) > 1:
        raise ImageError(
            f"there are images of several boards: say which, BOARD={'|'.join(boards)}"
        )
    mine = [entry for entry in found if entry[2]["board"] == (board or entry[2]["board"])]
    if not mine:
        what = f"no image of {board}" if board else "no image"
        there = f" (there is {', '.join(boards)})" if boards else ""
        raise ImageError(f"{what} in {folder}{there}: run make firmware BOARD={board or '...'}")
    return load(max(mine)[1].with_suffix(".bin"))
