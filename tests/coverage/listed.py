"""unreached.toml: the branches that no test reaches, each with the reason why none can.

An entry names a line by its file, its function and its text, so that it outlives edits elsewhere,
and its branches by their numbers where not all of the line are meant. `why` is one of the few
reasons at the head of the file; `note` says what it means there.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from counters import ROOT, Branch, lines_of

CHANCE = ("threads", "signal")  # reasons of what some runs reach
FILE = Path(__file__).resolve().parent / "unreached.toml"


@dataclasses.dataclass
class Entry:
    file: str
    function: str
    line: str
    why: str
    note: str
    branches: list[int] = dataclasses.field(default_factory=list)  # empty: all of the line
    of: int = 0  # and of how many; 0: however many

    def lines(self) -> list[int]:
        """The lines of the source that it names."""
        texts = [text.strip() for text in lines_of(self.file)]
        found = [n + 1 for n, text in enumerate(texts) if text == self.line]
        return [n for n in found if Branch(self.file, n, 0, 0).function == self.function]

    def matches(self, branch: Branch) -> bool:
        return (
            (branch.file, branch.text) == (self.file, self.line)
            and branch.function == self.function
            and (not self.branches or branch.number in self.branches)
            and self.of in (0, branch.of)
        )

    def __str__(self) -> str:
        numbers = f", branches {self.branches}" if self.branches else ""
        return f"{self.file}: {self.function}(): {self.line}{numbers}"


@dataclasses.dataclass
class Listed:
    reasons: dict[str, str]
    entries: list[Entry]

    def entry_of(self, branch: Branch) -> Entry | None:
        return next((entry for entry in self.entries if entry.matches(branch)), None)

    def problems(self) -> Iterator[str]:
        """What is wrong with the list itself, whatever was counted."""
        for entry in self.entries:
            if not (ROOT / entry.file).is_file():
                yield f"{entry}: no such file any more"
            elif not entry.lines():
                yield f"{entry}: no such line any more"
            if entry.why not in self.reasons:
                yield f"{entry}: {entry.why!r} is none of the reasons: {' '.join(self.reasons)}"
            if len(entry.note) < 20:
                yield f"{entry}: says too little"
        for name in set(self.reasons) - {entry.why for entry in self.entries}:
            yield f"the reason {name!r} is given nowhere"


def load(file: Path = FILE) -> Listed:
    read = tomllib.loads(file.read_text(encoding="utf-8"))
    return Listed(read["reasons"], [Entry(**entry) for entry in read["unreached"]])


def unlisted(listed: Listed, unreached: Iterable[Branch]) -> list[Branch]:
    return [branch for branch in unreached if listed.entry_of(branch) is None]


def superfluous(listed: Listed, branches: dict[Branch, int]) -> Iterator[str]:
    """Listed branches that were reached: they have lost their reason. Of what is not counted in
    this run nothing is said."""
    for entry in listed.entries:
        reached: dict[int, bool] = {}
        for branch, count in branches.items():
            if entry.why not in CHANCE and entry.matches(branch):
                number = branch.number if entry.branches else 0
                reached[number] = reached.get(number, True) and count > 0
        for number, always in sorted(reached.items()):
            if always:
                yield f"{entry}: {f'branch {number}' if entry.branches else 'it'} is reached"
