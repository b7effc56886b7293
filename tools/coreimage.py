"""The cores of pools and bus as the firmware compiles them: sources, flags and configuration, for
host tools.

benchmarks/ counts their instructions and tools/size.py their bytes; both mean the same code.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
POOL = ROOT / "cmodules" / "mempool"
BUS = ROOT / "cmodules" / "eventbus"
SECONDS = 120


class BuildError(Exception):
    """A tool is missing, a build failed, or an image did not finish its work."""


@dataclass(frozen=True)
class Machine:
    """What a core is compiled for."""

    name: str
    board: str
    prefix: str  # of the tools
    package: str  # that has them, for apt
    flags: tuple[str, ...]
    emulation: str  # as the linker calls it

    @property
    def compiler(self) -> str:
        return f"{self.prefix}gcc"

    def version(self) -> str:
        return run([self.compiler, "-dumpfullversion"], self.compiler).strip()


RV32 = Machine(
    "rv32imac",
    "QEMU_RV32",
    "riscv64-unknown-elf-",
    "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
    ("-march=rv32imac_zicsr", "-mabi=ilp32", "--specs=picolibc.specs"),
    "elf32lriscv",
)
CM3 = Machine(
    "Cortex-M3",
    "QEMU_CM3",
    "arm-none-eabi-",
    "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    ("-mcpu=cortex-m3", "-mthumb"),
    "armelf",
)

# Configurations that figures are given for (settings of cmodules/mempool/Kconfig).
PRODUCTION = (
    "MEMORY_POOL_DIAGNOSTICS=n",
    "MEMORY_POOL_TRACE_ALLOCATIONS=n",
    "MEMORY_POOL_POISON_FREED=n",
    "MEMORY_POOL_OWNERS=0",
    "MEMORY_POOL_EMERGENCY_RESERVE=0",
    "MEMORY_POOL_GROW_BLOCKS=0",
    "MEMORY_POOL_NOINIT_BYTES=0",
)
ALL_ON = (
    "MEMORY_POOL_DIAGNOSTICS=y",
    "MEMORY_POOL_TRACE_ALLOCATIONS=n",
    "MEMORY_POOL_POISON_FREED=n",
    "MEMORY_POOL_OWNERS=16",
    "MEMORY_POOL_EMERGENCY_RESERVE=2",
    "MEMORY_POOL_GROW_BLOCKS=16",
)


def with_setting(settings: tuple[str, ...], setting: str) -> tuple[str, ...]:
    """The settings with one of them replaced."""
    name = setting.partition("=")[0]
    return tuple(setting if item.partition("=")[0] == name else item for item in settings)


def run(command: list[str], what: str, seconds: float = SECONDS) -> str:
    """The output of a command, or BuildError with what it said."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=seconds
        )
    except subprocess.TimeoutExpired as late:
        raise BuildError(f"{what}: not finished after {seconds:.0f} s") from late
    if done.returncode:
        raise BuildError(f"{what} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def need(tool: str, package: str) -> None:
    if shutil.which(tool) is None:
        raise BuildError(f"{tool} is missing: apt install {package}")


# As the qemu port compiles C.
PORT_FLAGS = ("-std=gnu11", "-Os", "-DNDEBUG", "-ffunction-sections", "-fdata-sections")


def hot_flags() -> dict[str, tuple[str, ...]]:
    """The files of core/ that the firmware compiles otherwise than its port, and the flags."""
    rules = (POOL / "micropython.mk").read_text(encoding="utf-8")

    def value(name: str) -> list[str]:
        found = re.search(rf"^{name}\s*:=\s*(.+?)\s*$", rules, re.MULTILINE)
        if found is None:
            raise BuildError(f"cmodules/mempool/micropython.mk: no line {name} := ...")
        return found[1].split()

    flags = tuple(value("MEMPOOL_HOT_CFLAGS"))
    return {f"{name}.c": flags for name in value("MEMPOOL_HOT")}


def flags_text() -> str:
    """What is compiled how, for the documents."""
    hot = hot_flags()
    flags = " ".join(next(iter(hot.values())))
    names = " and ".join(hot)
    return f"`{flags}` for {names}, `-Os` for the rest"


def core_sources(module: Path = POOL) -> list[Path]:
    lines = (module / "sources.list").read_text(encoding="utf-8").splitlines()
    return [module / line.strip() for line in lines if line.startswith("core/")]


def include_flags(config: Path, *modules: Path) -> list[str]:
    """For the pools, and for other modules beside them."""
    parts = [module / part for module in (POOL, *modules) for part in ("include", "port", "core")]
    return [f"-I{folder}" for folder in (*parts, config)]


def configure(board: str, settings: tuple[str, ...], folder: Path) -> Path:
    """Writes the configuration header of a board with these settings. -> its folder."""
    command = [sys.executable, str(ROOT / "tools" / "kconfig.py"), "generate"]
    command += ["--board", board, "--output", str(folder)]
    for setting in settings:
        command += ["--set", setting]
    run(command, "tools/kconfig.py")
    return folder


def compile_all(
    machine: Machine,
    sources: list[Path],
    flags: list[str],
    folder: Path,
    own_flags: dict[str, tuple[str, ...]],
) -> list[str]:
    """Compiles each source as the port does, with its own flags after those of all. -> objects."""
    need(machine.compiler, machine.package)
    folder.mkdir(parents=True, exist_ok=True)
    objects = [folder / f"{source.stem}.o" for source in sources]

    def one(source: Path, target: Path) -> None:
        own = own_flags.get(source.name, ())
        command = [machine.compiler, *machine.flags, *PORT_FLAGS, *flags, *own, "-c", str(source)]
        run([*command, "-o", str(target)], f"compiling {source.name}")

    with ThreadPoolExecutor(os.cpu_count()) as workers:
        list(workers.map(one, sources, objects))
    return [str(path) for path in objects]
