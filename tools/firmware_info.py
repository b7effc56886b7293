#!/usr/bin/env python3
"""What is in a merged firmware image: its description, its partitions, and what esptool says
of the application in it.

    firmware_info.py [--board MODESP_ESP32] [--image build/firmware/...bin]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from firmware_env import FirmwareError
from firmware_image import FOLDER, ImageError, load, newest
from firmware_parts import esptool, read_partitions, split_app


def show(board: str, path: Path | None, folder: Path) -> None:
    image = load(path) if path else newest(board, folder)
    data = image.path.read_bytes()
    place, app = split_app(data, image.offset)
    print(f"{image.path}: {len(data)} bytes for {image.chip} at {image.offset:#x}")
    if image.about:
        print(json.dumps(image.about, indent=4))
    for partition in read_partitions(data[0x8000 - image.offset :]):
        mark = " (what follows)" if partition == place else ""
        print(f"  {partition.offset:#8x} {partition.size:8} {partition.name}{mark}")
    with tempfile.TemporaryDirectory(prefix="image-info-") as place_for_it:
        file = Path(place_for_it) / "application.bin"
        file.write_bytes(app)
        print(esptool("--chip", image.chip, "image-info", str(file)).strip())


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--board", default="", help="its newest image in build/firmware")
    parser.add_argument("--image", type=Path)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of the images")
    args = parser.parse_args(argv)
    try:
        show(args.board, args.image, args.folder)
    except (FirmwareError, ImageError) as error:
        print(f"image-info: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
