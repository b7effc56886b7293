"""What a tool reports, held against a table of what is accepted, each with its reason.

The table is held exactly: a finding that no entry accepts fails, and so does an entry that accepts
no finding any more. Entries name a rule and, unless the whole rule is decided, a file, a function
or a piece of the line's text; never a line's number, so that they outlive edits elsewhere.

    [[accept]]
    rule = "18.4"
    file = "cmodules/mempool/core/*.c"      # may be a pattern
    text = "offset"                         # a piece of the line, or several
    reason = "..."
"""

from __future__ import annotations

import dataclasses
import fnmatch
import functools
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"rule", "file", "function", "text", "program", "reason"}


@functools.cache
def _lines(file: str) -> list[str]:
    return (ROOT / file).read_text(errors="replace").splitlines()


@dataclasses.dataclass(frozen=True)
class Finding:
    rule: str
    file: str  # from the root of the repository
    line: int
    message: str = ""
    function: str = ""

    @property
    def text(self) -> str:
        """The line that it stands in."""
        lines = _lines(self.file)
        return lines[self.line - 1].strip() if 0 < self.line <= len(lines) else ""

    def __str__(self) -> str:
        within = f" in {self.function}" if self.function else ""
        message = f" {self.message}" if self.message else ""
        return f"{self.file}:{self.line}{within}: {self.rule}{message}\n    {self.text}"


@dataclasses.dataclass(frozen=True)
class Entry:
    rule: str
    reason: str
    file: str = ""
    function: str = ""
    texts: tuple[str, ...] = ()

    def accepts(self, finding: Finding) -> bool:
        return (
            finding.rule == self.rule
            and (not self.file or fnmatch.fnmatch(finding.file, self.file))
            and (not self.function or fnmatch.fnmatch(finding.function, self.function))
            and (not self.texts or any(text in finding.text for text in self.texts))
        )

    def __str__(self) -> str:
        where = [self.file, self.function, " | ".join(self.texts)]
        return ": ".join(part for part in (self.rule, *where) if part)


def load(path: Path, program: str = "") -> list[Entry]:
    """The entries of a table; of one that is several programs', those of this one."""
    entries = []
    for table in tomllib.loads(path.read_text()).get("accept", []):
        unknown = set(table) - KEYS
        if unknown or "rule" not in table or len(table.get("reason", "").split()) < 4:
            raise SystemExit(f"{path.name}: an entry needs a rule and a reason: {table}")
        if program not in table.get("program", program):
            continue
        text = table.get("text", ())
        texts = (text,) if isinstance(text, str) else tuple(text)
        rules = [table["rule"]] if isinstance(table["rule"], str) else table["rule"]
        for rule in rules:
            place = (table.get("file", ""), table.get("function", ""), texts)
            entries.append(Entry(rule, table["reason"], *place))
    return entries


def hold(findings: list[Finding], entries: list[Entry], *, whole: bool = True) -> list[str]:
    """-> what is wrong, a text each: nothing where table and findings agree. `whole`: the findings
    are all there are; else an entry without one is none of our business.
    """
    used: set[tuple[Entry, str]] = set()
    problems = []
    for finding in findings:
        entry = next((entry for entry in entries if entry.accepts(finding)), None)
        if entry is None:
            problems.append(f"not in the table: {finding}")
        else:
            used |= {(entry, text) for text in entry.texts or ("",) if text in finding.text}
    for entry in entries if whole else ():
        for text in entry.texts or ("",):
            if (entry, text) not in used:
                problems.append(f"in the table, and found no more: {entry}: {text}".rstrip(": "))
    return problems
