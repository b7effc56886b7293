"""Mock bootloaders, images made for their chips, and tools/flash.py."""

import functools
import hashlib
import json
import operator
import random
import struct
import threading
from dataclasses import dataclass

import firmware_image
import flash
import pytest
from esp32_mock_bootloader.api import mock_bootloader

CHIP_IDS = {name: number for number, name in firmware_image.CHIPS.items()}


APP_AT = 0x9000


def app_bytes(chip):
    """A small application as esptool knows it: one segment, its checksum, its digest."""
    header = bytearray(firmware_image.HEADER_BYTES)
    header[:4] = bytes([firmware_image.MAGIC, 1, 2, 0x20])
    struct.pack_into("<H", header, firmware_image.CHIP_ID_AT, CHIP_IDS[chip])
    header[-1] = 1  # a digest follows
    payload = b"mpy\n" * 64
    data = bytes(header) + struct.pack("<II", 0x3F400020, len(payload)) + payload
    data += bytes(15 - len(data) % 16) + bytes([functools.reduce(operator.xor, payload, 0xEF)])
    return data + hashlib.sha256(data).digest()


def image_bytes(chip, kilobytes=40, seed=1):
    """A merged image in shape: the bootloader's header, a partition table, an application in half
    of noise, half of it empty."""
    chance = random.Random(seed)
    offset = firmware_image.OFFSETS[chip]
    data = bytearray(chance.randbytes(kilobytes << 9)) + bytearray(b"\xff" * (kilobytes << 9))
    data[: firmware_image.HEADER_BYTES] = bytes(firmware_image.HEADER_BYTES)
    data[:4] = bytes([firmware_image.MAGIC, 3, 2, 0x20])  # 4 MB
    struct.pack_into("<H", data, firmware_image.CHIP_ID_AT, CHIP_IDS[chip])
    table = firmware_image.PARTITIONS_AT - offset
    entry = struct.pack("<HBBII16sI", 0x50AA, 0, 0, APP_AT, 0x1000, b"factory", 0)
    data[table : table + 64] = entry.ljust(64, b"\xff")
    app = app_bytes(chip)
    data[APP_AT - offset : APP_AT - offset + len(app)] = app
    return bytes(data)


@pytest.fixture
def make_image(tmp_path):
    """make_image(chip, board="") -> a file, with its description where it is a board's."""

    def make(chip, board="", name=None, changes=()):
        path = tmp_path / (name or f"{board or chip}-20261125-0.4.0.bin")
        path.write_bytes(image_bytes(chip))
        if board:
            about = {
                "board": board,
                "chip": chip,
                "offset": firmware_image.OFFSETS[chip],
                "flash_size": "4MB",
                "image": path.name,
                "micropython": "1.28.0",
                "idf": "v5.5.1",
                "version": "0.4.0",
            }
            about.update(changes)
            path.with_suffix(".json").write_text(json.dumps(about))
        return path

    return make


@pytest.fixture
def mock():
    """mock(chip) -> a running bootloader, with url() and port()."""
    running = []

    def start(chip):
        handle = mock_bootloader(chip)
        running.append(handle)
        return handle

    yield start
    for handle in running:  # each takes a second to end
        threading.Thread(target=handle.stop).start()


@dataclass
class Done:
    status: int
    out: str
    err: str

    def refused(self, *parts):
        """It failed, with one line that has every part."""
        assert self.status == 1, self
        assert self.err.count("\n") == 1 and self.err.endswith("\n"), self.err
        for part in parts:
            assert part in self.err, (part, self.err)
        return self.err


@pytest.fixture
def tool(tmp_path, capsys):
    """tool("flash", "--port", ...) is tools/flash.py without the start of another Python."""

    def run(*arguments):
        capsys.readouterr()
        status = flash.main([*map(str, arguments), "--log", str(tmp_path / "flash.log")])
        done = capsys.readouterr()
        return Done(status, done.out, done.err)

    return run
