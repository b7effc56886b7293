"""Compiles our sources for ESP32 against thin declarations of the IDF calls that they use.

idf/ has a header for each of IDF's that we include, with the declarations that we need and no
more. test_headers.py holds them against a real IDF, where IDF_PATH names one.
"""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "host"))

import corebuild  # noqa: E402
import pytest  # noqa: E402

MODULES = ROOT / "cmodules"
PLATFORM = ROOT / "firmware" / "platform"
INCLUDES = [
    HERE / "micropython",
    HERE / "idf",
    *(MODULES / name / part for name in ("mempool", "eventbus")
      for part in ("include", "port", "core", "mpy")),
    PLATFORM,
]  # fmt: skip
WARNINGS = ["-std=gnu17", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers"]
CONFIGS = [dataclasses.replace(corebuild.DEFAULT, name="grow", grow=8)]
CONFIGS += [config for config in corebuild.CONFIGS if not config.masked]
# As IDF compiles.
IDF_FLAGS = ["-ffunction-sections", "-fdata-sections", "-fno-jump-tables",
             "-fno-tree-switch-conversion", "-DESP_PLATFORM"]  # fmt: skip
RISCV = ["riscv64-unknown-elf-gcc", "-mabi=ilp32", "--specs=picolibc.specs", "-misa-spec=2.2"]
# The branches for Xtensa, by this computer's compiler, whose types are as wide; its assembler does
# not know the instructions that are written out, and is left out.
XTENSA = ["gcc", "-m32", "-D__XTENSA__=1", "-U__unix__", "-U__linux__", "-Wno-unknown-pragmas"]


@dataclass(frozen=True)
class Chip:
    name: str
    compiler: tuple[str, ...]
    cores: int
    spiram: bool = False

    @property
    def riscv(self) -> bool:
        return self.compiler[0] == RISCV[0]


CHIPS = {
    chip.name: chip
    for chip in (
        Chip("esp32", tuple(XTENSA), 2),
        Chip("esp32-spiram", tuple(XTENSA), 2, spiram=True),
        Chip("esp32s2", (*XTENSA, "-DTHIN_ESP32S2"), 1),
        Chip("esp32c3", (*RISCV, "-march=rv32imc"), 1),
        Chip("esp32c6", (*RISCV, "-march=rv32imac"), 1),
        Chip("esp32p4", (*RISCV, "-march=rv32imac"), 2),
    )
}


def listed(module: str, part: str) -> list[Path]:
    lines = (MODULES / module / "sources.list").read_text().split()
    return [MODULES / module / line for line in lines if line.startswith(part)]


def core_sources() -> list[Path]:
    """What needs nothing of MicroPython."""
    return [
        *listed("mempool", "core/"),
        *listed("eventbus", "core/"),
        PLATFORM / "hand.c",
        PLATFORM / "bus_machine_esp32.c",
    ]


def binding_sources() -> list[Path]:
    """What does: the bindings, and the rest of what firmware/platform/micropython.cmake names."""
    text = (PLATFORM / "micropython.cmake").read_text()
    named = re.findall(r"^    (\w+\.c)$", text, re.M)
    assert len(named) > 4
    rest = [PLATFORM / name for name in named if PLATFORM / name not in core_sources()]
    return [*listed("mempool", "mpy/"), *listed("eventbus", "mpy/"), *rest]


def micropython_flags() -> list[str]:
    """MicroPython's own headers, as the emulated RV32 board is built with them."""
    build = ROOT / "build" / "rv32"
    if not (build / "genhdr" / "qstrdefs.generated.h").exists():
        pytest.skip(f"{build} is not built: run make build TARGET=rv32")
    settings = (build / "settings.mk").read_text()
    source = Path(re.findall(r"# from (.*)", settings)[0])
    source = source if source.is_absolute() else ROOT / source
    port = source / "ports" / "qemu"
    return ["-DMP_CONFIGFILE=<mpconfig.h>", f"-I{ROOT / 'firmware' / 'qemu'}", f"-I{source}",
            f"-I{port}", f"-I{port / 'mcu' / 'rv32'}", f"-I{build}", "-Wno-unused-parameter",
            "-Wno-sign-compare"]  # fmt: skip


def compile_for(
    chip: Chip,
    folder: Path,
    sources: list[Path],
    *flags: str,
    config: corebuild.Config = corebuild.DEFAULT,
) -> list[Path]:
    """The objects, one a source. Every warning is an error."""
    text = config.header() + "#define CONFIG_FREERTOS_HZ 100\n"
    text += "#define CONFIG_FREERTOS_UNICORE 1\n" if chip.cores == 1 else ""
    text += "#define CONFIG_SPIRAM 1\n" if chip.spiram else ""
    (folder / "sdkconfig.h").write_text(text)
    made = []
    for source in sources:
        output = folder / f"{source.parent.parent.name}-{source.parent.name}-{source.stem}.o"
        run = subprocess.run(
            [*chip.compiler, *WARNINGS, *IDF_FLAGS, f"-DTHIN_CORES={chip.cores}", f"-I{folder}",
             *(f"-I{path}" for path in INCLUDES), *flags, "-c" if chip.riscv else "-S",
             str(source), "-o", str(output)],
            capture_output=True, text=True,
        )  # fmt: skip
        assert run.returncode == 0, f"{chip.name}: {source.name}: {run.stderr}"
        made.append(output)
    return made


def isr_functions() -> set[str]:
    """Functions of the public headers that say "ISR: yes"."""
    found = set()
    for header in sorted(MODULES.glob("*/include/*.h")):
        said = ""
        for line in header.read_text().splitlines():
            if line.startswith("//"):
                said = (re.findall(r"ISR: (yes|no)", line) or [said])[-1]
            elif said == "yes" and not line.startswith(("typedef", "static", "#")):
                found |= set(re.findall(r"\b((?:mempool|eventbus)_\w+)\(", line))
    return found
