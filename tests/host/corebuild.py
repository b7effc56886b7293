"""Builds the C core for this computer, once a configuration, out of the one list of sources.

A build is named by the hash of everything that goes into it (configuration, flags, sources,
headers, compiler), under build/host/: nothing is built twice and nothing stale is ever used.
The header sdkconfig.h is written here and not by tools/kconfig.py, because the edges of the
bitmaps (2, 33, 64, 65 blocks) lie outside the ranges that a board may choose.
"""

from __future__ import annotations

import dataclasses
import fcntl
import functools
import hashlib
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "cmodules" / "mempool"
HERE = Path(__file__).resolve().parent
# MEMPOOL_COVERAGE=1: every build counts what is reached (tests/coverage). Nothing is made faster
# or inlined then: the compiler would take branches apart, and book some with their callers.
COUNTING = os.environ.get("MEMPOOL_COVERAGE") == "1"
COUNT = ["-O0", "-Dalways_inline=unused", "--coverage", "-fprofile-update=atomic"]
COUNT = COUNT if COUNTING else []
OUTPUT = ROOT / "build" / ("coverage/host" if COUNTING else "host")
INCLUDES = [MODULE / "include", MODULE / "port", MODULE / "core"]
POOLS = ("TINY", "SMALL", "MEDIUM", "LARGE", "XLARGE")
BLOCK_SIZES = (32, 64, 128, 256, 512)


@dataclasses.dataclass(frozen=True)
class Config:
    """The symbols of Kconfig that the core reads."""

    name: str
    counts: tuple[int, int, int, int, int] = (128, 64, 32, 16, 8)
    reserve: int = 0
    low: int = 80
    critical: int = 95
    heap: bool = False
    owners: int = 16
    diagnostics: bool = True
    trace: int = 0
    poison: bool = False
    masked: bool = False
    grow: int = 0
    arena: int = 8192
    queue: int = 32
    topics: int = 64
    subscribers: int = 32

    def header(self) -> str:
        """The text of sdkconfig.h: a bool is 1 or absent, as IDF writes it."""
        symbols: dict[str, int | bool] = {"ENABLE": True}
        for pool, count in zip(POOLS, self.counts, strict=True):
            symbols[f"{pool}_COUNT"] = count
        symbols |= {
            "EMERGENCY_RESERVE": self.reserve,
            "LOW_THRESHOLD": self.low,
            "CRITICAL_THRESHOLD": self.critical,
            "STRICT_MODE": not self.heap,
            "ALLOW_HEAP_FALLBACK": self.heap,
            "OWNERS": self.owners,
            "DIAGNOSTICS": self.diagnostics,
            "TRACE_ALLOCATIONS": self.trace > 0,
            "POISON_FREED": self.poison,
            "GROW_BLOCKS": self.grow,
            "GROW_ARENA": self.arena,
            "EVENT_QUEUE": self.queue,
            "EVENT_TOPICS": self.topics,
            "EVENT_SUBSCRIBERS": self.subscribers,
            "EVENT_TASK_PRIORITY": 2,
            "EVENT_TASK_STACK": 3072,
            "NOINIT_BYTES": 64,
        }
        if self.trace:
            symbols["TRACE_DEPTH"] = self.trace
        lines = [
            f"#define CONFIG_MEMORY_POOL_{name} {int(value)}"
            for name, value in symbols.items()
            if value is not False
        ]
        return "\n".join(lines) + "\n"

    def variants(self) -> list[Config]:
        """This configuration with atomics, and with the mask (on the host a mutex)."""
        return [self, dataclasses.replace(self, name=f"{self.name}-masked", masked=True)]


# Leaf words hold 32 blocks: 33, 64 and 65 lie around their edges, 2 and 3 exhaust in two steps.
EDGES = (3, 2, 33, 64, 65)
DEFAULT = Config("default")
SMALL = Config("small", counts=EDGES)
ALL_ON = Config("all-on", counts=EDGES, reserve=1, trace=16, poison=True, owners=3)
RESERVE = Config("reserve", counts=(6, 5, 33, 9, 4), reserve=2, low=50, critical=90)
HEAP = Config("heap", counts=EDGES, heap=True, trace=16)
# More than four leaves, so that a word sums them up; fewer than it has bits. 31 and 62 lie between
# leaves of 32 blocks and what a leaf of 31 would need.
SUMMARY = Config("summary", counts=(161, 31, 62, 64, 130))
MINIMUM = Config("minimum", counts=EDGES, diagnostics=False, owners=0)
FULL = Config("full", counts=(1024, 1024, 1, 32, 31), reserve=0, low=95, critical=99, owners=31)
CONFIGS = [
    variant
    for config in (DEFAULT, SMALL, ALL_ON, RESERVE, HEAP, SUMMARY, MINIMUM, FULL)
    for variant in config.variants()
]


def core_sources(module: Path = MODULE) -> list[Path]:
    """The core's part of a module's one list of sources."""
    lines = (module / "sources.list").read_text().split("\n")
    names = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return [module / name for name in names if name.startswith("core/")]


@functools.cache
def _inputs(more: tuple[Path, ...]) -> bytes:
    """Hash of every source and header that a build may read."""
    digest = hashlib.sha256()
    folders = [*INCLUDES, HERE, *more]
    paths = [MODULE / "sources.list"]
    for folder in folders:
        paths += sorted(p for p in folder.rglob("*") if p.suffix in {".c", ".h"})
    for path in paths:
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.digest()


@functools.cache
def _compiler(command: str) -> str:
    return subprocess.run([command, "--version"], capture_output=True, text=True).stdout


def compile_into(
    output_name: str,
    config: Config,
    sources: list[Path],
    flags: list[str],
    *,
    compiler: str = "gcc",
    includes: tuple[Path, ...] = (),
) -> Path:
    """Compiles and links `sources` with the core's include path, and other modules' folders of
    headers and sources behind it. -> the file that was built.
    """
    text = config.header()
    key = hashlib.sha256()
    flags = [*flags, *COUNT]
    for part in (text, config.masked, sources, flags, compiler, _compiler(compiler)):
        key.update(repr(part).encode())
    key.update(_inputs(includes))
    folder = OUTPUT / f"{config.name}-{key.hexdigest()[:16]}"
    output = folder / output_name
    folder.mkdir(parents=True, exist_ok=True)
    # Two pytest processes may want the same build: one of them makes it.
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if output.exists():
            return output
        (folder / "sdkconfig.h").write_text(text)
        made = folder / f".{output_name}.{os.getpid()}"
        command = [compiler, "-std=gnu11", "-g", "-Wall", "-Wextra", "-Werror", f"-I{folder}"]
        command += [f"-I{path}" for path in (*INCLUDES, *includes)]
        if config.masked:
            command.append("-DMEMPOOL_PORT_MASKED=1")
        command += [*flags, *map(str, sources), "-o", str(made), "-pthread"]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f"{config.name}: {' '.join(command)}\n{run.stdout}{run.stderr}")
        made.rename(output)
    return output


def library(config: Config, flags: tuple[str, ...] = ("-O2",)) -> Path:
    """The core alone as a shared library."""
    return compile_into(
        "libmempool.so",
        config,
        core_sources(),
        ["-fPIC", "-shared", "-Wl,-z,defs", *flags],
    )


def program(source: str, config: Config, flags: tuple[str, ...] = ("-O2",)) -> Path:
    """A C program of this folder, linked with the core."""
    name = Path(source).stem
    return compile_into(name, config, [HERE / source, *core_sources()], list(flags))
