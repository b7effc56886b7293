"""Compiles core/ for four architectures as strictly as it goes, and looks into the objects."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import corebuild as build
import pytest

# A command, its flags, and the prefix of its binutils.
TARGETS = {
    "x86-64": (["gcc"], ""),
    "x86-32": (["gcc", "-m32"], ""),
    "cortex-m3": (["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb"], "arm-none-eabi-"),
    "rv32": (
        [
            "riscv64-unknown-elf-gcc",
            "-march=rv32imac",
            "-mabi=ilp32",
            "--specs=picolibc.specs",
        ],
        "riscv64-unknown-elf-",
    ),
}
BARE = ("cortex-m3", "rv32")
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wvla", "-Werror"]

# What the core may leave to others: the C library's memory functions, and on this computer the
# lock that stands for the interrupt mask, the clock and the sleep of the port.
LIBC = {"memcpy", "memset", "memcmp", "memmove", "strlen"}
HOST_PORT = {
    "pthread_mutex_lock",
    "pthread_mutex_unlock",
    "pthread_mutex_init",
    "clock_gettime",
    "nanosleep",
    "usleep",
    "_GLOBAL_OFFSET_TABLE_",
}


def objects(
    folder: Path,
    target: str,
    config: build.Config,
    *flags: str,
    sources: Sequence[Path] = (),
    includes: Sequence[Path] = (),
) -> list[Path]:
    """Compiles the core for `target`, or other `sources`; -> the object files."""
    command, _ = TARGETS[target]
    if shutil.which(command[0]) is None:
        pytest.fail(
            f"{command[0]} is missing: apt-get install gcc-arm-none-eabi "
            "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf gcc-multilib"
        )
    (folder / "sdkconfig.h").write_text(config.header())
    made = []
    for source in sources or build.core_sources():
        output = folder / f"{source.stem}.o"
        run = subprocess.run(
            [*command, *WARNINGS, f"-I{folder}",
             *(f"-I{path}" for path in (*build.INCLUDES, *includes)),
             *(["-DMEMPOOL_PORT_MASKED=1"] if config.masked else []),
             *flags, "-c", str(source), "-o", str(output)],
            capture_output=True, text=True, cwd=folder,
        )  # fmt: skip
        assert run.returncode == 0, f"{source.name}: {run.stderr}"
        made.append(output)
    return made


def tool(target: str, name: str, *args: str) -> str:
    command = [TARGETS[target][1] + name, *args]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def undefined(target: str, paths: list[Path]) -> set[str]:
    """What the objects need together and do not have."""
    need, have = set(), set()
    for line in tool(target, "nm", *map(str, paths)).splitlines():
        kind_and_name = line.split()[-2:]
        if len(kind_and_name) == 2 and len(kind_and_name[0]) == 1:
            (need if kind_and_name[0] in "Uw" else have).add(kind_and_name[1])
    return need - have


def included(path: Path) -> set[str]:
    """The names of the headers that a file includes itself."""
    pattern = r'^\s*#\s*include\s*[<"]([^>"]+)'
    return set(re.findall(pattern, path.read_text(), re.MULTILINE))


def forbidden_calls(path: Path) -> list[str]:
    """Calls of a heap, a printer, a long jump or MicroPython in a source."""
    words = r"\b(malloc|calloc|realloc|free|printf|puts|alloca|setjmp|longjmp|mp_\w+|m_new)\s*\("
    return re.findall(words, re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(), flags=re.DOTALL))


# What a user of a public header may compile it with.
HEADER_COMPILERS = [
    "gcc -std=c99 -x c", "gcc -std=c11 -x c", "gcc -std=c2x -x c",
    "g++ -std=c++11 -x c++", "g++ -std=c++17 -x c++", "g++ -std=c++20 -x c++",
    "arm-none-eabi-gcc -std=c11 -x c",
    "riscv64-unknown-elf-gcc --specs=picolibc.specs -std=c11 -x c",
]  # fmt: skip


def complaints(command: str, header: Path, result: str = "0") -> str:
    """What one of them says of a program that holds the header twice and returns `result`."""
    flags = "-Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only -"
    text = f'#include "{header.name}"\n' * 2 + f"int main(void) {{ return {result}; }}\n"
    run = subprocess.run(
        [*command.split(), *flags.split(), f"-I{header.parent}"],
        input=text, capture_output=True, text=True,
    )  # fmt: skip
    return run.stderr or ("" if run.returncode == 0 else f"status {run.returncode}")
