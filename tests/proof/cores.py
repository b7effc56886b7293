"""The two cores as every tool here sees them: files, folders of headers, configurations."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "host"))

import corebuild  # noqa: E402

BUS = ROOT / "cmodules" / "eventbus"
OUTPUT = ROOT / "build" / "proof"

POOLS_INCLUDES = [*corebuild.INCLUDES]
BUS_INCLUDES = [BUS / "include", BUS / "port", BUS / "core"]

# All that can be on is on: what it compiles is most of the code.
ALL_ON = dataclasses.replace(corebuild.ALL_ON, name="all-on", grow=32)
HEAP = dataclasses.replace(corebuild.HEAP, name="heap")
# And what the others leave out: many blocks, and nothing that can be left away.
LARGE = (1024, 1024, 1, 32, 31)
MINIMUM = dataclasses.replace(corebuild.MINIMUM, name="minimum", counts=LARGE)
CONFIGS = (ALL_ON, HEAP, MINIMUM)


def pools() -> list[Path]:
    return corebuild.core_sources()


def bus() -> list[Path]:
    return corebuild.core_sources(BUS)


def config_folder(config: corebuild.Config) -> Path:
    """A folder with the configuration's sdkconfig.h."""
    folder = OUTPUT / "config" / config.name
    folder.mkdir(parents=True, exist_ok=True)
    header = folder / "sdkconfig.h"
    text = config.header()
    if not header.exists() or header.read_text() != text:
        header.write_text(text)
    return folder


def include_flags(config: corebuild.Config) -> list[str]:
    folders = [config_folder(config), *POOLS_INCLUDES, *BUS_INCLUDES]
    return [f"-I{folder.relative_to(ROOT)}" for folder in folders]


def here(path: str | Path) -> str:
    """A path as findings name it: from the root of the repository."""
    path = Path(path)
    path = path if path.is_absolute() else ROOT / path
    path = path.resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
