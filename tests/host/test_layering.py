"""core/ stands alone: it compiles on four architectures, and reaches for nothing above it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import corebuild as build
import pytest
from callgraph import CallGraph

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
CONFIGS = [
    c
    for c in build.CONFIGS
    if c.name.split("-masked")[0] in ("default", "all-on", "minimum", "heap")
]
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


def objects(folder: Path, target: str, config: build.Config, *flags: str) -> list[Path]:
    """Compiles every source of the core for `target`; -> its object files."""
    command, _ = TARGETS[target]
    if shutil.which(command[0]) is None:
        pytest.fail(
            f"{command[0]} is missing: apt-get install gcc-arm-none-eabi "
            "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf gcc-multilib"
        )
    (folder / "sdkconfig.h").write_text(config.header())
    made = []
    for source in build.core_sources():
        output = folder / f"{source.stem}.o"
        run = subprocess.run(
            [*command, *WARNINGS, f"-I{folder}", *(f"-I{path}" for path in build.INCLUDES),
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


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c.name)
@pytest.mark.parametrize("target", TARGETS)
def test_compiles_alone_and_needs_nothing(tmp_path, target, config):
    paths = objects(tmp_path, target, config, "-O2", "-fcallgraph-info=su")
    foreign = undefined(target, paths) - LIBC
    if target in BARE:
        # What the firmware may supply, where it has a heap at all.
        foreign = {name for name in foreign if not name.startswith("mempool_bare_heap_")}
    else:
        foreign -= HOST_PORT | ({"malloc", "free"} if config.heap else set())
    assert not foreign, f"the core needs {sorted(foreign)}"
    if target in BARE and not config.heap:
        # As it ships: an interrupt's stack must carry each of these.
        graph = CallGraph(tmp_path.glob("*.ci"))
        for name in ("take", "take_flags", "give", "give_flags", "alloc", "free", "data",
                     "handle_of", "read", "write", "stats"):  # fmt: skip
            assert 0 <= graph.depth(f"mempool_{name}") <= 192, name


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c.name)
def test_no_recursion_and_a_bounded_stack(tmp_path, config):
    # Without inlining, so that each function stands in the graph (the port's assembly wants -O1).
    apart = ("-O1", "-fno-inline", "-fno-optimize-sibling-calls", "-fcallgraph-info=su")
    objects(tmp_path, "rv32", config, *apart)
    graph = CallGraph(tmp_path.glob("*.ci"))
    assert len(graph.calls) > 30
    assert graph.cycle() == []
    assert not graph.dynamic, f"stack of unknown size: {graph.dynamic}"


@pytest.mark.parametrize("masked", [False, True], ids=["atomic", "masked"])
def test_no_division_in_the_paths_of_interrupts(tmp_path, masked):
    config = next(c for c in CONFIGS if c.name.startswith("all-on") and c.masked == masked)
    paths = objects(tmp_path, "rv32", config, "-O2", "-fno-inline-functions-called-once")
    dividing = set()
    for path in paths:
        function = ""
        for line in tool("rv32", "objdump", "-d", str(path)).splitlines():
            if found := re.match(r"[0-9a-f]+ <([^.].*)>:", line):
                function = found[1]
            elif re.search(r"\t(div|rem)u?\t", line):
                dividing.add(function)
    assert not {name for name in dividing if "stats" not in name}, dividing


def test_atomics_are_32_bits_wide(tmp_path):
    paths = objects(tmp_path, "x86-32", build.ALL_ON, "-O2", "-march=i686")
    listing = tool("x86-32", "objdump", "-d", *map(str, paths))
    assert re.search(r"\block\b|\bxchg\b", listing), "where are the atomics?"
    assert "cmpxchg8b" not in listing


def test_includes_point_one_way():
    allowed = {"stdbool.h", "stddef.h", "stdint.h", "string.h", "limits.h", "assert.h"}
    core = build.MODULE / "core"
    own = {path.name for path in core.glob("*.h")}
    own |= {path.name for path in (build.MODULE / "port").glob("*.h")} | {"mempool.h"}
    files = [path for path in core.iterdir() if path.suffix in {".c", ".h"}]
    assert {path for path in files if path.suffix == ".c"} == set(build.core_sources())
    for path in files:
        for name in re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)', path.read_text(), re.MULTILINE):
            assert name in allowed | own | {"sdkconfig.h"}, f"{path.name} includes {name}"


def test_no_call_of_a_heap_or_printer_in_the_sources():
    words = r"\b(malloc|calloc|realloc|free|printf|puts|alloca|setjmp|longjmp|mp_\w+|m_new)\s*\("
    for path in build.core_sources():
        text = re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        assert not re.findall(words, text), path.name


@pytest.mark.parametrize(
    "command",
    [
        "gcc -std=c99 -x c", "gcc -std=c11 -x c", "gcc -std=c2x -x c",
        "g++ -std=c++11 -x c++", "g++ -std=c++17 -x c++", "g++ -std=c++20 -x c++",
        "arm-none-eabi-gcc -std=c11 -x c",
        "riscv64-unknown-elf-gcc --specs=picolibc.specs -std=c11 -x c",
    ],
)  # fmt: skip
def test_the_header_stands_alone(command):
    header = build.MODULE / "include" / "mempool.h"
    flags = "-Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only -"
    run = subprocess.run(
        [*command.split(), *flags.split(), f"-I{header.parent}"],
        input='#include "mempool.h"\n' * 2 + "int main(void) { return MEMPOOL_OK; }\n",
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
