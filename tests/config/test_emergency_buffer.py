"""Every firmware of ours keeps 256 bytes for the text of an exception that finds the GC heap
locked or full: MemoryError of alloc_into names its class there.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHIPS = sorted(ROOT.glob("boards/*/mpconfigboard.h"))
EMULATED = ROOT / "firmware" / "qemu" / "mpconfig.h"
SIZE = re.compile(r"^#define MICROPY_EMERGENCY_EXCEPTION_BUF_SIZE \((\d+)\)$", re.M)


@pytest.mark.parametrize("header", [*CHIPS, EMULATED], ids=lambda header: header.parent.name)
def test_it_has_256_bytes(header):
    assert SIZE.findall(header.read_text()) == ["256"]


def test_no_board_is_left_out():
    esp = [path.parent.name for path in ROOT.glob("boards/MODESP_*/mpconfigboard.cmake")]
    assert sorted(esp) == sorted(header.parent.name for header in CHIPS if "MODESP" in str(header))
