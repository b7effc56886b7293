"""What runs so that everything is reached, in builds that count: tests of the cores on this
computer, and MicroPython's suite on the unix port in each configuration.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from counters import OUTPUT, ROOT

sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "tools"))

import run as everything  # noqa: E402

BUILD = ROOT / "build"
HOST = OUTPUT / "host"
# Threads are left to themselves: what they meet differs from run to run, and test_meets.py and
# test_bus_meets.py have each meeting on purpose. Of the random rows a few are enough; they are the
# same in every run. What is tried out completely reaches nothing that the others do not.
CORES = {
    "host": (
        "test_contract.py",
        "test_design.py",
        "test_grow.py",
        "test_meets.py",
        "test_meets_rare.py",
        "test_noinit_torn.py",
        "test_small.py",
        "test_years.py::test_after_years[counts-years]",
        *(f"test_model.py::test_any_sequence[model{more}]" for more in ("", "-heap", "-poison")),
    ),
    "bus": (
        "test_bus_contract.py",
        "test_bus_meets.py",
        "test_cbor_refused.py",
        "test_cbor_values.py",
        "test_cbor_writer.py",
        "test_doorbell.py",
        "test_source.py",
        "test_topics.py",
        "test_bus_model.py",
    ),
}
LONG = (
    *("every_short_sequence", "every_generation", "test_any_value"),
    *("bus-tiny-masked", "bus-reserve", "bus-spill", "bus-many"),
)


@dataclasses.dataclass
class Run:
    """A command; what it counts lies in `folders` when it is over."""

    name: str
    command: list[str]
    folders: list[Path]
    environment: dict[str, str] = dataclasses.field(default_factory=dict)

    def go(self) -> tuple[bool, str]:
        """(whether it passed, its output)"""
        environment = {**os.environ, **self.environment}
        for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "TARGET", "VARIANT", "CONFIG"):
            environment.pop(name, None)
        done = subprocess.run(
            self.command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
        )
        return done.returncode == 0, f"$ {shlex.join(self.command)}\n{done.stdout}{done.stderr}"


def cores() -> Iterator[Run]:
    for folder, names in CORES.items():
        files = [f"tests/{folder}/{name}" for name in names]
        without = " and ".join(f"not {name}" for name in LONG)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", without]
        yield Run(f"tests/{folder}", [*command, *files], [HOST], {"MEMPOOL_COVERAGE": "1"})


def variant_of(name: str) -> str:
    return f"coverage-{name}" if name else "coverage"


def bindings() -> Iterator[Run]:
    """Builds and suites of the unix port: as it is shipped, and where tests/mpy configures the
    modules otherwise."""
    chosen = [("", [], [])]
    for target, name, settings, files in everything.other_configurations():
        configured = settings[0] != "CONFIG=" and "ENABLE=n" not in settings[0]
        if target == "unix" and configured:
            chosen.append((name, settings, files))
    # A variant is built from what the target has: that comes first.
    yield Run("build unix", ["make", "build", "TARGET=unix"], [])
    for name, settings, files in chosen:
        variant = variant_of(name)
        make = ["make", "build", "TARGET=unix", f"VARIANT={variant}", "COVERAGE=1", *settings]
        yield Run(f"build {variant}", make, [])
        suite = [sys.executable, "tests/suite.py", "--target", "unix", "--variant", variant]
        folder = BUILD / f"unix-{variant}"
        yield Run(f"suite {variant}", [*suite, *map(str, files)], [folder])
