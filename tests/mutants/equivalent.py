"""Mutants that no test can kill, each with the reason: equivalent.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

FILE = Path(__file__).resolve().parent / "equivalent.toml"


def entries() -> dict[str, tuple[str, str]]:
    """id: (the mutant in words, why it is equivalent)."""
    found: dict[str, tuple[str, str]] = {}
    for group in tomllib.loads(FILE.read_text()).get("equivalent", []):
        why = " ".join(group["why"].split())
        for line in group["mutants"]:
            id, words = line.split(" ", 1)
            if id in found:
                raise ValueError(f"{FILE.name}: {id} stands there twice")
            found[id] = (words, why)
    return found
