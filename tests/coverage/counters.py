"""What gcov counted, over all configurations: which branches of the product's C were reached.

A branch is named by its file, its line, and its place among those that the compiler made of the
line. A line may be compiled many times: in each configuration, and of a header in each file. A
branch is reached where one of these reached it. Where a configuration makes another number of
branches of the line (a constant took a part of it away), these are branches of their own: a part
that only one configuration has must be reached in that one.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "build" / "coverage"
MODULES = ("mempool", "eventbus")
FOLDERS = ("core", "mpy")
ATTRIBUTE = re.compile(r"__attribute__\(\(.*?\)\)")
FUNCTION = re.compile(r"[A-Za-z_][^;=(]*?(\w+)\(")  # what stands at the beginning of its line


@dataclasses.dataclass(frozen=True, order=True)
class Branch:
    """One of `of` branches of a line."""

    file: str
    line: int
    number: int
    of: int

    @property
    def text(self) -> str:
        return lines_of(self.file)[self.line - 1].strip()

    @property
    def function(self) -> str:
        return function_at(self.file, self.line)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: branch {self.number} of {self.of}: {self.text}"


@functools.cache
def lines_of(file: str) -> list[str]:
    return (ROOT / file).read_text(encoding="utf-8").splitlines()


@functools.cache
def function_at(file: str, line: int) -> str:
    """The function that a line stands in; empty outside of any."""
    for text in reversed(lines_of(file)[:line]):
        if match := FUNCTION.match(ATTRIBUTE.sub("", text)):
            return match[1]
    return ""


def ours(path: str) -> str | None:
    """A file's name within the repository, where it is C of a core or a binding."""
    file = Path(path)
    file = file if file.is_absolute() else ROOT / file
    for module in MODULES:
        for folder in FOLDERS:
            if file.is_relative_to(ROOT / "cmodules" / module / folder):
                return str(file.relative_to(ROOT))
    return None


class Counts:
    """How often lines and branches were reached, summed up."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, int], int] = {}
        self.branches: dict[Branch, int] = {}

    def add(self, files: Iterable[dict]) -> None:
        """The files of one of gcov's answers."""
        for entry in files:
            file = ours(entry["file"])
            if file is None:
                continue
            for line in entry["lines"]:
                number = line["line_number"]
                at = (file, number)
                self.lines[at] = self.lines.get(at, 0) + line["count"]
                for n, branch in enumerate(line["branches"]):
                    key = Branch(file, number, n, len(line["branches"]))
                    self.branches[key] = self.branches.get(key, 0) + branch["count"]

    def unreached(self) -> list[Branch]:
        return sorted(branch for branch, count in self.branches.items() if count == 0)


def answers(folder: Path) -> Iterator[dict]:
    """What gcov says of every object that ran from `folder`."""
    objects = sorted(folder.rglob("*.gcda"))
    if not objects:
        return
    command = ["gcov", "--json-format", "--stdout", "--branch-probabilities", "--branch-counts"]
    done = subprocess.run([*command, *map(str, objects)], capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"gcov in {folder}: {done.stderr[:2000]}")
    for line in done.stdout.splitlines():
        yield json.loads(line)


def forget(folders: Iterable[Path]) -> None:
    """Before a run: what an earlier one counted goes."""
    for folder in folders:
        for file in folder.rglob("*.gcda"):
            file.unlink()


def collect(folders: Iterable[Path]) -> Counts:
    counts = Counts()
    for folder in folders:
        for answer in answers(folder):
            counts.add(answer["files"])
    return counts
