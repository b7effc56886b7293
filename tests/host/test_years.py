"""What counters, generations, trace numbers and ages show after years."""

from __future__ import annotations

import dataclasses
import subprocess

import corebuild as build
import pytest

COUNTED = build.Config("years", counts=(4, 3, 2, 1, 1), owners=2)
PLAIN = build.Config("years-plain", counts=(4, 3, 2, 1, 1), owners=0, diagnostics=False)
HEAP = dataclasses.replace(COUNTED, name="years-heap", heap=True)
TRACED = dataclasses.replace(COUNTED, name="years-traced", trace=8)
SCENES = [
    *(("counts", config) for config in COUNTED.variants()),
    *(("beside", config) for config in COUNTED.variants()),
    *(("generations", config) for config in (*COUNTED.variants(), *PLAIN.variants(), HEAP)),
    *(("ages", config) for config in (COUNTED, HEAP)),
]


@pytest.mark.parametrize(("scene", "config"), SCENES, ids=[f"{s}-{c.name}" for s, c in SCENES])
def test_after_years(scene, config):
    program = build.program("years.c", config)
    run = subprocess.run([str(program), scene], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr


def test_the_numbers_of_the_trace_come_round():
    own = [build.HERE / "trace_years.c"]
    sources = own + [path for path in build.core_sources() if path.name != "trace.c"]
    program = build.compile_into("trace_years", TRACED, sources, ["-O2"])
    run = subprocess.run([str(program)], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
