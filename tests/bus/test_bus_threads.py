"""Runs the thread programs: plain, under ThreadSanitizer, under ASan and UBSan, as 32-bit code."""

from __future__ import annotations

import re
import subprocess

import busbuild
import pytest
from busconfig import BusConfig
from corelib import LONG
from waiting import PROGRAM_S

BUILDS = {
    "plain": ("-O2",),
    "tsan": ("-O1", "-fsanitize=thread"),
    "asan": ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
    "m32": ("-O2", "-m32"),
}
# Fewer blocks than the queue has slots, so that both run out.
CONFIG = BusConfig("bus-threads", counts=(20, 12, 9, 4, 3), reserve=1, queue=24, spill=True)
ATOMIC, MASKED = CONFIG.variants()
# ThreadSanitizer knows only of the mutex that plays the mask here, and lone reads need none on one
# core: as for the pools.
CASES = [("plain", ATOMIC), ("tsan", ATOMIC), ("asan", MASKED), ("m32", ATOMIC)]
SECONDS = 60 if LONG else 5


def run(source: str, config: BusConfig, flags: tuple[str, ...], *args: object) -> dict[str, int]:
    """Runs the program; -> the figures that it printed."""
    done = subprocess.run(
        [str(busbuild.program(source, config, flags)), *map(str, args)],
        capture_output=True,
        text=True,
        timeout=PROGRAM_S + 4 * SECONDS,
        env={"TSAN_OPTIONS": "halt_on_error=1", "ASAN_OPTIONS": "detect_leaks=1"},
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr[:4000]}"
    print(done.stdout, end="")
    return {name: int(value) for name, value in re.findall(r"(\w+) (\d+)", done.stdout)}


@pytest.mark.parametrize(("how", "config"), CASES, ids=[how for how, _ in CASES])
def test_every_event_is_delivered_once_or_counted(how, config):
    """8 threads at all priorities; MEMPOOL_TESTS=long runs each case for a minute."""
    seen = run("stress_bus.c", config, BUILDS[how], SECONDS, 8, 1)
    assert seen["python"] > 1000 and seen["task"] > 1000
    assert min(seen[name] for name in ("refused", "dropped", "listener", "kept")) >= 0
    assert seen["refused"] > 0 and seen["churned"] > 10 and seen["churned_calls"] > 100


@pytest.mark.parametrize(("how", "config"), [("tsan", ATOMIC), ("plain", MASKED)])
def test_calls_and_their_ends(how, config):
    """eventbus_unsubscribe waits for a running call, and not from within one."""
    run("task_calls.c", config, BUILDS[how])
