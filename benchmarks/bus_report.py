#!/usr/bin/env python3
"""Runs what measures the bus from Python, and shows the figures side by side.

    bus_report.py                  on the terminal, in about two minutes
    bus_report.py --seconds 60     with a minute of work for each way of delivery
    bus_report.py --markdown       writes the tables in README.md and docs/budgets.md

It runs the firmware of build/unix and build/rv32. Times on this computer are those of a computer
that does other things, too; on the emulated RISC-V one instruction is one nanosecond, exactly.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from marked import MarkerError, part, update  # noqa: E402

DOCUMENTS = (ROOT / "README.md", ROOT / "docs" / "budgets.md")
PART = "bus-python"
COMMAND = "benchmarks/bus_report.py --markdown"

# In the order of benchmarks/bus_python.py; the first words of a row there and in bus_ops.py.
WAYS = {
    "eventbus": ("eventbus", "publish to callback"),
    "plain Python bus": ("plain Python bus", "plain Python bus"),
    "asyncio with a queue": ("asyncio with a queue", "asyncio with a queue"),
}


class RunError(Exception):
    """A benchmark did not end well, or prints something else than it did."""


def run(script: str, *options: str, seconds: int = 3) -> str:
    """What a benchmark prints."""
    command = [sys.executable, str(ROOT / "tools" / "exec.py"), *options]
    print(f"bus_report: {script} {' '.join(options)}", file=sys.stderr, flush=True)
    done = subprocess.run(
        [*command, "--timeout", "900", str(ROOT / "benchmarks" / script)],
        env=os.environ | {"BUS_SECONDS": str(seconds)},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RunError(f"{script} ends with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def row(text: str, says: str) -> list[str]:
    """The figures behind the first line that begins with these words."""
    for line in text.splitlines():
        if line.startswith(says) and line[len(says) : len(says) + 1] == " ":
            return line[len(says) :].split()
    raise RunError(f"no line {says!r} in:\n{text}")


def number(text: str, pattern: str) -> int:
    found = re.search(pattern, text)
    if found is None:
        raise RunError(f"nothing like {pattern!r} in:\n{text}")
    return int(found[1])


def ways_table(ops: str, board: str, here: str, seconds: int) -> list[list[str]]:
    """The three ways to deliver, a column each."""
    timed = {name: row(ops, words[1]) for name, words in WAYS.items()}
    on_board = {name: row(board, words[0]) for name, words in WAYS.items()}
    on_pc = {name: row(here, words[0]) for name, words in WAYS.items()}
    heap = number(board, r"heap of (\d+) KB"), number(here, r"heap of (\d+) KB")
    return [
        ["from `publish` to a callback", *WAYS],
        ["instructions, RV32, median / worst", *(f"{r[1]} / {r[2]}" for r in timed.values())],
        ["events a second, RV32, of plain", *(r[1] for r in on_board.values())],
        ["events a second, this PC, of plain", *(r[1] for r in on_pc.values())],
        [
            f"longest delay, RV32, heap of {heap[0]} KB nearly full, us",
            *(r[2] for r in on_board.values()),
        ],
        [
            f"longest delay in {seconds} s, this PC, heap of {heap[1]} KB nearly full, us",
            *(r[2] for r in on_pc.values()),
        ],
        [
            "events of a million later than a quarter of a collection, this PC",
            *(r[3] for r in on_pc.values()),
        ],
    ]


def collecting_table(here: str, board: str) -> list[list[str]]:
    """Delivery while the VM collects garbage."""
    head = ["delivery while the VM collects, us", "C subscriber", "Python callback"]
    rows = [head]
    for text, says in ((here, "this PC"), (board, "RV32")):
        longest = row(text, "longest collection us")[0]
        heap = number(text, r"GC heap (\d+) KB")
        during = row(text, "to C during collections")[0]
        rows.append([f"{says}: heap of {heap} KB, longest collection {longest} us", "", ""])
        rows.append([f"{says}: events while it collected", during, ""])
        for words in ("50 % below us", "99 % below us", "longest us"):
            rows.append([f"{says}: {words.removesuffix(' us')}", *row(text, words)])
    return rows


def markdown(rows: list[list[str]]) -> str:
    head, *rest = rows
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(line) + " |" for line in rest])


def report(seconds: int) -> tuple[str, str]:
    """The part of the README, and that of docs/budgets.md, which has the whole outputs, too."""
    emulated = ("--target", "rv32", "--icount")
    outputs = {
        "bus_ops.py, RV32": run("bus_ops.py", *emulated),
        "bus_python.py, RV32": run("bus_python.py", *emulated),
        "bus_python.py, PC": run("bus_python.py", seconds=seconds),
        "bus_gc.py, PC": run("bus_gc.py", "--heap", "64m"),
        "bus_gc.py, RV32": run("bus_gc.py", *emulated),
    }
    ops, board, here, gc_here, gc_board = outputs.values()
    short = [
        f'Made by `{COMMAND}`: the whole firmware, `value=<int>, unit="C"`. On the emulated RV32 '
        "an instruction is a nanosecond; on a PC the longest is also whatever else it did.",
        markdown(ways_table(ops, board, here, seconds)),
        markdown(collecting_table(gc_here, gc_board)),
    ]
    whole = [f"`{name}`:\n\n```\n{text.rstrip()}\n```" for name, text in outputs.items()]
    return "\n\n".join(short), "\n\n".join([*short, *whole])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--markdown", action="store_true")
    args = parser.parse_args(argv)
    try:
        for path in DOCUMENTS:
            part(path, PART)  # before minutes of work
        contents = report(args.seconds)
        for path, content in zip(DOCUMENTS, contents, strict=True):
            if args.markdown:
                update(path, PART, content)
        print(contents[1])
    except (RunError, MarkerError) as error:
        print(f"bus_report: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
