"""What the pages promise in tables: the error texts that they quote, and "0 bytes of GC heap"."""

from __future__ import annotations

import re

import machine
import pages
import pytest

BINDING = pages.ROOT / "cmodules" / "mempool" / "mpy"
# Texts of MicroPython's own.
UPSTREAM = {"memory allocation failed, allocating 16 bytes"}


def source_texts() -> list[re.Pattern[str]]:
    """The binding's error texts as patterns: %d is a number, %s anything."""
    patterns = []
    for path in sorted(BINDING.glob("*.c")):
        for text in re.findall(r'MP_ERROR_TEXT\("((?:[^"\\]|\\.)*)"\)', path.read_text()):
            pattern = re.escape(text).replace("%d", r"-?\d+").replace("%u", r"\d+")
            patterns.append(re.compile(pattern.replace("%s", ".*")))
    return patterns


def quoted_texts(heading: str) -> list[str]:
    """The messages in the first column of the tables under a heading of docs/errors.md."""
    text = (pages.ROOT / "docs" / "errors.md").read_text()
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.M)


@pytest.mark.parametrize("heading", ["MemoryError", "ValueError"])
def test_error_texts_are_the_real_ones(heading):
    patterns = source_texts()
    assert len(patterns) > 15
    quoted = set(quoted_texts(heading)) - UPSTREAM
    assert len(quoted) >= 4
    for text in quoted:
        assert any(pattern.fullmatch(text) for pattern in patterns), f"nothing says: {text}"


def isr_in_header() -> dict[str, str]:
    """Function of mempool.h -> "yes" or "no", from the comment above it."""
    found = {}
    said = ""
    for line in (pages.ROOT / "cmodules/mempool/include/mempool.h").read_text().splitlines():
        if line.startswith("//"):
            said = (re.findall(r"ISR: (yes|no)", line) or [said])[-1]
        else:
            found |= {name: said for name in re.findall(r"\b(mempool_\w+)\(", line)}
    return found


def test_isr_column_is_the_headers():
    """docs/c-api.md and mempool.h agree on every function, and the page lists them all."""
    text = (pages.ROOT / "docs" / "c-api.md").read_text()
    page = {}
    for names, isr in re.findall(r"^\| (`mempool_.*?) \| (yes|no)", text, re.M):
        page |= {name: isr for name in re.findall(r"`(mempool_\w+)\(", names)}
    assert page == isr_in_header()


PRELUDE = """
import mempool, micropython
from array import array
full = mempool.alloc(100)
empty = mempool.Block()
owner = mempool.Owner("someone", 4096)
words = array("I", [0] * 17)
buf = bytearray(4)
handle = mempool.take(8)
spare = mempool.take(8)
pool = mempool.TINY
stale = mempool.take(8)
mempool.give(stale)
"""

# Each must run with the GC heap locked: the rows that say 0 in README.md and docs/api.md.
WITHOUT_HEAP = [
    "mempool.alloc_into(empty, 60); empty.free()",
    "mempool.alloc_into(empty, 60, critical=True, spill=True, timeout_ms=1, owner=owner)",
    "owner.alloc_into(empty, 60)",
    "full.free()",
    "full.attach(full.detach())",
    "full[0] = 1; full[-1]; len(full); bool(full); full == buf",
    "for byte in full: pass",
    "with full: pass",
    "full.capacity; full.pool; full.owner; full.handle",
    "mempool.write(full.handle, 4, buf)",
    "mempool.give(mempool.take(8)); mempool.take(600); mempool.give(stale); mempool.give(3)",
    "mempool.write(handle, 0, buf); mempool.read(handle, 0, buf); mempool.read(handle, 9, buf)",
    "owner.take(8)",
    "mempool.stats_into(words)",
    "mempool.leaks_into(words, 0)",
    "mempool.check(); mempool.reset_stats()",
    "mempool.on_pressure(print); mempool.on_pressure(None)",
    "pool.count; pool.used; pool.free; pool.peak; owner.used; owner.quota",
]
WITH_HEAP = ["mempool.alloc(8)", "mempool.stats()", "full[0:4]", "full[0:4] = buf", "pool.alloc()"]


def heap_of(statement: str) -> str:
    source = f"""{PRELUDE}
def statement():
    {statement}
result = "0"
micropython.heap_lock()
try:
    statement()
except MemoryError:
    result = "heap"
micropython.heap_unlock()
print(result)
"""
    with machine.Machine("unix") as unix:
        status, output = unix.run(source, timeout=60)
        assert status == 0, unix.traceback
    return output.decode().strip()


@pytest.mark.parametrize("statement", WITHOUT_HEAP)
def test_no_heap(statement):
    assert heap_of(statement) == "0"


@pytest.mark.parametrize("statement", WITH_HEAP)
def test_the_lock_is_seen(statement):
    """What the pages say does use the heap is refused: so the test above can fail."""
    assert heap_of(statement) == "heap"
