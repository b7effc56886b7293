"""Resets in the middle of a write to the noinit region, one at every byte."""

import subprocess

import corebuild as build
from waiting import PROGRAM_S


def test_a_reset_finds_the_old_the_new_or_neither():
    source = build.ROOT / "tests" / "host" / "noinit_torn.c"
    program = build.compile_into(
        "noinit_torn", build.DEFAULT, [source], ["-O2", f"-I{build.ROOT}/cmodules/mempool/core"]
    )
    run = subprocess.run([str(program)], capture_output=True, text=True, timeout=PROGRAM_S)
    assert run.returncode == 0, run.stdout + run.stderr
