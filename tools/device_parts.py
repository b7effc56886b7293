"""What the on-device suite does beside the MicroPython tests: stress, interrupts, resets, cycles.

Each is a program of tests/device/parts, or two with a reset between. A program that finds a board
without what it needs prints "NOT HERE: why".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

from device_link import Board, LinkError
from device_report import Report

PARTS = Path(__file__).resolve().parent.parent / "tests" / "device" / "parts"
FIGURE = re.compile(r"^FIGURE (.+?) = (.*)$", re.M)
SECONDS = 180.0
RESETS = {
    "software": (
        "try:\n from _platform import reset\n"
        "except ImportError:\n from machine import reset\nreset()"
    ),
    # Nothing may end the loop: neither what this PC sends, nor the scheduler.
    "watchdog": (
        "import machine, micropython\nmicropython.kbd_intr(-1)\n"
        "dog = machine.WDT(timeout=2000)\nwhile True: pass"
    ),
}


class NotHere(Exception):
    """The board lacks what the part needs: why."""


class Failed(Exception):
    """What was wrong, and what the program printed."""

    def __init__(self, reason: str, details: str) -> None:
        super().__init__(reason)
        self.details = details


def program(board: Board, report: Report, name: str, **values: object) -> str:
    """Runs a program of a part -> what it printed. `values` are names that it uses."""
    given = "".join(f"{key} = {value!r}\n" for key, value in values.items())
    source = given + (PARTS / f"{name}.py").read_text(encoding="utf-8")
    status, output = board.run(source, f"{name}.py", SECONDS)
    text = output.decode(errors="replace")
    report.figures.update(FIGURE.findall(text))
    if found := re.search(r"^NOT HERE: (.*)$", text, re.M):
        raise NotHere(found[1].strip())
    if status:
        lines = board.traceback.strip().splitlines()
        raise Failed(lines[-1] if lines else f"status {status}", f"{text}{board.traceback}")
    return text


def who(board: Board, report: Report) -> None:
    report.board = ast.literal_eval(program(board, report, "who"))


def stress(board: Board, report: Report) -> None:
    program(board, report, "stress")


def interrupts(board: Board, report: Report) -> None:
    program(board, report, "interrupts")


def sources(board: Board, report: Report) -> None:
    program(board, report, "sources")


def soft_reset(board: Board, report: Report) -> None:
    for _ in range(3):
        handles = ast.literal_eval(program(board, report, "soft_reset_1"))
        board.soft_reset()
        output = program(board, report, "soft_reset_2", HANDLES=handles)
        if output:
            raise Failed("the old program is still called", output)


def _reset(board: Board, report: Report, how: str) -> None:
    program(board, report, "reset_1", HOW=how)
    board.start(RESETS[how])
    if not board.started(30):
        raise LinkError(f"no restart within 30 s of a {how} reset")
    board.wait()
    program(board, report, "reset_2", HOW=how)


def software_reset(board: Board, report: Report) -> None:
    _reset(board, report, "software")


def watchdog_reset(board: Board, report: Report) -> None:
    _reset(board, report, "watchdog")


def cycles(board: Board, report: Report) -> None:
    report.cycles = ast.literal_eval(program(board, report, "cycles"))


# In the order in which they run.
ALL: dict[str, Callable[[Board, Report], None]] = {
    "who": who,
    "cycles": cycles,
    "stress": stress,
    "interrupts": interrupts,
    "sources": sources,
    "soft_reset": soft_reset,
    "software_reset": software_reset,
    "watchdog_reset": watchdog_reset,
}
# A board whose watchdog does not bite hangs for good: what comes after the tests.
LAST = ("watchdog_reset",)
