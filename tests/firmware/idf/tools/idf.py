"""The stand-in's idf.py: configures with real CMake, and leaves what a real build leaves."""

import argparse
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

CHIP_IDS = {"esp32": 0, "esp32c3": 5, "esp32s3": 9, "esp32c6": 13}
BOOTLOADER = {"esp32": 0x1000}
APP_PARTITION = 0x1F0000


def image(chip, payload):
    """A file as the second-stage loader wants it: one segment, its checksum."""
    payload += b"\0" * (-len(payload) % 4)
    header = struct.pack("<BBBBI", 0xE9, 1, 2, 0x20, 0x40080000)
    header += struct.pack("<BBBBHBHHBBBBB", 0, 0, 0, 0, CHIP_IDS[chip], 0, 0, 99, 0, 0, 0, 0, 0)
    body = header + struct.pack("<II", 0x3F400020, len(payload)) + payload
    checksum = 0xEF
    for byte in payload:
        checksum ^= byte
    return body + b"\0" * (15 - len(body) % 16) + bytes([checksum])


def partitions():
    table = b""
    for name, kind, sub, offset, size in (
        (b"nvs", 1, 2, 0x9000, 0x6000),
        (b"phy_init", 1, 1, 0xF000, 0x1000),
        (b"factory", 0, 0, 0x10000, APP_PARTITION),
        (b"vfs", 1, 0x81, 0x200000, 0x200000),
    ):
        table += struct.pack("<HBBII16sI", 0x50AA, kind, sub, offset, size, name, 0)
    return table.ljust(0xC00, b"\xff")


def link_map(build, sources):
    lines = ["Archive member included", "", "Linker script and memory map", "", ".flash.text"]
    for number, source in enumerate(sources):
        file = build / "esp-idf/main/CMakeFiles/__idf_main.dir" / (source.lstrip("/") + ".obj")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        member = f"esp-idf/main/libmain.a({file.name})"
        lines.append(f" .text.f{number:<8} 0x{0x400D0000 + number * 64:016x} 0x40 {member}")
    lines += ["", ".dram0.bss", f" .bss.mempool_payload 0x000000003ffb0000 0x5000 {member}"]
    (build / "micropython.map").write_text("\n".join(lines) + "\n")


def said(build, name):
    lines = (build / "said.cmake").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)[name]


def build(folder, chip, app_bytes):
    (folder / "bootloader").mkdir(exist_ok=True)
    (folder / "partition_table").mkdir(exist_ok=True)
    (folder / "bootloader/bootloader.bin").write_bytes(image(chip, b"loader" * 100))
    (folder / "partition_table/partition-table.bin").write_bytes(partitions())
    (folder / "micropython.bin").write_bytes(image(chip, b"mpy\n" * (app_bytes // 4)))
    place = hex(BOOTLOADER.get(chip, 0))
    files = {
        place: "bootloader/bootloader.bin",
        "0x10000": "micropython.bin",
        "0x8000": "partition_table/partition-table.bin",
    }
    about = {
        "flash_settings": {"flash_mode": "dio", "flash_size": "4MB", "flash_freq": "40m"},
        "flash_files": files,
        "bootloader": {"offset": place, "file": files[place]},
        "app": {"offset": "0x10000", "file": "micropython.bin"},
        "partition-table": {"offset": "0x8000", "file": files["0x8000"]},
        "extra_esptool_args": {"chip": chip},
    }
    (folder / "flasher_args.json").write_text(json.dumps(about))
    link_map(folder, said(folder, "SOURCES").split(";"))


def main():
    if sys.argv[1:] == ["--version"]:
        print("a stand-in for ESP-IDF")
        return 0
    parser = argparse.ArgumentParser()
    parser.add_argument("-C", dest="project", required=True)
    parser.add_argument("-B", dest="build", type=Path, required=True)
    parser.add_argument("-D", dest="defines", action="append", default=[])
    parser.add_argument("action", choices=["build"])
    args = parser.parse_args()
    hidden = [name for name in ("BOARD", "CONFIG", "MAKEFLAGS", "TARGET") if name in os.environ]
    if hidden:
        print(f"make's own {hidden} reached idf.py")
        return 1
    if not os.access(os.environ["MICROPY_MPYCROSS"], os.X_OK):
        print("MICROPY_MPYCROSS is no program")
        return 1
    command = ["cmake", "-S", args.project, "-B", str(args.build)]
    command += [f"-D{each}" for each in args.defines]
    print("[0/1] configuring", flush=True)
    if subprocess.run(command).returncode:
        print("FAILED: cmake")
        return 2
    chip = said(args.build, "IDF_TARGET")
    print("[1/1] linking micropython.elf", flush=True)
    build(args.build, chip, int(os.environ.get("FAKE_APP_BYTES", "100000")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
