"""The cores as shipped on a weak memory: every scene, every planted fault, and the checker itself.

How it works is told in docs/internals.md; what a scene and a fault is, in scenes.py and faults.py.
A longer depth: tests/weak/run.py --depth 2.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import run
import units
from faults import FAULTS, NOT_SHOWN
from scenes import SCENES


@pytest.mark.parametrize(("name", "port"), run.work(1), ids=lambda value: value)
def test_scene(name, port):
    code, said = run.explore(SCENES[name], port)
    assert code == 0, said
    # Whoever runs alone, an interrupt for instance, is done after so many points.
    alone = int(said.split("alone ")[1])
    assert alone <= 200, said


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name):
    planted = FAULTS[name]
    code, said = run.explore(SCENES[planted.scene], planted.port, planted.fault)
    assert code == 1, said
    assert planted.says in said, said


@pytest.mark.parametrize("name", NOT_SHOWN)
def test_a_fault_that_is_argued_away(name):
    """Where it's found all the same, the argument is wrong."""
    planted, why = NOT_SHOWN[name]
    code, said = run.explore(SCENES[planted.scene], planted.port, planted.fault)
    print(f"{name}: {why}")
    assert code == 0, said


# ---- The checker itself ----------------------------------------------------------------------

LITMUS_OPTIONS = {"hart": "hart=1", "newest": "newest=1", "spurious": "spurious=1"}
FAILURES = ("race", "does not end", "not modelled")


@functools.cache
def litmus_programs() -> dict[str, tuple[int, str]]:
    """Name -> threads, allowed outcomes; printed by the unit itself."""
    command = [units.machine(), units.litmus(), "--", "?", "?"]
    answer = subprocess.run(command, capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in answer.splitlines()]
    return {name: (int(count), allowed) for name, count, allowed in rows}


def run_litmus(name: str, *more: str) -> tuple[int, str]:
    count, _ = litmus_programs()[name]
    options = [option for word, option in LITMUS_OPTIONS.items() if name.endswith(f", {word}")]
    scripts = [f"thread {i}" for i in range(count)]  # different: threads of one script are alike
    command = [units.machine(), units.litmus(), *options, *more, "--", name, *scripts]
    answer = subprocess.run(command, capture_output=True, text=True)
    return answer.returncode, answer.stdout + answer.stderr


def graphs(said: str) -> str:
    return said.split(" states")[0]


def test_litmus():
    """Exactly the outcomes of RC11, and as many graphs where no state is left out."""
    wrong = []
    assert len(litmus_programs()) > 40
    for name, (_, allowed) in litmus_programs().items():
        code, said = run_litmus(name)
        whole = run_litmus(name, "no_pruning=1")[1]
        if allowed in FAILURES:
            right = code == 1 and allowed in said
        else:
            right = code == 0 and graphs(said) == graphs(whole)
        if not right:
            wrong.append(f"{name}: {said}{whole}")
    assert not wrong, "\n".join(wrong)


# How many execution graphs there are: a checker that loses some, or tells two apart that are one,
# shows here. (A forerunner was compared with GenMC 0.10.3: 14 of 17 scenes had as many.) Threads
# of one script are taken for one another, so the graphs are fewer by the orders of such threads.
GRAPHS = {
    "two takes, two blocks": 56 // 2,
    "take, give, take meets take and give": 2188,
    "three takes, two blocks": 672 // 6,
    "double give meets the next holder": 10,
}


@pytest.mark.parametrize("name", GRAPHS)
def test_as_many_graphs_as_there_are(name):
    code, said = run.explore(SCENES[name])
    assert code == 0
    assert graphs(said) == f"ok graphs {GRAPHS[name]}"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--depth", "0"), "--depth is 0, and must be 1 to 3"),
        (("--depth", "deep"), "--depth is deep, and must be 1 to 3"),
        (("--fault", "none"), "no fault is named none"),
        (("--only", "nothing of that name"), "no scene of depth 1 has 'nothing of that name'"),
    ],
)
def test_wrong_arguments(arguments, says):
    command = [sys.executable, str(units.HERE / "run.py"), *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, env={**os.environ})
    assert answer.returncode == 2
    assert says in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
