"""Writes docs/safety.md: what the module promises, by which technique each promise is shown, and
by which test or proof.

The sources are beside this file: promises/ (a file a part of the contract), techniques.toml,
assumptions.toml, and page.md, the page with a marker where each table goes. To write the page:

    .venv/bin/python tests/safety/safetyfile.py
"""

from __future__ import annotations

import re
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "safety.md"
MARKER = re.compile(r"^<!-- (\w+) -->$", re.M)


@dataclass(frozen=True)
class Promise:
    """One sentence of the contract. `by` are keys of techniques, `shown` names evidence."""

    number: str
    text: str
    by: tuple[str, ...]
    shown: tuple[str, ...]

    @property
    def order(self) -> tuple[int, ...]:
        return tuple(map(int, self.number.split(".")))


@dataclass(frozen=True)
class Part:
    """A file of promises: one table of the page."""

    title: str
    promises: list[Promise]


@dataclass(frozen=True)
class Technique:
    """A technique by the name of IEC 61508-3, the tables that list it, and what does it here."""

    name: str
    tables: tuple[str, ...]
    here: str


@dataclass(frozen=True)
class Assumption:
    """What is taken for granted, the files that rely on it, and what would show it broken."""

    number: str
    text: str
    where: tuple[str, ...]
    broken: str


@dataclass(frozen=True)
class Sources:
    parts: list[Part]
    techniques: dict[str, Technique]
    assumptions: list[Assumption]
    page: str = field(repr=False)

    @property
    def promises(self) -> list[Promise]:
        return [promise for part in self.parts for promise in part.promises]


def _toml(path: Path) -> dict:
    with path.open("rb") as file:
        return tomllib.load(file)


def _part(path: Path) -> Part:
    content = _toml(path)
    promises = [
        Promise(
            entry.pop("number"),
            entry.pop("text"),
            tuple(entry.pop("by")),
            tuple(entry.pop("shown")),
        )
        for entry in content["promise"]
        if not entry.keys() - {"number", "text", "by", "shown"}
    ]
    assert len(promises) == len(content["promise"]), f"{path.name}: a field that is none"
    return Part(content["title"], promises)


def load(folder: Path = HERE) -> Sources:
    return Sources(
        [_part(path) for path in sorted((folder / "promises").glob("*.toml"))],
        {
            key: Technique(entry["name"], tuple(entry["tables"]), entry["here"])
            for key, entry in _toml(folder / "techniques.toml").items()
        },
        [
            Assumption(entry["number"], entry["text"], tuple(entry["where"]), entry["broken"])
            for entry in _toml(folder / "assumptions.toml")["assumption"]
        ],
        (folder / "page.md").read_text(encoding="utf-8"),
    )


def _link(path: str) -> str:
    """A file of the repository, without the folder that nearly all are in."""
    return f"[{path.removeprefix('tests/')}](../{path})"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def shown_as(evidence: tuple[str, ...]) -> str:
    """The evidence of a promise as the page has it: each file once, as a link, and what of it."""
    files: dict[str, dict[str, list[str]]] = {}
    others = []
    for one in evidence:
        path, separator, what = one.partition("::" if "::" in one else ": ")
        if not path.startswith("tests/"):
            others.append(_other(one))
            continue
        if separator == ": ":
            what = f'"{what}"'
        name, _, case = what.partition("[")
        cases = files.setdefault(path, {}).setdefault(name, [])
        cases += [case.rstrip("]")] if case else []
    return "; ".join([f"{_link(path)}{_parts(parts)}" for path, parts in files.items()] + others)


def _parts(parts: dict[str, list[str]]) -> str:
    """What is meant of a file: functions and their cases, or the words of comments."""
    said = []
    for name, cases in parts.items():
        quoted = name if name.startswith('"') else f"`{name}`"
        said.append(quoted + (f" ({'; '.join(cases)})" if cases else ""))
    return " " + ", ".join(said) if any(parts) else ""


def _other(evidence: str) -> str:
    kind, _, name = evidence.partition(" ")
    return f"`make {name}`" if kind == "make" else f"[budget](budgets.md) {name}"


def _promises(sources: Sources) -> str:
    lines = []
    for part in sources.parts:
        lines += [f"### {part.title}", "", "| | promise | shown by | in |", "|---|---|---|---|"]
        for promise in part.promises:
            techniques = [sources.techniques[key] for key in promise.by]
            by = "; ".join(f"{one.name} ({', '.join(one.tables)})" for one in techniques)
            shown = shown_as(promise.shown)
            lines.append(
                f"| P{promise.number} | {_escaped(promise.text)} | {by} | {_escaped(shown)} |"
            )
        lines.append("")
    return "\n".join(lines).rstrip()


def _techniques(sources: Sources) -> str:
    uses = [key for promise in sources.promises for key in promise.by]
    lines = ["| technique | tables | here | promises |", "|---|---|---|---:|"]
    for key, one in sources.techniques.items():
        lines.append(f"| {one.name} | {', '.join(one.tables)} | {one.here} | {uses.count(key)} |")
    return "\n".join(lines)


def _assumptions(sources: Sources) -> str:
    lines = ["| | assumed | relied on in | what would show it broken |", "|---|---|---|---|"]
    for one in sources.assumptions:
        where = "; ".join(f"[{Path(path).name}](../{path})" for path in one.where)
        lines.append(f"| {one.number} | {_escaped(one.text)} | {where} | {_escaped(one.broken)} |")
    return "\n".join(lines)


def _figures(sources: Sources) -> str:
    """The counts that the head tells."""
    evidence = {name for promise in sources.promises for name in promise.shown}
    return (
        f"{len(sources.promises)} promises, {len(sources.techniques)} techniques, "
        f"{len(evidence)} tests, proofs and budgets, {len(sources.assumptions)} assumptions."
    )


TABLES = {
    "figures": _figures,
    "techniques": _techniques,
    "promises": _promises,
    "assumptions": _assumptions,
}


def render(sources: Sources) -> str:
    """The page."""
    return MARKER.sub(lambda marker: TABLES[marker[1]](sources), sources.page)


def main() -> int:
    sources = load()
    PAGE.write_text(render(sources), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {_figures(sources)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
