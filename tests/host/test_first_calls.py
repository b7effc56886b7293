"""Every call of mempool.h before mempool_init, while it runs, and with it running inside."""

from __future__ import annotations

import re
import subprocess

import corebuild as build
import corelib
import pytest

# Every pool has so many blocks that one that is taken is no level.
FIRST = build.Config("first", counts=(3, 4, 33, 3, 5), owners=3, trace=16, poison=True, reserve=1)
PLAIN = build.Config("first-plain", counts=(3, 4, 129, 3, 5), owners=0, diagnostics=False)
HEAP = build.Config("first-heap", counts=(3, 4, 33, 3, 5), owners=2, heap=True)
GROWING = build.Config("first-growing", counts=(3, 4, 33, 3, 5), owners=2, grow=3, arena=1024)
HOOKS = ("-O1", "-include", str(build.HERE / "interleave_hooks.h"))
STARTS = 120 * corelib.SCALE


def run(config: build.Config, flags: tuple[str, ...], *args: object) -> str:
    program = build.program("first_calls.c", config, flags)
    command = [str(program), *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600 * corelib.SCALE)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


def test_all_calls_are_tried():
    header = corelib.declarations()
    public = set(re.findall(r"\b(mempool_\w+)\(", header)) - {"mempool_hook_t"}
    assert len(public) > 30
    assert set(run(GROWING, ("-O1",), "names").split()) == public


@pytest.mark.parametrize("config", [FIRST, PLAIN, HEAP, GROWING], ids=lambda c: c.name)
def test_one_inside_the_other_at_every_access(config):
    out = run(config, HOOKS, "places")
    seen = {name: int(value) for name, value in re.findall(r"(\w+) (\d+)", out)}
    assert seen["most"] > 60  # accesses of mempool_init
    assert seen["places"] > 38 * 60
    print(out, end="")


@pytest.mark.parametrize("masked", [False, True], ids=["atomic", "masked"])
@pytest.mark.parametrize("config", [FIRST, PLAIN], ids=lambda c: c.name)
def test_threads_that_come_before(config, masked):
    variant = config.variants()[masked]
    run(variant, ("-O2",), "threads", STARTS)
