"""Configurations of the bus, and its core built with the fake port: fake_port.h."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import busbuild
import corebuild


@dataclasses.dataclass(frozen=True)
class BusConfig(corebuild.Config):
    """The symbols of Kconfig that the two cores read."""

    queue: int = 32
    topics: int = 64
    subscribers: int = 32
    spill: bool = False

    def header(self) -> str:
        lines = [line for line in super().header().splitlines() if "_EVENT_" not in line]
        symbols = {
            "EVENT_QUEUE": self.queue,
            "EVENT_TOPICS": self.topics,
            "EVENT_SUBSCRIBERS": self.subscribers,
        }
        if self.spill:
            symbols["SPILL"] = 1
        lines += [f"#define CONFIG_MEMORY_POOL_{name} {n}" for name, n in symbols.items()]
        return "\n".join(lines) + "\n"

    def variants(self) -> list[BusConfig]:
        return [self, dataclasses.replace(self, name=f"{self.name}-masked", masked=True)]


# For what is tested by hand; and for random rows, so that a dozen steps reach every edge.
SMALL = BusConfig("bus-small", topics=16, subscribers=8, queue=8)
TINY = BusConfig("bus-tiny", counts=(3, 2, 2, 1, 2), subscribers=5, topics=8)
RESERVE = dataclasses.replace(TINY, name="bus-reserve", counts=(4, 4, 2, 2, 2), reserve=1)


def fake_library(
    config: BusConfig, flags: tuple[str, ...] = ("-O1",), more: tuple[Path, ...] = ()
) -> Path:
    """Bus and pools as a shared library, on the fake platform, and more sources of tests."""
    sources = [busbuild.HERE / "fake_port.c", *busbuild.bus_sources(), *corebuild.core_sources()]
    sources += more
    fake = ["-include", str(busbuild.HERE / "fake_port.h"), "-fPIC", "-shared", "-Wl,-z,defs"]
    includes = (*busbuild.INCLUDES, busbuild.HERE)
    name = "libeventbus-fake.so"
    return corebuild.compile_into(name, config, sources, [*fake, *flags], includes=includes)
