"""A generated part of a document: what stands between two marker lines is written by a tool."""

from __future__ import annotations

from pathlib import Path


class MarkerError(Exception):
    """A document lacks the markers of a part, or has them twice."""


def _lines(name: str) -> tuple[str, str]:
    return f"<!-- {name}:begin -->", f"<!-- {name}:end -->"


def part(path: Path, name: str) -> str:
    """The text between the markers, without the blank lines at its ends."""
    begin, end = _lines(name)
    text = path.read_text(encoding="utf-8")
    if text.count(begin) != 1 or text.count(end) != 1:
        raise MarkerError(f"{path.name}: needs the lines {begin} and {end} once each")
    return text.partition(begin)[2].partition(end)[0].strip()


def update(path: Path, name: str, content: str) -> bool:
    """Write the text between the markers. -> whether the document changed."""
    part(path, name)  # raises where the markers are not as they must be
    begin, end = _lines(name)
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    new = f"{before}{begin}\n\n{content.strip()}\n\n{end}{after}"
    if new != text:
        path.write_text(new, encoding="utf-8")
    return new != text
