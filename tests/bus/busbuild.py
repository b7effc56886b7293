"""Builds the bus's core for this computer, alone or with the pools' core under it.

The builds themselves are made by tests/host's corebuild. Import this module before any other of
that folder: it puts the folder on the path.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "host"))

import corebuild as build  # noqa: E402

MODULE = build.ROOT / "cmodules" / "eventbus"
INCLUDES = (MODULE / "include", MODULE / "port", MODULE / "core")
CBOR_HEADER = MODULE / "include" / "eventbus_cbor.h"


def bus_sources() -> list[Path]:
    """The core's part of the bus's one list of sources."""
    return build.core_sources(MODULE)


def cbor_sources() -> list[Path]:
    """Those that need nothing else of the bus, and nothing of the pools."""
    return [source for source in bus_sources() if source.name.startswith("cbor_")]


def _compile(name: str, config: build.Config, sources: list[Path], flags: tuple[str, ...]) -> Path:
    return build.compile_into(name, config, sources, list(flags), includes=(*INCLUDES, HERE))


def _library(name: str, config: build.Config, sources: list[Path], flags: tuple[str, ...]) -> Path:
    return _compile(name, config, sources, ("-fPIC", "-shared", "-Wl,-z,defs", *flags))


def library(config: build.Config = build.DEFAULT, flags: tuple[str, ...] = ("-O2",)) -> Path:
    """Bus and pools as a shared library."""
    sources = [*bus_sources(), *build.core_sources()]
    return _library("libeventbus.so", config, sources, flags)


def program(
    source: str, config: build.Config = build.DEFAULT, flags: tuple[str, ...] = ("-O2",)
) -> Path:
    """A C program of this folder, linked with bus and pools."""
    sources = [HERE / source, *bus_sources(), *build.core_sources()]
    return _compile(Path(source).stem, config, sources, flags)


def cbor_library(flags: tuple[str, ...] = ("-O2",)) -> Path:
    """The CBOR alone as a shared library."""
    return _library("libeventbuscbor.so", build.DEFAULT, cbor_sources(), flags)


def cbor_program(source: str, flags: tuple[str, ...] = ("-O2",)) -> Path:
    """A C program of this folder, linked with the CBOR alone."""
    return _compile(Path(source).stem, build.DEFAULT, [HERE / source, *cbor_sources()], flags)
