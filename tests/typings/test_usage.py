"""pyright reads the stubs as a user's editor does, from the wheel that `make stubs` builds: right
lines pass, wrong ones are told, and every example is right.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from editor import ROOT, TYPINGS, install, pyright

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def editor(tmp_path_factory):
    folder = tmp_path_factory.mktemp("editor")
    install(folder)
    return folder


def test_usage(editor):
    source = HERE / "usage.py.txt"
    expected = {}
    for number, line in enumerate(source.read_text().splitlines(), 1):
        if "  # wrong: " in line:
            expected[("usage.py", number)] = {line.split("  # wrong: ")[1]}
    assert len(expected) >= 15
    assert pyright(editor, [source]) == expected


def test_examples(editor):
    # A C module of a user's own has no stubs of ours.
    own = {file.parent for file in (ROOT / "examples").glob("*/micropython.mk")}
    files = [file for file in sorted((ROOT / "examples").rglob("*.py")) if file.parent not in own]
    assert len(files) >= 15
    assert pyright(editor, files) == {}


def test_a_wrong_line_in_an_example_is_found(editor):
    """The examples are judged at all: the same file with a slip is refused."""
    file = editor / "slip.py.txt"
    file.write_text((ROOT / "examples/sensor_struct.py").read_text() + "mempool.aloc(3)\n")
    lines = len(file.read_text().splitlines())
    assert pyright(editor, [file]) == {("slip.py", lines): {"reportAttributeAccessIssue"}}


def test_stubs_are_clean(editor):
    files = sorted(TYPINGS.glob("*.pyi"))
    assert len(files) == 5
    assert pyright(editor, files) == {}


def test_all_stubs_are_in_the_wheel(editor):
    packages = next((editor / ".venv/lib").glob("python3*/site-packages"))
    for file in TYPINGS.glob("*.pyi"):
        assert (packages / file.name).read_text() == file.read_text()
