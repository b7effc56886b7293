"""What the pages promise in tables: the error texts that they quote, and "0 bytes of GC heap"."""

from __future__ import annotations

import re
from pathlib import Path

import machine
import pages
import pytest
from waiting import PATIENCE_S

MODULES = pages.ROOT / "cmodules"
BINDINGS = [MODULES / "mempool" / "mpy", MODULES / "eventbus" / "mpy"]
HEADERS = [
    MODULES / "mempool" / "include" / "mempool.h",
    MODULES / "eventbus" / "include" / "eventbus.h",
    MODULES / "eventbus" / "include" / "eventbus_cbor.h",
    MODULES / "eventbus" / "include" / "eventbus_source.h",
]
FUNCTION = r"(?:mempool|eventbus)_\w+"
# Texts of MicroPython's own.
UPSTREAM = {"memory allocation failed, allocating 16 bytes"}


def source_texts(folders: list[Path] = BINDINGS) -> list[re.Pattern[str]]:
    """The bindings' error texts as patterns: %d is a number, %s and %q anything."""
    patterns = []
    for path in [path for folder in folders for path in sorted(folder.glob("*.c"))]:
        for text in re.findall(r'MP_ERROR_TEXT\("((?:[^"\\]|\\.)*)"\)', path.read_text()):
            pattern = re.escape(text).replace("%d", r"-?\d+").replace("%u", r"\d+")
            patterns.append(re.compile(pattern.replace("%s", ".*").replace("%q", r"\w+")))
    return patterns


def quoted_texts(heading: str) -> list[str]:
    """The messages in the first column of the tables under a heading of docs/errors.md."""
    text = (pages.ROOT / "docs" / "errors.md").read_text()
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.M)


@pytest.mark.parametrize("heading", ["MemoryError", "ValueError", "TypeError"])
def test_error_texts_are_the_real_ones(heading):
    patterns = source_texts()
    assert len(patterns) > 40
    quoted = set(quoted_texts(heading)) - UPSTREAM
    assert len(quoted) >= 4
    for text in quoted:
        assert any(pattern.fullmatch(text) for pattern in patterns), f"nothing says: {text}"


def test_every_text_of_the_bus_is_explained():
    """docs/errors.md has each text that eventbus raises, or one that differs in its numbers."""
    page = (pages.ROOT / "docs" / "errors.md").read_text()
    page += (pages.ROOT / "docs" / "eventbus.md").read_text()
    quoted = re.findall(r"`([^`\n]+)`", page)
    for pattern in source_texts(BINDINGS[1:]):
        found = [text for text in quoted if pattern.fullmatch(text.split("Error: ")[-1])]
        assert found, f"nothing is said of {pattern.pattern}"


def isr_in_headers() -> dict[str, str]:
    """Function of the C headers -> "yes" or "no", from the comment above it."""
    found = {}
    for header in HEADERS:
        said = ""
        for line in header.read_text().splitlines():
            if line.startswith("//"):
                said = (re.findall(r"ISR: (yes|no)", line) or [said])[-1]
            else:
                found |= {name: said for name in re.findall(rf"\b({FUNCTION})\(", line)}
    return found


def test_isr_column_is_the_headers():
    """docs/c-api.md and the headers agree on every function, and the page lists them all."""
    text = (pages.ROOT / "docs" / "c-api.md").read_text()
    page = {}
    for names, isr in re.findall(r"^\| (`[a-z]+_.*?) \| (yes|no)", text, re.M):
        page |= {name: isr for name in re.findall(rf"`({FUNCTION})\(", names)}
    assert page == isr_in_headers()
    assert len(page) > 50 and {"yes", "no"} == set(page.values())


def test_flags_of_take_are_named():
    """docs/c-api.md knows what a take can be told."""
    text = (pages.ROOT / "docs" / "c-api.md").read_text()
    header = HEADERS[0].read_text()
    for line in re.findall(r"^// The same with .* in `flags`", header, re.M):
        for flag in re.findall(r"_[A-Z_]+", line):
            assert flag in text, flag
    assert "#define MEMPOOL_ROOM(bytes)" in header


PRELUDE = """
import mempool, micropython
from eventbus import EventBus, HIGH, LATEST, bus
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
errors = [0]
def on_error(sub, error):
    errors[0] += 1
bus.on_error = on_error
seen = [None] * 4
fields = {"value": 25, "unit": "C", "ok": True, "list": [1, 2.5, b"x"]}
half = 0.5
def reads(event):
    seen[0] = event["value"]
    seen[1] = event["unit"]
    seen[2] = event["ok"] is True and "none" not in event and event.get("none", 3) == 3
    seen[3] = event.priority + event.seq + event.time_ms
sub = bus.subscribe("read.*", reads)
other = bus.subscribe("other", print)
deaf = bus.subscribe("deaf", lambda event: None)
listener = bus.listen("listen")
newest = bus.listen("listen", 2, LATEST)
bus.publish("listen", n=1)
bus.process()
frame = bus.block(20)
kept = []
with bus.subscribe("keep", lambda event: kept.append(event.keep())):
    bus.publish("keep", n=1)
    bus.process()
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
    # The bus: what is published, read, delivered and controlled in a steady state.
    "bus.publish('read.x', value=25, unit='C', ok=True); assert bus.process() == 1",
    "bus.publish('read.x', value=-1, unit='C', ok=True, priority=HIGH); bus.process(max_ms=1)",
    "bus.publish('deaf', fields); bus.publish('deaf', value=half); bus.process()",
    "bus.publish('deaf'); bus.publish('deaf', 5, HIGH); bus.process()",
    "bus.publish('nobody.ever.named.this.topic.before', value=25)",
    "for n in range(40): bus.publish('read.x', value=n, unit='C', ok=True)",
    "bus.publish('deaf', frame); bus.process(); assert not frame",
    "bus.publish('listen', n=2); bus.process(); assert newest.get()['n'] == 2",
    "assert listener.get()['n'] == 1; listener.get(); listener.cancel()",
    "kept[0]['n']; kept[0].free()",
    "bus.pause(); bus.publish('read.x', value=1); bus.clear(); bus.resume(); bus.process()",
    "sub.cancel(); other.delivered; other.dropped; other.pattern; bus.filtered",
    "bus.filter = print; bus.filter = None; bus.on_error = None",
]
WITH_HEAP = [
    "mempool.alloc(8)",
    "mempool.stats()",
    "full[0:4]",
    "full[0:4] = buf",
    "pool.alloc()",
    "bus.subscribe('a', print)",
    "bus.listen('a')",
    "bus.block(20)",
    "bus.stats()",
    "EventBus()",
    "kept[0].keep()",
    "kept[0].raw",
    "kept[0].data",
    "kept[0].keys()",
    "bus.publish('read.x', value=1, unit='a str that is not interned', ok=1); bus.process()",
    "bus.publish('read.x', value=half, unit='C', ok=True); bus.process()",
    "bus.publish('deaf', {'a': 1})",
    "bus.publish('deaf', **fields)",
]


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
print("heap" if errors[0] else result)
"""
    with machine.Machine("unix") as unix:
        status, output = unix.run(source, timeout=PATIENCE_S)
        assert status == 0, unix.traceback
    return output.decode().strip()


@pytest.mark.parametrize("statement", WITHOUT_HEAP)
def test_no_heap(statement):
    assert heap_of(statement) == "0"


@pytest.mark.parametrize("statement", WITH_HEAP)
def test_the_lock_is_seen(statement):
    """What the pages say does use the heap is refused: so the test above can fail."""
    assert heap_of(statement) == "heap"
