"""Events, topics and counts before eventbus_init and while it runs: nothing of them is lost."""

from __future__ import annotations

import subprocess

import busbuild
import pytest
from busconfig import BusConfig
from corelib import SCALE

CONFIG = BusConfig("bus-first", counts=(8, 8, 4, 3, 3), topics=16)
TSAN = ("-O1", "-fsanitize=thread")
CASES = [(CONFIG, ("-O2",), 60), (CONFIG.variants()[1], ("-O2",), 60), (CONFIG, TSAN, 6)]


@pytest.mark.parametrize(
    ("config", "flags", "starts"), CASES, ids=["atomic", "masked", "atomic-tsan"]
)
def test_threads_that_come_before(config, flags, starts):
    program = busbuild.program("first_events.c", config, flags)
    run = subprocess.run(
        [str(program), str(starts * SCALE)],
        capture_output=True, text=True, timeout=600 * SCALE,
        env={"TSAN_OPTIONS": "halt_on_error=1"},
    )  # fmt: skip
    assert run.returncode == 0, f"{run.stdout}{run.stderr[:4000]}"
