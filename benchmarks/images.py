"""The bare RV32 images: which configurations are measured, how they are built, what QEMU says.

A build compiles the core, the pools' alone or the bus's with it, with the flags of the firmware,
links it with the benchmark and runs it. What an image reports is kept beside it under the digest
of everything it was made from, so that a run where nothing changed costs nothing; the counts are
exact, so it would say the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from coreimage import (  # noqa: E402
    ALL_ON,
    BUS,
    POOL,
    PRODUCTION,
    RV32,
    BuildError,
    compile_all,
    configure,
    core_sources,
    hot_flags,
    include_flags,
    need,
    run,
    with_setting,
)

IMAGE = ROOT / "benchmarks" / "rv32"
BUILD = ROOT / "build" / "bench"

EMULATOR = "qemu-system-riscv32"
QEMU = [EMULATOR, "-machine", "virt", "-cpu", "rv32", "-icount", "shift=0", "-bios", "none"]
QEMU += ["-display", "none", "-monitor", "none", "-serial", "stdio", "-kernel"]
# The linker finds the 32-bit libraries only by the architecture's name without _zicsr.
LINK_FLAGS = ["-march=rv32imac", "-mabi=ilp32", "--specs=picolibc.specs", "-nostartfiles"]
LINK_FLAGS += ["-Wl,-EL", "-Wl,--gc-sections"]
# As MicroPython compiles it: a memset that is not turned into a call of memset.
FLAGS_OF = {"string0.c": ("-ffreestanding", "-fno-builtin", "-fno-tree-loop-distribute-patterns")}


@dataclass(frozen=True)
class Variant:
    """One image: a configuration, and how the operations are made atomic."""

    name: str
    says: str
    settings: tuple[str, ...]
    masked: bool = False
    image: str = "pools"  # the folder of its benchmark
    flags: tuple[str, ...] = ()

    @property
    def modules(self) -> tuple[Path, ...]:
        """What is compiled beside the pools."""
        return (BUS,) if self.image == "bus" else ()


TRACE = with_setting(ALL_ON, "MEMORY_POOL_TRACE_ALLOCATIONS=y")
POISON = with_setting(ALL_ON, "MEMORY_POOL_POISON_FREED=y")
LARGEST = ALL_ON + (
    "MEMORY_POOL_TINY_COUNT=256",
    "MEMORY_POOL_SMALL_COUNT=128",
    "MEMORY_POOL_MEDIUM_COUNT=64",
    "MEMORY_POOL_LARGE_COUNT=32",
    "MEMORY_POOL_XLARGE_COUNT=16",
)
TOPICS = ("MEMORY_POOL_EVENT_TOPICS=128",)
LARGEST_BUS = (
    "MEMORY_POOL_EVENT_QUEUE=64",
    "MEMORY_POOL_EVENT_TOPICS=256",
    "MEMORY_POOL_EVENT_SUBSCRIBERS=128",
)
VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("all", "all on", ALL_ON),
        Variant("all-masked", "all on, interrupts masked", ALL_ON, True),
        Variant("minimum", "production minimum", PRODUCTION),
        Variant("minimum-masked", "production minimum, interrupts masked", PRODUCTION, True),
        Variant("trace", "all on, and trace", TRACE),
        Variant("poison", "all on, and poison", POISON),
        Variant("largest", "all on, the largest pools", LARGEST),
    )
}
LOCKS = ("-include", str(IMAGE / "bus" / "locks.h"))
BUS_VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("bus", "bus, all on", ALL_ON + TOPICS, False, "bus"),
        Variant("bus-masked", "bus, all on, interrupts masked", ALL_ON + TOPICS, True, "bus"),
        Variant("bus-minimum", "bus, production minimum", PRODUCTION + TOPICS, False, "bus"),
        Variant(
            "bus-minimum-masked",
            "bus, production minimum, interrupts masked",
            PRODUCTION + TOPICS,
            True,
            "bus",
        ),
        Variant(
            "bus-locks", "bus, all on, how long it masks", ALL_ON + TOPICS, False, "bus", LOCKS
        ),
        Variant("bus-largest", "bus, all on, larger tables", ALL_ON + LARGEST_BUS, False, "bus"),
    )
}


def need_tools() -> None:
    need(RV32.compiler, RV32.package)
    need(EMULATOR, "qemu-system-misc")


def emulator_version() -> str:
    words = run([EMULATOR, "--version"], EMULATOR).split()
    return words[words.index("version") + 1]


def micropython_source() -> Path:
    """MicroPython's source: MICROPYTHON_DIR, or what the Makefile has fetched."""
    named = os.environ.get("MICROPYTHON_DIR")
    found = [Path(named)] if named else sorted(ROOT.glob("build/micropython*"))
    for folder in reversed(found):
        if (folder / "py" / "gc.c").is_file():
            return folder
    raise BuildError(
        f"MICROPYTHON_DIR={named} is not MicroPython's source"
        if named
        else "no MicroPython source under build/: run `make` once, or set MICROPYTHON_DIR"
    )


def micropython_parts(source: Path, image: str) -> list[Path]:
    """The memset and memcpy that the emulated firmware links, and the heap to compare with."""
    parts = [source / "shared" / "libc" / "string0.c"]
    return parts + ([source / "py" / "gc.c"] if image == "pools" else [])


def digest_of(paths: list[Path], words: list[str]) -> str:
    state = hashlib.sha256("\0".join(words).encode())
    for path in sorted(paths):
        state.update(path.name.encode() + b"\0" + path.read_bytes())
    return state.hexdigest()


def harness_objects(image: str, folder: Path, flags: list[str]) -> list[str]:
    """The benchmark, and of MicroPython what it needs, made for speed. -> objects."""
    source = micropython_source()
    own = IMAGE / image
    sources = [*sorted(IMAGE.glob("*.[cS]")), *sorted(own.glob("*.c"))]
    sources += micropython_parts(source, image)
    flags = ["-O2", f"-I{IMAGE}", f"-I{own}", *flags]
    if image == "pools":
        flags += [f"-I{own / 'gc'}", f"-I{source}"]
    headers = [*IMAGE.rglob("*.h"), Path(__file__)]
    for path in (Path(flag[2:]) for flag in flags if flag.startswith("-I")):
        headers += path.glob("*.h")
    stamp = folder / "digest"
    digest = digest_of([*sources, *headers], [*flags, RV32.version()])
    if not stamp.is_file() or stamp.read_text() != digest:
        stamp.unlink(missing_ok=True)
        compile_all(RV32, sources, flags, folder, FLAGS_OF)
        stamp.write_text(digest)
    return [str(folder / f"{path.stem}.o") for path in sources]


def pools_harness() -> list[str]:
    """The same for all configurations of the pools."""
    return harness_objects("pools", BUILD / "harness", [f"-I{POOL / 'include'}"])


def parse(text: str) -> dict:
    """The report of an image as plain values."""
    operations: dict[str, list[dict]] = {}
    result: dict = {"once": {}, "pools": [], "growth": [], "locked": {}, "operations": operations}
    lines = text.splitlines()
    for line in lines:
        words = line.split()
        match words[:1]:
            case ["cost"]:
                cost, times, pool, fill = map(int, words[2:6])
                place = {"pool": pool, "fill": fill, "phase": " ".join(words[6:])}
                operations.setdefault(words[1], []).append({"cost": cost, "times": times} | place)
            case ["once"]:
                result["once"][words[1]] = int(words[2])
            case ["locked"]:
                result["locked"][words[1]] = max(int(words[2]), result["locked"].get(words[1], 0))
            case ["growth"]:
                result["growth"].append([int(word) for word in words[1:]])
            case ["pool"]:
                result["pools"].append([int(word) for word in words[2:]])
    if lines[-1:] != ["done"]:
        raise BuildError(f"the image did not finish: {lines[-1:] or 'it said nothing'}")
    return result


def measure(variant: Variant, small: bool = False, fresh: bool = False) -> dict:
    """Build and run one image, or take its result from before where nothing has changed.

    `small`: all of the core for size, as a port does that knows nothing of our make rules.
    """
    folder = BUILD / (variant.name + ("-small" if small else ""))
    config = configure(RV32.board, variant.settings, folder / "config")
    flags = [*variant.flags] + (["-DMEMPOOL_PORT_MASKED=1"] if variant.masked else [])
    own_flags = {} if small else hot_flags()
    modules = (POOL, *variant.modules)
    parts = [module / part for module in modules for part in ("include", "port", "core")]
    inputs = [path for part in parts for path in part.glob("*.[ch]")]
    inputs += [module / "sources.list" for module in modules]
    inputs += [config / "sdkconfig.h", Path(__file__), *IMAGE.glob("*.*")]
    inputs += (IMAGE / variant.image).rglob("*.*")
    inputs += micropython_parts(micropython_source(), variant.image)
    inputs.append(ROOT / "tools" / "coreimage.py")
    digest = digest_of(inputs, [*flags, str(own_flags), RV32.version(), emulator_version()])
    kept = folder / "result.json"
    if kept.is_file() and not fresh:
        result = json.loads(kept.read_text())
        if result["digest"] == digest:
            return result
    flags += include_flags(config, *variant.modules)
    sources = [source for module in modules for source in core_sources(module)]
    objects = compile_all(RV32, sources, flags, folder, own_flags)
    if variant.image == "pools":
        objects += pools_harness()
    else:  # the bus's looks into its tables, which are configured
        flags = include_flags(config, *variant.modules)
        objects += harness_objects(variant.image, folder / "harness", flags)
    script = f"-T{IMAGE / 'link.ld'}"
    image = folder / "bench.elf"
    run([RV32.compiler, *LINK_FLAGS, script, *objects, "-o", str(image)], "linking")
    result = parse(run([*QEMU, str(image)], f"running {variant.name}"))
    result["digest"] = digest
    kept.write_text(json.dumps(result))
    return result
