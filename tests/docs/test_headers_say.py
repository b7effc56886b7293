"""The C headers are the contract: the comment of every function says what it costs, or that it is
"the same" as the one before, and who may call it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEADERS = sorted(ROOT.glob("cmodules/*/include/*.h"))
FUNCTION = re.compile(r"^[a-z][\w *]*\b((?:mempool|eventbus)_\w+)\(")


def comments(text: str) -> dict[str, str]:
    """Function -> the comment above it, or above the functions that it stands together with."""
    found: dict[str, str] = {}
    comment = ""
    function_before = False
    for line in text.splitlines():
        if line.startswith("//"):
            comment = line if function_before else f"{comment}\n{line}"
            function_before = False
        elif match := FUNCTION.match(line):
            if not line.startswith(("typedef", "static", "#")):
                found[match[1]] = comment
                function_before = True
        elif not line.strip():
            comment, function_before = "", False
    return found


def lacking(comment: str) -> list[str]:
    lacks = [] if re.search(r"ISR: (?:yes|no)", comment) else ["ISR"]
    return lacks + ([] if re.search(r"\bO\(|\bThe same\b", comment) else ["O()"])


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: header.stem)
def test_every_function_says_its_cost_and_who_may_call_it(header):
    found = comments(header.read_text(encoding="utf-8"))
    assert found
    wrong = {name: lacking(comment) for name, comment in found.items() if lacking(comment)}
    assert not wrong


def test_what_a_comment_lacks_is_seen():
    text = "// Does it. O(1). ISR: yes.\nint mempool_a(void);\n\n// Does.\nint mempool_b(void);\n"
    assert {name: lacking(comment) for name, comment in comments(text).items()} == {
        "mempool_a": [],
        "mempool_b": ["ISR", "O()"],
    }
