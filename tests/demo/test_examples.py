"""Every small example runs to its end on every target that is built; unix has to be."""

from __future__ import annotations

import re
from pathlib import Path

import machine
import pytest
from waiting import PROGRAM_S

FOLDER = Path(__file__).resolve().parents[2] / "examples"
EXAMPLES = sorted(file for file in FOLDER.glob("*.py") if file.name != "cold_room.py")


@pytest.mark.parametrize("target", machine.BOARDS)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda file: file.stem)
def test_example(example, target):
    if target != "unix":
        try:
            machine.binary(target)
        except machine.MachineError as error:
            pytest.skip(str(error))
    status, output, traceback = machine.run_file(target, example, timeout=PROGRAM_S)
    assert status == 0, output.decode() + traceback
    assert output.strip(), "an example shows something"


def test_readme_lists_every_example():
    listed = set(re.findall(r"`(\w+\.py)`", (FOLDER / "README.md").read_text(encoding="utf-8")))
    assert listed == {file.name for file in FOLDER.glob("*.py")}
