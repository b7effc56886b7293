"""The firmware holds the code that was measured, and from Python no pool operation waits."""

import subprocess
import sys
from pathlib import Path

import pytest
from waiting import PROGRAM_S

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import coreimage  # noqa: E402

FIRMWARE = ROOT / "build" / "rv32"


@pytest.fixture(scope="module")
def firmware():
    if not (FIRMWARE / "firmware.elf").is_file():
        pytest.fail("there is no build/rv32: run `make build TARGET=rv32`")
    return FIRMWARE


def function_sizes(path):
    command = [f"{coreimage.RV32.prefix}nm", "-S", "--defined-only", str(path)]
    lines = (line.split() for line in coreimage.run(command, "nm").splitlines())
    return {words[3]: int(words[1], 16) for words in lines if len(words) == 4 and words[2] in "tT"}


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (coreimage.POOL, "pool"),
        (coreimage.POOL, "stats"),
        (coreimage.POOL, "owner"),
        (coreimage.BUS, "publish"),
        (coreimage.BUS, "queue"),
        (coreimage.BUS, "cbor_read"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_the_firmware_compiles_the_core_as_it_is_measured(firmware, module, name, tmp_path):
    sources = [path for path in coreimage.core_sources(module) if path.stem == name]
    flags = coreimage.include_flags(firmware / "config", coreimage.BUS)
    (measured,) = coreimage.compile_all(
        coreimage.RV32, sources, flags, tmp_path, coreimage.hot_flags()
    )
    sizes = function_sizes(measured)
    assert sizes
    assert sizes == function_sizes(firmware / "cmodules" / module.name / "core" / f"{name}.o")


def longest(output):
    """The second table of benchmarks/python_ops.py: operation -> ticks."""
    lines = output.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("longest"))
    return {" ".join(line.split()[:-1]): int(line.split()[-1]) for line in lines[start + 1 :]}


def test_from_python_no_pool_operation_waits_for_a_collection(firmware):
    done = subprocess.run(
        [sys.executable, "tools/exec.py", "--target", "rv32", "--icount"]
        + ["--timeout", str(PROGRAM_S - 60), "benchmarks/python_ops.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PROGRAM_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ticks = longest(done.stdout)
    heap = ticks.pop("bytearray(100), dropped")
    assert len(ticks) == 2
    assert max(ticks.values()) * 50 < heap, ticks
