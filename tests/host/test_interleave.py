"""The core in every order in which a few operations can meet: what tests/weak leaves.

That checker knows weak memory, of which sequential consistency is a part, and has all smaller
scenes. It tells states apart by how they came to be; this one (interleave.c) by what memory holds,
so that it can pay, in CI, for scenes where many ways lead to few states. Scripts are explained in
interleave_ops.c.
"""

from __future__ import annotations

import dataclasses
import re
import subprocess

import corebuild as build
import pytest

TINY_POOLS = build.Config("tiny-pools", counts=(2, 3, 1, 1, 1), owners=1)
PLAIN = build.Config("tiny-plain", counts=(2, 3, 1, 1, 1), owners=0, diagnostics=False)
LEAVES = build.Config("tiny-leaves", counts=(33, 1, 1, 1, 1), owners=0, diagnostics=False)
TURNING = dataclasses.replace(LEAVES, name="tiny-turning", diagnostics=True)
SUMMARY = dataclasses.replace(LEAVES, name="tiny-summary", counts=(129, 1, 1, 1, 1))
SUMMARY_TURNING = dataclasses.replace(SUMMARY, name="tiny-summary-turning", diagnostics=True)

# configuration, set-up, one script a thread
SCENES = {
    "two takes, two blocks": (TINY_POOLS, "", "t0", "t0"),
    "double give": (TINY_POOLS, "t0", "G0", "G0"),
    "gives of a leaf that is full": (TINY_POOLS, "t0t0", "G0", "G1"),
    "quota for one": (TINY_POOLS, "q1", "o0", "o0"),
}
# Two blocks are free, in different leaves: with the search that turns (DIAGNOSTICS counts takes),
# and with a summary word (5 leaves).
for name, config, almost in (
    ("2 leaves, turning", TURNING, "m31"),
    ("summary", SUMMARY, "m127"),
    ("summary, turning", SUMMARY_TURNING, "m127"),
):
    SCENES[f"{name}: emptied, filled, emptied"] = (config, almost, "t0gt0", "t0gt0")
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
