"""mempool.hpp on this computer: every compiler, standard and exception model, with the real core.

The programs are linked with the core from sources.list under the configuration of board UNIX and
run, with g++ under AddressSanitizer and UBSan; the files of reject/ must not compile, each with
the message that its first line promises.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from waiting import PROGRAM_S

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MODULE = ROOT / "cmodules" / "mempool"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
# Debian's clang has no sanitizers' run time of its own: it optimizes instead, g++ looks.
FLAGS = {
    "g++": ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1"],
    "clang++": ["-O2"],
}
EXCEPTIONS = {"exceptions": [], "no-exceptions": ["-fno-exceptions", "-fno-rtti"]}


def first_of(*names: str) -> str | None:
    return next((name for name in names if shutil.which(name)), None)


# C++ compiler, and the C compiler for the core.
COMPILERS = {
    "g++": ("g++", "gcc"),
    "clang++": (first_of("clang++", "clang++-14"), first_of("clang", "clang-14")),
}
BUILDS = list(itertools.product(COMPILERS, ["c++17", "c++20"], EXCEPTIONS))


def run(command: Sequence[object], **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=PROGRAM_S,
        **options,
    )


def must(command: Sequence[object]) -> str:
    done = run(command)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


def compilers(name: str) -> tuple[str, str]:
    cxx, cc = COMPILERS[name]
    if cxx is None or cc is None or not shutil.which(cxx):
        pytest.skip(f"{name} is not installed")
    return cxx, cc


@pytest.fixture(scope="session")
def config(tmp_path_factory) -> Path:
    """sdkconfig.h of board UNIX with a reserve, so that MEMPOOL_CRITICAL has something to get."""
    folder = tmp_path_factory.mktemp("config")
    must(
        [sys.executable, ROOT / "tools" / "kconfig.py", "generate", "--board", "UNIX"]
        + ["--set", "MEMORY_POOL_EMERGENCY_RESERVE=2", "--output", folder]
    )
    return folder


@pytest.fixture(scope="session")
def core(config, tmp_path_factory):
    """core(name) -> the core's object files by the C compiler that belongs to `name`."""
    made: dict[str, list[Path]] = {}

    def build(name: str) -> list[Path]:
        if name not in made:
            _, cc = compilers(name)
            folder = tmp_path_factory.mktemp("core")
            lines = (MODULE / "sources.list").read_text().splitlines()
            sources = [MODULE / line for line in lines if line.startswith("core/")]
            assert sources, "sources.list names no core/"
            includes = [f"-I{path}" for path in (config, MODULE / "port", MODULE / "core")]
            includes.append(f"-I{MODULE / 'include'}")
            made[name] = []
            for source in sources:
                made[name].append(folder / f"{source.stem}.o")
                must(
                    [cc, "-std=gnu11", *FLAGS[name], "-pthread", *includes]
                    + ["-c", source, "-o", made[name][-1]]
                )
        return made[name]

    return build


@pytest.fixture(scope="session")
def build(core, tmp_path_factory):
    """build(source, ...) -> a program linked with the core."""

    def link(source: str, name: str, standard: str, model: str) -> Path:
        cxx, _ = compilers(name)
        output = tmp_path_factory.mktemp("cpp") / Path(source).stem
        must(
            [cxx, f"-std={standard}", *WARNINGS, *FLAGS[name], *EXCEPTIONS[model]]
            + ["-pthread"]
            + [f"-I{MODULE / 'include'}", HERE / source, *core(name), "-o", output]
        )
        return output

    return link


@pytest.mark.parametrize("source", ["pooled_ptr.cpp", "allocator.cpp"])
@pytest.mark.parametrize(("name", "standard", "model"), BUILDS)
def test_program(build, source, name, standard, model):
    assert must([build(source, name, standard, model)]).endswith(": all right\n")


@pytest.mark.parametrize("name", COMPILERS)
def test_exhausted_allocator_without_exceptions_aborts(build, name):
    done = run([build("allocator.cpp", name, "c++17", "no-exceptions"), "exhaust"])
    assert done.returncode == -6, (done.returncode, done.stdout, done.stderr)  # SIGABRT


def reject_cases() -> list[tuple[str, str]]:
    cases = []
    for path in sorted((HERE / "reject").glob("*.cpp")):
        first = path.read_text().splitlines()[0]
        assert first.startswith("// must say: "), f"{path.name} does not say what must be said"
        cases.append((path.name, first.removeprefix("// must say: ")))
    return cases


@pytest.mark.parametrize("name", COMPILERS)
@pytest.mark.parametrize(("source", "message"), reject_cases())
def test_does_not_compile(source, message, name):
    cxx, _ = compilers(name)
    base = [cxx, "-std=c++17", "-fsyntax-only", f"-I{MODULE / 'include'}"]
    base.append(HERE / "reject" / source)
    # The same file without the wrong line is right: so that line, and no slip, is what fails.
    must([*base, "-DWITHOUT_THE_MISTAKE"])
    done = run(base)
    assert done.returncode != 0, f"{source} compiled"
    said = done.stderr.lower()
    assert any(part.lower() in said for part in message.split(" or ")), done.stderr


def test_reject_has_cases():
    assert len(reject_cases()) >= 6


def test_header_stands_alone(tmp_path):
    """The only include of two files of one program: it links, and needs nothing but mempool.h."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.cpp").write_text(
            '#include "mempool.hpp"\n#include "mempool.hpp"\n'
            f"int {name}() {{ return mempool::make_pooled<int>(1) ? 1 : 0; }}\n"
        )
        must(
            ["g++", "-std=c++17", *WARNINGS, "-Os", *EXCEPTIONS["no-exceptions"]]
            + [f"-I{MODULE / 'include'}", "-c", tmp_path / f"{name}.cpp"]
            + ["-o", tmp_path / f"{name}.o"]
        )
    must(["ld", "-r", tmp_path / "a.o", tmp_path / "b.o", "-o", tmp_path / "both.o"])
    undefined = {line.split()[-1] for line in must(["nm", "-u", tmp_path / "both.o"]).splitlines()}
    allowed = {"mempool_take_flags", "mempool_give", "mempool_data", "__stack_chk_fail"}
    assert undefined - {"_GLOBAL_OFFSET_TABLE_"} <= allowed
