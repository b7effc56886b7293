"""Reads the README and docs/: their Python examples, links, commands and names.

An example is a block fenced as ```python. One with >>> prompts is a session: what it prints must
be what stands there, `...` for what differs from run to run. One without must run to its end. The
examples of a page are one session, in order. Sessions in indented blocks count as well.
"""

from __future__ import annotations

import doctest
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
COMMENT = re.compile(r"<!--.*?-->", re.S)


@dataclass
class Example:
    """`want` is what it prints (an exception: its last line); None: anything but an exception."""

    source: str
    want: str | None
    line: int
    raises: bool = False


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def examples(page: Path) -> list[Example]:
    """The page's examples in the order of the page."""
    text = page.read_text(encoding="utf-8")
    found: list[Example] = []
    for fence in FENCE.finditer(text):
        language, body = fence.groups()
        start = _line(text, fence.start(2))
        if language == "python" and ">>>" in body:
            found += _session(body, start)
        elif language == "python":
            found.append(Example(body, None, start))
    indented = FENCE.sub(lambda fence: "\n" * fence.group().count("\n"), text)
    found += _session(indented, 1)
    return sorted(found, key=lambda example: example.line)


def _session(text: str, start: int) -> list[Example]:
    parsed = doctest.DocTestParser().get_examples(text)
    return [
        Example(one.source, one.exc_msg or one.want, start + one.lineno, bool(one.exc_msg))
        for one in parsed
    ]


def prose(page: Path) -> str:
    """The page without comments."""
    return COMMENT.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as Git hosts make them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


def links(page: Path) -> list[str]:
    """Targets of the page's links and images."""
    text = FENCE.sub("", prose(page))
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text))
