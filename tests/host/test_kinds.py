"""Every word of the pools' core is changed in one way, in whatever row its calls come: kinds.c."""

from __future__ import annotations

import dataclasses
import re
import subprocess

import corebuild as build
import pytest

ALL_ON = build.Config(
    "kinds", counts=(129, 33, 4, 3, 2), reserve=1, owners=3, trace=16, poison=True, grow=16
)
HEAP = dataclasses.replace(ALL_ON, name="kinds-heap", counts=(3, 2, 33, 4, 2), heap=True)
LEAST = build.Config("kinds-least", counts=(33, 3, 2, 2, 2), owners=0, diagnostics=False)


def run(config: build.Config, *more: str) -> subprocess.CompletedProcess[str]:
    flags = ("-O1", "-include", str(build.HERE / "kinds_words.h"), *more)
    program = build.program("kinds.c", config, flags)
    return subprocess.run([str(program)], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("config", [ALL_ON, HEAP, LEAST], ids=lambda config: config.name)
def test_each_word_is_changed_in_one_way(config):
    done = run(config)
    assert done.returncode == 0, done.stdout + done.stderr
    seen = {name: int(n) for name, n in re.findall(r"(\w+) (\d+)", done.stdout)}
    assert seen["counted"] >= len(config.counts), "a leaf a pool at least"
    assert seen["compared"] > 20


@pytest.mark.parametrize("config", [ALL_ON, LEAST], ids=lambda config: config.name)
def test_a_word_of_two_ways_is_found(config):
    """As it was: state counted up by giving, and compared by taking."""
    done = run(config, "-DKIND_OF_ADD=KIND_COUNTED")
    assert done.returncode == 1
    assert "changed in ways 3 (pools+" in done.stdout
