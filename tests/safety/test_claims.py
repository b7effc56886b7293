"""No page, stub or header claims compliance with a standard or a certification: where such a word
stands, its sentence says no.
"""

from __future__ import annotations

import re

import pytest
import safetyfile

CLAIM = re.compile(r"complian|complies|certified|certification|\bSIL ?[1-4]\b", re.I)
NO = re.compile(r"\b(?:not|no|nobody|never|nothing)\b", re.I)
FOLDERS = ("docs", "cmodules", "modules", "typings", "boards", "firmware", "examples", "tools")
KINDS = {".md", ".py", ".pyi", ".h", ".hpp", ".c", ".toml"}


def pages() -> list:
    found = [safetyfile.ROOT / "README.md", safetyfile.ROOT / "CHANGELOG.md"]
    for folder in FOLDERS:
        files = (safetyfile.ROOT / folder).rglob("*")
        found += [file for file in files if file.suffix in KINDS]
    return sorted(found)


def claims(text: str) -> list[str]:
    """The sentences that claim."""
    words = " ".join(text.split())
    sentences = re.split(r"(?<=[.:;|]) ", words)
    return [one for one in sentences if CLAIM.search(one) and not NO.search(one)]


def test_no_page_claims_it():
    found = {str(file): claims(file.read_text(encoding="utf-8")) for file in pages()}
    assert not {file: said for file, said in found.items() if said}


@pytest.mark.parametrize(
    ("text", "claimed"),
    [
        ("The module is compliant with IEC 61508.", True),
        ("It is certified.", True),
        ("Made for\nSIL 2 systems.", True),
        ("It is not compliant. It claims techniques.", False),
        ("Nobody certified it.", False),
    ],
)
def test_a_claim_is_seen(text, claimed):
    assert bool(claims(text)) == claimed
