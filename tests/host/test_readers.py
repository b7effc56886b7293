"""Who reads what others write gets whole values: threads, and one call stopped at every access."""

from __future__ import annotations

import re
import subprocess

import corebuild as build
import pytest
from corelib import SCALE

READ = build.Config("readers", counts=(8, 4, 8, 3, 4), owners=2, trace=8)
PLAIN = build.Config("readers-plain", counts=(8, 4, 8, 3, 4), owners=0, diagnostics=False)
HEAP = build.Config("readers-heap", counts=(8, 4, 8, 3, 4), owners=2, heap=True)
STOPPED = build.Config("within", counts=(3, 3, 3, 3, 3), owners=1, trace=4)
GONE = build.Config(
    "within-gone", counts=(2, 2, 2, 2, 2), owners=0, grow=4, arena=1024, poison=True
)
TSAN = ("-O1", "-fsanitize=thread")
ATOMIC, MASKED = READ.variants()
CASES = [
    *((scene, config, ("-O2",)) for scene in ("owners", "counts", "trace", "bell")
      for config in (ATOMIC, MASKED)),
    ("counts", HEAP, ("-O2",)),
    ("counts", PLAIN, ("-O2",)),
    # ThreadSanitizer knows of atomics and of mutexes: what is neither is a race.
    ("owners", ATOMIC, TSAN),
    ("counts", HEAP, TSAN),
    ("trace", ATOMIC, TSAN),
    ("bell", ATOMIC, TSAN),
    ("bell", PLAIN, TSAN),
]  # fmt: skip
IDS = [f"{scene}-{config.name}{'-tsan' * (flags == TSAN)}" for scene, config, flags in CASES]
HOOKS = ("-O1", "-include", str(build.HERE / "interleave_hooks.h"))
STRICT = ("-fsanitize=undefined", "-fno-sanitize-recover=all")


def run(program: object, *args: object) -> dict[str, int]:
    """Runs it; -> the figures that it printed."""
    done = subprocess.run(
        [str(program), *map(str, args)],
        capture_output=True, text=True, timeout=300 * SCALE,
        env={"TSAN_OPTIONS": "halt_on_error=1"},
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}{done.stderr[:4000]}"
    return {name: int(value) for name, value in re.findall(r"(\w+) (\d+)", done.stdout)}


@pytest.mark.parametrize(("scene", "config", "flags"), CASES, ids=IDS)
def test_beside_threads(scene, config, flags):
    seen = run(build.program("readers.c", config, flags), scene, 0.4 * SCALE)
    assert seen["looks"] >= 1000 and seen["changes"] >= 1000
    assert scene != "bell" or seen["rung"] > 0


@pytest.mark.parametrize(
    ("scene", "config", "least"),
    [("trace", STOPPED, 20), ("adopt", STOPPED, 3), ("poison", GONE, 10)],
    ids=["trace", "adopt", "poison"],
)
def test_stopped_at_every_access(scene, config, least):
    seen = run(build.program("within.c", config, (*HOOKS, *STRICT)), scene)
    assert seen["places"] >= least
