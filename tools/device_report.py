"""What a run of the on-device suite found: lines while it runs, and build/device/REPORT.md and
.json, which a user can attach to an issue.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

OK, FAIL, NOT_HERE, NOT_RUN = "ok", "FAIL", "not on this board", "not run"


@dataclass
class Result:
    name: str
    verdict: str
    reason: str = ""  # one line, but for "ok"
    seconds: float = 0.0
    details: str = ""  # what it printed, where it failed


@dataclass
class Report:
    port: str
    board: dict[str, Any] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)  # of the parts that measure
    cycles: list[Any] = field(default_factory=list)
    started: str = field(default_factory=lambda: time.strftime("%Y-%m-%d %H:%M:%S"))
    ended: str = ""  # why it ended early

    def add(self, result: Result) -> None:
        self.results.append(result)
        reason = f": {result.reason}" if result.reason else ""
        print(f"{result.verdict:<17} {result.name} {result.seconds:.1f} s{reason}", flush=True)
        if result.details:
            print(
                "\n".join("    " + line for line in result.details.splitlines()[-20:]), flush=True
            )

    def count(self, verdict: str) -> int:
        return sum(result.verdict == verdict for result in self.results)

    @property
    def passed(self) -> bool:
        return not (self.ended or self.count(FAIL) or self.count(NOT_RUN)) and self.count(OK) > 0

    def summary(self) -> str:
        counts = [(self.count(verdict), verdict) for verdict in (OK, FAIL, NOT_HERE, NOT_RUN)]
        return ", ".join(f"{number} {verdict}" for number, verdict in counts if number)

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        data = asdict(self) | {"summary": self.summary(), "passed": self.passed}
        (folder / "REPORT.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        path = folder / "REPORT.md"
        path.write_text(self.markdown(), encoding="utf-8")
        return path

    def markdown(self) -> str:
        name = self.board.get("board", "a board")
        verdict = "passed" if self.passed else "FAILED"
        lines = [
            f"# mempool on {name}: {verdict}",
            "",
            f"{self.summary()}; {self.started}, `make test-device PORT={self.port}`.",
            "",
        ]
        if self.ended:
            lines += [f"It ended early: {self.ended}.", ""]
        shown = ("machine", "micropython", "build", "platform", "freq_hz", "reset_cause", "heap")
        rows = [[key, self.board[key]] for key in shown if key in self.board]
        lines += ["## The board", "", *table(["", ""], rows), ""]
        failed = [result for result in self.results if result.details]
        for result in failed:
            lines += [f"## {result.name}", "", "```", result.details.rstrip(), "```", ""]
        rows = [[one.name, one.verdict, f"{one.seconds:.1f}", one.reason] for one in self.results]
        lines += ["## Tests", "", *table(["test", "", "s", ""], rows), ""]
        if self.cycles:
            unit, *measured = self.cycles
            head = [f"{unit} (`mempool.benchmark()`)", "min", "median", "max"]
            lines += ["## Cost of an operation", "", *table(head, measured), ""]
        if self.figures:
            lines += ["## Figures", "", *table(["", ""], [*self.figures.items()]), ""]
        if stats := self.board.get("stats"):
            lines += ["## mempool.stats()", "", *table(["", ""], [*stats.items()]), ""]
        if heaps := self.board.get("heaps"):
            head = ["heap", "total", "free", "largest", "least ever"]
            lines += ["## mempool.heaps()", "", *table(head, heaps), ""]
        if settings := self.board.get("boardcfg"):
            lines += ["## boardcfg", "", "```", *(f"{k}={v}" for k, v in settings), "```", ""]
        return "\n".join(lines)


def table(head: list[str], rows: list[Any]) -> list[str]:
    def line(cells: Any) -> str:
        return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |"

    return [line(head), "|" + "---|" * len(head), *map(line, rows)]
