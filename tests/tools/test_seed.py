"""A variant that starts from its target's objects is what it would be from nothing, on whatever
day it is built."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from test_make import make

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/unix-seeded"


def compiled():
    log = (BUILD / "build.log").read_text(errors="replace")
    return [line for line in log.splitlines() if line.startswith("CC ")]


def build(*arguments):
    subprocess.run(["rm", "-rf", BUILD], check=True)
    assert make("build", "TARGET=unix").returncode == 0
    done = make("build", "TARGET=unix", "VARIANT=seeded", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def python(code, build=BUILD):
    done = subprocess.run([build / "micropython", "-c", code], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_module_that_is_switched_off_is_gone():
    build("CONFIG=MEMORY_POOL_ENABLE=n")
    status, out = python("import mempool")
    assert status == 1 and "ImportError" in out
    subprocess.run(["rm", "-rf", BUILD], check=True)


def test_setting_is_obeyed_and_micropython_is_not_built_again():
    build("CONFIG=MEMORY_POOL_TINY_COUNT=96", "MASKED=1")
    status, out = python(
        "import mempool, boardcfg\n"
        "print(mempool.TINY.count)\nprint(boardcfg.MEMORY_POOL_TINY_COUNT)"
    )
    assert (status, out) == (0, "96\n96\n")
    ours = [line for line in compiled() if "/cmodules/" in line]
    assert len(ours) > 10
    assert len(compiled()) - len(ours) < 10
    subprocess.run(["rm", "-rf", BUILD], check=True)


def test_the_day_is_that_of_the_source():
    """Not that of the build: the next day compiles nothing again, and makes the same firmware."""
    assert make("build", "TARGET=unix").returncode == 0
    source = os.environ.get("MICROPYTHON_DIR") or make("-s", "print-SOURCE").stdout.strip()
    second = (ROOT / source / "py/mpconfig.h").stat().st_mtime
    day = datetime.fromtimestamp(second, UTC).date()
    status, out = python("import sys\nprint(sys.version)", ROOT / "build/unix")
    assert status == 0 and f" on {day}" in out, out


def test_a_packager_may_say_another_day():
    planned = make("-n", "-B", "build/mpy-cross/mpy-cross", "SOURCE_DATE_EPOCH=86400").stdout
    (line,) = [line for line in planned.splitlines() if "/mpy-cross BUILD=" in line]
    assert " SOURCE_DATE_EPOCH=86400 " in line
