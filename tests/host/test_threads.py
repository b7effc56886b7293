"""Runs the thread programs: plain, under ThreadSanitizer, under ASan and UBSan, as 32-bit code."""

from __future__ import annotations

import dataclasses
import re
import subprocess

import corebuild as build
import pytest
from corelib import SCALE
from waiting import PROGRAM_S

BUILDS = {
    "plain": ["-O2"],
    "tsan": ["-O1", "-fsanitize=thread"],
    "asan": ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
    "m32": ["-O2", "-m32"],
}
# Poison is off: it makes blocks slow, and the programs look into every block anyway.
CONTENDED = build.Config("contended", counts=build.EDGES, reserve=1, owners=3, trace=64)
MINIMUM = build.MINIMUM
POISONED = dataclasses.replace(CONTENDED, name="poisoned", poison=True)
GROWING = dataclasses.replace(CONTENDED, name="contended-growing", grow=40, arena=16384)
HEAP = dataclasses.replace(CONTENDED, name="contended-heap", heap=True)
CASES = [
    (f"{how}-{variant.name}", variant, flags)
    for how, flags in BUILDS.items()
    for config in (CONTENDED, MINIMUM, GROWING)
    for variant in config.variants()
    # What the mask stands for is one core, where a lone read needs no lock; ThreadSanitizer knows
    # only of the mutex that plays the mask here.
    if not (how == "tsan" and variant.masked)
]
EXTRA = [
    ("plain-poisoned", POISONED, BUILDS["plain"]),
    ("tsan-poisoned", POISONED, BUILDS["tsan"]),
    ("asan-heap", HEAP, BUILDS["asan"]),
    ("tsan-heap", HEAP, BUILDS["tsan"]),
]


def run(source: str, config: build.Config, flags: list[str], *args: object) -> dict[str, int]:
    """Runs the program; -> the figures that it printed."""
    program = build.program(source, config, tuple(flags))
    done = subprocess.run(
        [str(program), *map(str, args)],
        capture_output=True,
        text=True,
        timeout=PROGRAM_S + 120 * SCALE,
        env={"TSAN_OPTIONS": "halt_on_error=1", "ASAN_OPTIONS": "detect_leaks=1"},
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr[:4000]}"
    print(done.stdout, end="")
    return {name: int(value) for name, value in re.findall(r"(\w+) (\d+)", done.stdout)}


def cases(extra: bool):
    chosen = CASES + (EXTRA if extra else [])
    return pytest.mark.parametrize(
        ("config", "flags"), [case[1:] for case in chosen], ids=[case[0] for case in chosen]
    )


def grew(seen: dict[str, int], config: build.Config) -> bool:
    return not config.grow or seen["grown"] > 100


@cases(extra=True)
def test_churn(config, flags):
    """Blocks taken, written, handed over, verified and given back by 8 threads, and looked at."""
    seen = run("stress_churn.c", config, flags, 1 * SCALE, 8, 1)
    assert seen["takes"] == seen["gives"] > 1000
    assert seen["exhausted"] > 0
    assert seen["handed_over"] > 0
    assert seen["over_quota"] > 0 or not config.owners
    assert grew(seen, config)


@cases(extra=False)
def test_of_many_gives_one_wins(config, flags):
    seen = run("stress_double.c", config, flags, 0.7 * SCALE, 6, 1)
    assert seen["handles"] > 100
    assert seen["taken_meanwhile"] > 100
    assert grew(seen, config)


@cases(extra=False)
def test_enough_is_never_exhausted(config, flags):
    seen = run("stress_enough.c", config, flags, 0.12 * SCALE, 1)
    assert seen["takes"] > 1000
    assert grew(seen, config)
