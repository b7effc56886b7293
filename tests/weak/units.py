"""Builds the checker, and units: the core of one configuration, with one port's words, whole or
with a fault planted, and what runs and judges it.

Everything lies under build/weak, named by what went into it: nothing is built twice.
"""

from __future__ import annotations

import dataclasses
import fcntl
import functools
import hashlib
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "host"))

import corebuild  # noqa: E402
from corebuild import Config  # noqa: E402

ROOT = corebuild.ROOT
OUTPUT = ROOT / "build" / "weak"
MODULES = ("mempool", "eventbus")
# What the machine is, for the words of each port: number in port_weak.h, options of the machine,
# whether the words are volatile (else C11's, and what is volatile is plain).
PORTS = {
    "c11": (0, (), False),
    "single": (1, ("hart=1",), False),
    "cas": (2, (), True),
    "riscv": (3, ("newest=1", "hart=1"), True),
    "masked": (4, ("newest=1", "hart=1", "mask=1"), True),
}
INSTRUMENTED = ("-fsanitize=thread", "-Wno-tsan", "--param", "tsan-instrument-func-entry-exit=0")
WARNINGS = ("-Wall", "-Wextra", "-Werror")


@dataclasses.dataclass(frozen=True)
class Fault:
    """Edits of the sources: file under cmodules, a text that is there once, what replaces it."""

    edits: tuple[tuple[str, str, str], ...]


def _run(command: list[str]) -> None:
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{run.stdout}{run.stderr}")


@functools.cache
def _own_sources() -> bytes:
    digest = hashlib.sha256()
    for path in sorted(HERE.iterdir()):
        if path.suffix in {".c", ".h"}:
            digest.update(path.name.encode() + path.read_bytes())
    return digest.digest()


@functools.cache
def _core_sources() -> dict[str, str]:
    """Every file of the cores and their headers -> its text."""
    files = {}
    for module in MODULES:
        base = ROOT / "cmodules" / module
        for folder in ("include", "port", "core"):
            for path in sorted((base / folder).iterdir()):
                if path.suffix in {".c", ".h"}:
                    files[str(path.relative_to(ROOT / "cmodules"))] = path.read_text()
    return files


def planted(fault: Fault | None) -> dict[str, str]:
    """The sources with a fault; LookupError where its text is not there once."""
    files = dict(_core_sources())
    for name, old, new in fault.edits if fault else ():
        if files[name].count(old) != 1:
            raise LookupError(f"{name} has {files[name].count(old)} times: {old}")
        files[name] = files[name].replace(old, new)
    return files


def _made(name: str, make) -> Path:
    """A folder with the files that `make` puts there, once, however many processes ask."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    folder = OUTPUT / name
    with open(OUTPUT / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            (folder / "done").touch()
    os.utime(folder)
    return folder


@functools.cache
def machine() -> Path:
    """The checker: a program that loads a unit."""
    names = ("search", "states", "report", "machine", "lock", "plain", "hooks")

    def make(folder: Path) -> None:
        sources = [str(HERE / f"{name}.c") for name in names]
        _run(["gcc", "-std=gnu11", "-O2", "-g", "-rdynamic", *WARNINGS, *sources,
              "-o", str(folder / "weak")])  # fmt: skip

    return _made(f"machine-{_own_sources().hex()[:16]}", make) / "weak"


def _link(folder: Path, objects: list[str]) -> None:
    """-Bsymbolic: the unit's own memcpy; norelro: all its memory can be put back."""
    memory = str(folder / "mem.o")
    _run(["gcc", "-O2", "-g", "-fPIC", "-fno-builtin", "-fno-tree-loop-distribute-patterns",
          *WARNINGS, "-c", str(HERE / "mem.c"), "-o", memory])  # fmt: skip
    _run(["gcc", "-shared", "-Wl,-Bsymbolic,-z,norelro,-z,now", *objects, memory,
          "-o", str(folder / "unit.so")])  # fmt: skip


@functools.cache
def litmus() -> Path:
    """The unit that tests the checker."""

    def make(folder: Path) -> None:
        made = str(folder / "litmus.o")
        _run(["gcc", "-std=gnu11", "-O1", "-g", "-fPIC", *INSTRUMENTED, *WARNINGS, "-c",
              str(HERE / "litmus.c"), "-o", made])  # fmt: skip
        _link(folder, [made])

    return _made(f"litmus-{_own_sources().hex()[:16]}", make) / "unit.so"


@functools.cache
def unit(config: Config, port: str, bus: bool, fault: Fault | None = None) -> Path:
    """The core with its operations and judge."""
    files = planted(fault)
    number, _, words_are_volatile = PORTS[port]
    key = hashlib.sha256()
    for part in (config.header(), port, bus, sorted(files.items()), _own_sources()):
        key.update(repr(part).encode())

    def make(folder: Path) -> None:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (folder / "sdkconfig.h").write_text(config.header())
        flags = ["-std=gnu11", "-g", "-fPIC", f"-I{folder}", f"-I{HERE}"]
        for module in MODULES if bus else MODULES[:1]:
            flags += [f"-I{folder}/{module}/{part}" for part in ("include", "port", "core")]
        flags += ["-D_GNU_SOURCE", f"-DWEAK_PORT={number}", "-DMEMPOOL_TEARS=2u",
                  f"-DMEMPOOL_PORT_MASKED={int(port == 'masked')}",
                  "-include", str(HERE / "port_weak.h")]  # fmt: skip
        core = ["-O1", "-fno-builtin", *INSTRUMENTED]
        if words_are_volatile:
            core += ["--param", "tsan-distinguish-volatile=1"]
        warnings = WARNINGS if fault is None else ("-w",)  # e.g. what is unused
        objects = []
        for module in MODULES if bus else MODULES[:1]:
            for source in corebuild.core_sources(ROOT / "cmodules" / module):
                made = folder / f"{module}-{source.stem}.o"
                _run(["gcc", *flags, *core, *warnings, "-c",
                      str(folder / module / "core" / source.name), "-o", str(made)])  # fmt: skip
                objects.append(str(made))
        own = ["script", "ops", "words", "order", "judge", "bus"]
        for name in own:
            made = folder / f"{name}.o"
            _run(["gcc", *flags, "-O2", *warnings, f"-DWITH_BUS={int(bus)}", "-c",
                  str(HERE / f"{name}.c"), "-o", str(made)])  # fmt: skip
            objects.append(str(made))
        _link(folder, objects)

    return _made(f"{config.name}-{port}-{key.hexdigest()[:16]}", make) / "unit.so"
