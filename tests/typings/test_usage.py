"""pyright reads the stubs as a user's editor does: right lines pass, wrong ones are told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TYPINGS = HERE.parents[1] / "typings"


def pyright(tmp_path: Path, *files: Path) -> dict[tuple[str, int], set[str]]:
    """(file, line) -> the rules that complain there, away from our sources and settings."""
    (tmp_path / "pyrightconfig.json").write_text(
        json.dumps(
            {
                "include": [file.name.removesuffix(".txt") for file in files],
                "stubPath": "typings",
                "pythonVersion": "3.11",
                "typeCheckingMode": "standard",
            }
        )
    )
    (tmp_path / "typings").symlink_to(TYPINGS)
    for file in files:
        (tmp_path / file.name.removesuffix(".txt")).write_text(file.read_text())
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    found: dict[tuple[str, int], set[str]] = {}
    report = json.loads(done.stdout)
    for one in report["generalDiagnostics"]:
        if one["severity"] == "error":
            place = (Path(one["file"]).name, one["range"]["start"]["line"] + 1)
            found.setdefault(place, set()).add(one.get("rule", one["message"]))
    assert report["summary"]["filesAnalyzed"] >= len(files)
    return found


def test_usage(tmp_path):
    source = HERE / "usage.py.txt"
    expected = {}
    for number, line in enumerate(source.read_text().splitlines(), 1):
        if "  # wrong: " in line:
            expected[("usage.py", number)] = {line.split("  # wrong: ")[1]}
    assert len(expected) >= 15
    assert pyright(tmp_path, source) == expected


def test_stubs_are_clean(tmp_path):
    files = sorted(TYPINGS.glob("*.pyi"))
    assert len(files) == 4
    assert pyright(tmp_path, *files) == {}
