"""Diagnostics of the pools: who holds what, since when, how close to the edge.

Each name is loaded when it is first used. docs/memdiag.md has the formats.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, overload

@overload
def report() -> str:
    """The memory report as text, with units.

    MemoryError: the GC heap has no room for the text; report(sys.stdout) needs none.
    """

@overload
def report(out: Any) -> None:
    """The same into a stream, or whatever has a write(str), piece by piece.

    It needs no GC heap but for names of owners and heaps, which are left out where it has no room.
    """

def snapshot() -> dict[str, Any]:
    """Everything as one dict of plain values: docs/memdiag.md lists it."""

def to_json() -> str:
    """snapshot() as JSON."""

def leaks(min_age_ms: int = 60000) -> list[tuple[int, str | None, int, int]]:
    """The blocks held for so long: (handle, owner's name, bytes, age in ms), oldest first."""

def map() -> str:
    """A line a pool, a character a block: "." free, "#" nobody's, a letter its owner's."""

def benchmark() -> str:
    """What each operation costs on this machine, a line an operation, with its unit."""

class track:
    """What a piece of a program takes and holds on to: `with track("name"): ...` prints a line.

    log: called with the line instead of print(); None: no line.
    """

    def __init__(self, name: str, log: Callable[[str], object] | None = ...) -> None: ...
    name: str
    blocks: int
    """Blocks more in use than before; below 0: fewer."""
    bytes: int
    """Bytes of block capacity."""
    gc_bytes: int
    """Bytes of the GC heap; below 0 after a collection."""
    time_us: int
    """Microseconds."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

def answer(request: str | bytes) -> str:
    """JSON for a question from outside: what it knows is in docs/memdiag.md. It raises nothing."""

def stream(period_ms: int = 1000, count: int | None = None) -> None:
    """Prints what a live view shows, a line a period (RFC 7464): 0x1e, JSON, newline.

    It ends after `count` lines, or by "q" or Ctrl-C at the console; "r" resets the
    statistics. ValueError: period_ms below 10.
    """

class Responder:
    """Answers a live view over UDP while a program runs. OSError: the port is taken.

    host: who may ask is who reaches it, by default this machine. port: None is 18765, or on a PC
    what MEMPOOL_LIVE_PORT in the environment says.
    """

    def __init__(self, port: int | None = None, host: str = "127.0.0.1") -> None: ...
    port: int
    answered: int
    lost: int
    def poll(self) -> int:
        """Answers what was asked, at most 4 questions -> answers. Never blocks. From a loop."""

    def close(self) -> None: ...
