"""The core as shipped, checked over every order in which a few operations can meet.

The checker (interleave.c) stops before each atomic access and explores every choice of the thread
that goes on. Scripts are explained in interleave_ops.c.
"""

from __future__ import annotations

import dataclasses
import re
import subprocess

import corebuild as build
import pytest

TINY_POOLS = build.Config("tiny-pools", counts=(2, 3, 1, 1, 1), owners=1)
PLAIN = build.Config("tiny-plain", counts=(2, 3, 1, 1, 1), owners=0, diagnostics=False)
RESERVED = build.Config("tiny-reserved", counts=(2, 3, 2, 2, 2), reserve=1, owners=1)
LEAVES = build.Config("tiny-leaves", counts=(33, 1, 1, 1, 1), owners=0, diagnostics=False)
TURNING = dataclasses.replace(LEAVES, name="tiny-turning", diagnostics=True)
SUMMARY = dataclasses.replace(LEAVES, name="tiny-summary", counts=(129, 1, 1, 1, 1))
SUMMARY_TURNING = dataclasses.replace(SUMMARY, name="tiny-summary-turning", diagnostics=True)

# configuration, set-up, one script a thread
SCENES = {
    "two takes, two blocks": (TINY_POOLS, "", "t0", "t0"),
    "three takes, two blocks": (TINY_POOLS, "", "t0", "t0", "t0"),
    "take and give back, one block": (TINY_POOLS, "", "t2g", "t2g"),
    "take twice, give, two blocks": (TINY_POOLS, "", "t0gt0", "t0g"),
    "take meets give": (TINY_POOLS, "t0t0", "t0", "G0"),
    "take meets two gives": (TINY_POOLS, "t0t0", "t0", "G0", "G1"),
    "two takes meet a give": (TINY_POOLS, "t0t0", "t0", "t0", "G0"),
    "double give": (TINY_POOLS, "t0", "G0", "G0"),
    "triple give": (TINY_POOLS, "t0", "G0", "G0", "G0"),
    "double give meets take": (TINY_POOLS, "t0t0", "G0", "G0", "t0"),
    "double give by pointer": (TINY_POOLS, "t0t0", "F0", "G0"),
    "gives of a leaf that is full": (TINY_POOLS, "t0t0", "G0", "G1"),
    "give, take, give of one block": (TINY_POOLS, "t2", "G0t2g", "t2"),
    "free by pointer meets give and take": (TINY_POOLS, "t2", "F0", "G0", "t2"),
    "a guessed handle meets give": (TINY_POOLS, "t2", "X0", "G0"),
    "a guessed handle meets take": (TINY_POOLS, "t2g", "X0", "t2g"),
    "a guessed handle meets give and take": (TINY_POOLS, "t2", "G0t2", "X0"),
    "alloc and free": (TINY_POOLS, "t0", "a0f", "a0f"),
    "statistics meanwhile": (TINY_POOLS, "t0", "t0g", "s0s0"),
    "reset_stats meanwhile": (TINY_POOLS, "t0", "t0", "zs0", "G0"),
    "leaks meanwhile": (TINY_POOLS, "t0", "t0", "l"),
    "leaks meet give and take": (TINY_POOLS, "t2", "G0t2", "l"),
    "read meets give": (TINY_POOLS, "t2", "R0", "G0t2"),
    "adopt meets give": (TINY_POOLS, "t0", "A0", "G0"),
    "adopt meets give and take": (TINY_POOLS, "t2", "A0", "G0t2"),
    "adopt meets a give of Python": (TINY_POOLS, "t0", "A0", "P0", "G0"),
    "quota for one": (TINY_POOLS, "q1", "o0", "o0"),
    "quota for one, given back": (TINY_POOLS, "q1o0", "G0", "o0", "o0"),
    "quota meets exhaustion": (TINY_POOLS, "q2t0", "o0", "o0"),
    "edges up": (TINY_POOLS, "", "t1t1", "t1"),
    "edges up and down": (TINY_POOLS, "t1t1", "t1g", "G0"),
    "edges meet a look": (TINY_POOLS, "t1", "t1", "t1", "k"),
    "edges up and down meet a look": (TINY_POOLS, "t1t1", "t1", "G0", "k"),
    "edges meet two looks": (TINY_POOLS, "t1t1", "T1", "kk", "P0"),
    "edges down": (TINY_POOLS, "t1t1t1", "G0", "G1", "G2"),
    "the reserve is kept": (RESERVED, "t1", "t1", "t1", "T1"),
    "the reserve meets give": (RESERVED, "t1t1", "t1", "T1", "G0"),
    "minimum: three takes": (PLAIN, "", "t0", "t0", "t0"),
    "minimum: takes meet give": (PLAIN, "t0t0", "t0", "t0", "G0"),
    "minimum: double give meets take": (PLAIN, "t0t0", "G0", "G0", "t0"),
    "minimum: two rounds": (PLAIN, "t0", "t0gt0", "G0t0"),
}
# Two blocks or three are free, in different leaves: without a summary word (2 leaves), with the
# search that turns (DIAGNOSTICS counts the takes), and with a summary word (5 leaves).
for name, config, almost in (
    ("2 leaves", LEAVES, "m31"),
    ("2 leaves, turning", TURNING, "m31"),
    ("summary", SUMMARY, "m127"),
    ("summary, turning", SUMMARY_TURNING, "m127"),
):
    SCENES |= {
        f"{name}: takes across the edge": (config, almost, "t0", "t0"),
        f"{name}: all leaves are emptied": (config, almost, "t0", "t0", "t0"),
        f"{name}: takes meet gives": (config, almost + "t0t0", "G0", "t0", "G1"),
        f"{name}: a leaf fills behind": (config, almost + "t0t0", "G0G1", "t0", "t0"),
        f"{name}: emptied and filled": (config, almost + "t0", "t0g", "G0t0"),
        f"{name}: emptied, filled, emptied": (config, almost, "t0gt0", "t0gt0"),
        f"{name}: two gives to one leaf": (config, almost + "t0t0", "G0", "G1", "t0t0"),
    }
GROWING = build.Config("tiny-growing", counts=(1, 3, 1, 1, 1), owners=1, grow=2, arena=1024)
GROWING_PLAIN = dataclasses.replace(PLAIN, name="plain-growing", grow=2, arena=1024)
GROWING_SLOWLY = (
    dataclasses.replace(  # what it grows by lies in a leaf that only the slow way knows
        PLAIN, name="slowly-growing", counts=(32, 1, 1, 1, 1), grow=2, arena=1024
    )
)
GROWING_SUMMARY = dataclasses.replace(SUMMARY, name="summary-growing", grow=2, arena=1024)
for name, config, almost in (
    ("growing", GROWING, ""),
    ("growing, minimum", GROWING_PLAIN, "m1"),
    ("growing slowly", GROWING_SLOWLY, "m31"),
    ("growing, summary", GROWING_SUMMARY, "m128"),
):
    SCENES |= {
        f"{name}: meets takes": (config, almost, "w1", "t0", "t0"),
        f"{name}: meets give and take": (config, almost + "t0", "w1", "G0", "t0"),
        f"{name}: shrinks, meets takes": (config, almost + "w1", "h", "t0", "t0"),
        f"{name}: shrinks, meets a give": (config, almost + "w1t0t0", "h", "G0", "G1"),
        f"{name}: shrinks, meets a double give": (config, almost + "w1t0t0", "h", "G1", "G1"),
        f"{name}: shrinks, meets give and take": (config, almost + "w1t0t0", "h", "G1t0", "t0"),
        f"{name}: shrinks and grows": (config, almost + "w1t0t0", "hw1", "G1", "t0"),
        f"{name}: meets statistics": (config, almost + "t0", "w2", "s0", "t0"),
        f"{name}: shrinks, meets statistics": (config, almost + "w2", "h", "s0", "t0"),
        f"{name}: meets edges": (config, almost, "w1", "t0", "k"),
        f"{name}: shrinks, meets edges": (config, almost + "w1", "h", "t0", "k"),
    }
SCENES |= {
    "four takes, two blocks": (PLAIN, "", "t0", "t0", "t0", "t0"),
    "four: two gives, two takes": (PLAIN, "t0t0", "G0", "G1", "t0", "t0"),
    "owners in three rounds": (TINY_POOLS, "q1o0", "G0o0", "o0g", "t0g"),
}


def checker(config: build.Config, *broken: str) -> str:
    hooks = build.HERE / "interleave_hooks.h"
    # The program is -fPIC so that no variable of the library is copied into it; -z norelro keeps
    # the library's memory writable.
    library = build.library(config, ("-O1", "-DMEMPOOL_TEARS=2u", "-include", str(hooks), *broken,
                                     "-Wl,-z,norelro,-z,now", "-Wl,-z,undefs"))  # fmt: skip
    names = ("interleave.c", "interleave_ops.c", "interleave_judge.c")
    sources = [build.HERE / name for name in names]
    return str(build.compile_into("interleave", config, [*sources, library],
                                  ["-O2", "-fPIC", "-D_GNU_SOURCE", "-rdynamic",
                                   f"-Wl,-rpath,{library.parent}"]))  # fmt: skip


def explore(name: str, *broken: str) -> subprocess.CompletedProcess:
    config, setup, *threads = SCENES[name]
    command = [checker(config, *broken), setup, *threads]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("name", SCENES)
def test_every_order(name):
    run = explore(name)
    assert run.returncode == 0, f"{SCENES[name][1:]}\n{run.stdout}{run.stderr}"
    seen = {key: int(value) for key, value in re.findall(r"(\w+) (\d+)", run.stdout)}
    assert seen["states"] > 10
    assert seen["ends"] > 0
    # Whoever runs alone, an interrupt for instance, is done after so many accesses.
    assert seen["alone"] <= 80
    print(f"{name}: {run.stdout}", end="")


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        ("AND", "two takes, two blocks"),
        ("OR", "gives of a leaf that is full"),
        ("ADD", "gives of a leaf that is full"),
        ("CAS", "double give"),
        ("CAS", "two takes, two blocks"),
        ("ADD", "quota for one"),
    ],
)
def test_a_broken_primitive_is_found(broken, name):
    """Where one atomic operation is none, a checker that sees nothing fails here."""
    run = explore(name, f"-DBREAK_{broken}=1")
    assert run.returncode == 1, run.stdout
    assert run.stdout.startswith("FAIL: ")
