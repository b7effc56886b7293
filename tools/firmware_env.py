"""What an ESP32 build needs around it: ESP-IDF, MicroPython with its submodules, and IDF's own
environment. What is missing is a FirmwareError: one line that says what to do.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

# What the C code is written for. MicroPython's own readme names IDF versions for each of its own;
# beyond them a build is tried, and said to be so.
IDF_OLDEST, IDF_NEWEST = (5, 3), (5, 5)
MICROPYTHON_OLDEST, MICROPYTHON_NEWEST = (1, 25), (1, 28)
IDF_OF_MICROPYTHON = {(1, 25): (5, 4), (1, 26): (5, 4), (1, 27): (5, 5), (1, 28): (5, 5)}
ADVISED_IDF = "v5.5.1"
ADVISED_MICROPYTHON = "v1.28.0"

# Without these the build fails much later, and less clearly: (folder, a file that shows it).
SUBMODULES = (
    ("lib/micropython-lib", "micropython/bundles/bundle-networking/manifest.py"),
    ("lib/berkeley-db-1.xx", "README"),
)
TINYUSB = ("lib/tinyusb", "src/tusb.h")  # 1.25 has its own, whatever the chip

COMPILERS = {"esp32": "xtensa-esp32-elf-gcc", "esp32s3": "xtensa-esp32s3-elf-gcc"}
RISCV_COMPILER = "riscv32-esp-elf-gcc"

# Of a make that runs this one; another make, and IDF, would take them for their own.
MAKE_NAMES = (
    "MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES TARGET VARIANT BOARD BUILD CONFIG BOARD_VARIANT"
    " USER_C_MODULES IDF_TARGET"
).split()


class FirmwareError(Exception):
    """What is missing or wrong, and what to do: one line."""


@dataclass(frozen=True)
class Sources:
    """Where IDF and MicroPython are, and which."""

    idf: Path
    idf_version: tuple[int, int, int]
    micropython: Path
    micropython_version: tuple[int, int, int]
    micropython_is_release: bool

    @property
    def idf_text(self) -> str:
        return ".".join(map(str, self.idf_version))

    @property
    def micropython_text(self) -> str:
        text = ".".join(map(str, self.micropython_version))
        return text if self.micropython_is_release else f"{text}-preview"


def _numbers(text: str, names: tuple[str, str, str], pattern: str) -> tuple[int, int, int] | None:
    found = [re.search(pattern.format(name), text) for name in names]
    if not all(found):
        return None
    major, minor, patch = (int(match[1]) for match in found if match)
    return major, minor, patch


def find_idf(environ: dict[str, str]) -> tuple[Path, tuple[int, int, int]]:
    given = environ.get("IDF_PATH", "")
    get = f"git clone -b {ADVISED_IDF} --recursive https://github.com/espressif/esp-idf.git"
    if not given:
        raise FirmwareError(
            f"IDF_PATH is not set: get ESP-IDF ({get}), run its install.sh, and"
            " export IDF_PATH=that folder"
        )
    folder = Path(given).expanduser().absolute()
    version_file = folder / "tools" / "cmake" / "version.cmake"
    if not version_file.is_file():
        raise FirmwareError(f"IDF_PATH={given} holds no ESP-IDF: {get}")
    names = ("MAJOR", "MINOR", "PATCH")
    text = version_file.read_text(encoding="utf-8", errors="replace")
    version = _numbers(text, names, r"set\(IDF_VERSION_{} (\d+)\)")
    if version is None:
        raise FirmwareError(f"{version_file} names no version: IDF_PATH holds no ESP-IDF")
    if not IDF_OLDEST <= version[:2] <= IDF_NEWEST:
        raise FirmwareError(
            f"IDF_PATH={given} is ESP-IDF v{'.'.join(map(str, version))}, and this needs v5.3 to"
            f" v5.5: git -C {folder} checkout {ADVISED_IDF}, its submodules, and install.sh again"
        )
    return folder, version


def find_micropython(environ: dict[str, str]) -> tuple[Path, tuple[int, int, int], bool]:
    given = environ.get("MICROPYTHON_DIR", "")
    get = f"git clone -b {ADVISED_MICROPYTHON} https://github.com/micropython/micropython.git"
    if not given:
        raise FirmwareError(
            "MICROPYTHON_DIR is not set, and the source that comes by itself lacks the submodules"
            f" of the ESP32 port: {get}, and export MICROPYTHON_DIR=that folder"
        )
    folder = Path(given).expanduser().absolute()
    config = folder / "py" / "mpconfig.h"
    if not config.is_file() or not (folder / "ports" / "esp32" / "CMakeLists.txt").is_file():
        raise FirmwareError(f"MICROPYTHON_DIR={given} holds no MicroPython: {get}")
    text = config.read_text(encoding="utf-8", errors="replace")
    version = _numbers(text, ("MAJOR", "MINOR", "MICRO"), r"#define MICROPY_VERSION_{} (\d+)")
    if version is None or not MICROPYTHON_OLDEST <= version[:2] <= MICROPYTHON_NEWEST:
        found = ".".join(map(str, version)) if version else "of an unknown version"
        raise FirmwareError(
            f"MICROPYTHON_DIR={given} is MicroPython {found}, and this needs 1.25 to 1.28:"
            f" git -C {folder} checkout {ADVISED_MICROPYTHON}"
        )
    release = re.search(r"#define MICROPY_VERSION_PRERELEASE 1", text) is None
    return folder, version, release


def check_submodules(folder: Path, version: tuple[int, int, int]) -> None:
    needed = SUBMODULES + ((TINYUSB,) if version < (1, 26) else ())
    lacking = [name for name, file in needed if not (folder / name / file).exists()]
    if lacking:
        raise FirmwareError(
            f"{folder} lacks submodules: git -C {folder} submodule update --init"
            f" {' '.join(lacking)}"
        )


def find_sources(environ: dict[str, str]) -> Sources:
    idf, idf_version = find_idf(environ)
    micropython, version, release = find_micropython(environ)
    check_submodules(micropython, version)
    return Sources(idf, idf_version, micropython, version, release)


def note(sources: Sources) -> str:
    """A line where MicroPython does not name this IDF among its own; or nothing."""
    newest = IDF_OF_MICROPYTHON[sources.micropython_version[:2]]
    if sources.idf_version[:2] <= newest:
        return ""
    return (
        f"note: MicroPython {sources.micropython_text} names ESP-IDF up to"
        f" v{newest[0]}.{newest[1]}, this is v{sources.idf_text}"
    )


def compiler(chip: str) -> str:
    return COMPILERS.get(chip, RISCV_COMPILER)


def _exported(idf: Path, environ: dict[str, str]) -> dict[str, str] | None:
    """The environment after IDF's export.sh; None where that fails."""
    if not (idf / "export.sh").is_file() or shutil.which("bash") is None:
        return None
    script = '. "$1/export.sh" >/dev/null 2>&1 && exec env -0'
    done = subprocess.run(
        ["bash", "-c", script, "bash", str(idf)], env=environ, capture_output=True
    )
    if done.returncode or b"=" not in done.stdout:
        return None
    pairs = (item.partition("=") for item in done.stdout.decode(errors="replace").split("\0"))
    return {name: value for name, equals, value in pairs if equals}


def idf_command(
    sources: Sources, chip: str, environ: dict[str, str]
) -> tuple[list[str], dict[str, str]]:
    """How to call idf.py, and the environment for it, whether export.sh was sourced or not."""
    clean = {name: value for name, value in environ.items() if name not in MAKE_NAMES}
    clean["IDF_PATH"] = str(sources.idf)
    if shutil.which("idf.py", path=clean.get("PATH")):
        return ["idf.py"], clean
    idf_py = str(sources.idf / "tools" / "idf.py")
    for each in (_exported(sources.idf, clean), clean):
        if each is None or not shutil.which(compiler(chip), path=each.get("PATH")):
            continue
        path = each.get("PATH")
        python = shutil.which("python", path=path) or shutil.which("python3", path=path)
        if (
            python
            and not subprocess.run(
                [python, idf_py, "--version"], env=each, capture_output=True
            ).returncode
        ):
            return [python, idf_py], each
    raise FirmwareError(
        f"the tools of ESP-IDF for {chip} are not installed: run {sources.idf}/install.sh {chip}"
    )


def current_environment() -> dict[str, str]:
    return dict(os.environ)
