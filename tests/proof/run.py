"""`make proof`: all that shows the cores right and takes more than CI gives. A line a check, with
its figures and its time; what each did is in build/proof/. Ends with 1 where anything is left.

    tests/proof/run.py                  # everything
    tests/proof/run.py --only eva       # checks whose name has the word
    tests/proof/run.py --quick          # what CI runs
"""

from __future__ import annotations

import argparse
import functools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import analyzers
import cores
import eva
import misra

ROOT = cores.ROOT
PYTHON = str(ROOT / ".venv/bin/python")
DEPTHS = ("1", "2", "3")  # 1 is CI's
DEPTH = "2"


class LeftOut(Exception):
    """What this machine does not have, and `make proof` does not need to pass; says why."""


@dataclass(frozen=True)
class Check:
    name: str
    run: Callable[..., tuple[str, list[str]]]  # (log, step=) -> figures, what is wrong
    quick: bool = False


def _command(log, command: list[str], step) -> tuple[list[str], list[str]]:
    """Runs another runner -> its lines, and where it fails what is wrong."""
    log.write(f"$ {' '.join(command)}\n")
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines = []
    for line in process.stdout or ():
        log.write(line)
        lines.append(line.rstrip())
        step(line.strip())
    wrong = [] if process.wait() == 0 else lines[-40:] or [f"it ended with {process.returncode}"]
    return [line for line in lines if line], wrong


def _last(said: tuple[list[str], list[str]]) -> tuple[str, list[str]]:
    """A runner whose last line is its figures."""
    lines, wrong = said
    return lines[-1] if lines else "it said nothing", wrong


def weak(depth: str, log, *, step) -> tuple[str, list[str]]:
    script = ROOT / "tests" / "weak" / "run.py"
    if not script.exists():
        return "", ["tests/weak/run.py, the checker of weak memory, is not there"]
    lines, wrong = _command(log, [PYTHON, str(script), "--depth", depth], step)
    return f"{len(lines)} scenes at depth {depth}", wrong


def genmc(model: list[str], log, *, step) -> tuple[str, list[str]]:
    if shutil.which("genmc") is None:
        raise LeftOut("there is no genmc on the PATH, and no package registry has it")
    return _last(_command(log, [PYTHON, "tests/proof/genmc/scenes.py", *model], step))


def micropython() -> Path:
    given = os.environ.get("MICROPYTHON_DIR")
    if given:
        return Path(given)
    done = subprocess.run(
        ["make", "-s", "--no-print-directory", "print-SOURCE"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return ROOT / done.stdout.strip()


def analyzer(tool, quick: bool, log, *, step) -> tuple[str, list[str]]:
    return analyzers.check(log, tool, micropython(), quick=quick, step=step)


def natively(log, *, step) -> tuple[str, list[str]]:
    return _last(_command(log, [PYTHON, "tests/proof/genmc/scenes.py", "--natively"], step))


def run_eva(name: str, log, *, step) -> tuple[str, list[str]]:
    return eva.check(log, name, step=step)


def checks(depth: str, quick: bool) -> list[Check]:
    part = functools.partial
    return [
        Check("weak memory", part(weak, depth)),
        Check("genmc rc11", part(genmc, [])),
        Check("genmc imm", part(genmc, ["--imm"])),
        Check("genmc scenes by gcc", natively, quick=True),
        Check("misra", part(misra.check, quick=quick), quick=True),
        Check("gcc -fanalyzer", part(analyzer, analyzers.gcc, quick), quick=True),
        Check("clang-tidy", part(analyzer, analyzers.tidy, quick), quick=True),
        *(Check(f"eva {name}", part(run_eva, name)) for name in eva.PROGRAMS),
    ]


class Lines:
    """A line a check; on a terminal, what it is at, meanwhile."""

    def __init__(self):
        self.live = sys.stdout.isatty()

    def step(self, name: str, text: str) -> None:
        if self.live:
            print(f"\r\x1b[K     ...  {name:<24} {text}"[:110], end="", flush=True)

    def say(self, state: str, name: str, seconds: float, figures: str) -> None:
        start = "\r\x1b[K" if self.live else ""
        print(f"{start}{state:>8}  {name:<24} {seconds:7.1f} s  {figures}".rstrip(), flush=True)


def run_one(check: Check, lines: Lines) -> bool:
    start = time.monotonic()
    lines.step(check.name, "")
    path = cores.OUTPUT / f"{check.name.replace(' ', '-')}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as log:
        try:
            figures, wrong = check.run(log, step=lambda text: lines.step(check.name, text))
        except LeftOut as reason:
            lines.say("left out", check.name, 0.0, str(reason))
            return True
        except (RuntimeError, analyzers.Absent, subprocess.SubprocessError) as problem:
            figures, wrong = "", [str(problem)]
        for problem in wrong:
            log.write(f"{problem}\n")
    lines.say("FAIL" if wrong else "ok", check.name, time.monotonic() - start, figures)
    if wrong:
        print("\n".join(wrong[:60]))
        print(f"{len(wrong)} left; all of it: {path.relative_to(ROOT)}")
    return not wrong


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="proof")
    parser.add_argument("--only", default="", metavar="WORD", help="checks whose name has it")
    parser.add_argument("--depth", default=DEPTH, help="of the checker of weak memory")
    parser.add_argument("--quick", action="store_true", help="what CI runs")
    parser.add_argument("--look", action="store_true", help="whether these arguments are good")
    args = parser.parse_args(argv)
    if args.depth not in DEPTHS:
        print(f"proof: DEPTH must be {DEPTHS[0]} to {DEPTHS[-1]}, not {args.depth!r}")
        return 2
    every = checks(args.depth, args.quick)
    chosen = [check for check in every if args.only in check.name and check.quick >= args.quick]
    if not chosen:
        names = ", ".join(check.name for check in every)
        print(f"proof: no check's name has {args.only!r}; there are: {names}")
        return 2
    if args.look:
        return 0
    start = time.monotonic()
    lines = Lines()
    try:
        good = sum([run_one(check, lines) for check in chosen])
    except KeyboardInterrupt:
        print("\nproof: stopped")
        return 130
    minutes = (time.monotonic() - start) / 60
    print(f"{good} of {len(chosen)} checks left nothing, in {minutes:.1f} minutes")
    return 0 if good == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
