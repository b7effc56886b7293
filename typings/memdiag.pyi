"""Diagnostics of the pools: who holds what, since when, how close to the edge.

Each name is loaded when it is first used. docs/memdiag.md has the formats.
"""

from collections.abc import Callable, Coroutine, Iterable, Iterator
from types import TracebackType
from typing import Any, Final, Self, overload, type_check_only

from eventbus import EventBus
from mempool import Owner
from typing_extensions import Buffer

@overload
def report() -> str:
    """The memory report as text, with units.

    MemoryError: the GC heap has no room for the text; report(sys.stdout) needs none.
    """

@overload
def report(out: Any) -> None:
    """The same into a stream, or whatever has a write(str), piece by piece.

    It needs no GC heap but for names of owners and heaps, which are left out where it has no room.
    TypeError: no write().
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

    log: called with the line instead of print(); None: no line. What it raises comes out of the
    `with`, unless the body has raised: then that does.
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
    """Microseconds; beyond 500 s whole seconds of them."""
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
    """Answers a live view over UDP while a program runs.

    host: who may ask is who reaches it, by default this machine. port: None is 18765, or on a PC
    what MEMPOOL_LIVE_PORT in the environment says. OSError: the port is taken, or the host is not
    of this machine; its text names both. ValueError, TypeError: it can be no port or host.
    """

    def __init__(self, port: int | None = None, host: str = "127.0.0.1") -> None: ...
    port: int
    answered: int
    lost: int
    def poll(self) -> int:
        """Answers what was asked, at most 4 questions -> answers. Never blocks. From a loop."""

    def close(self) -> None: ...

class Telemetry:
    """Tells a broker how the pools are: a state a period, an alert at each edge, answers to
    commands. What the broker does not take waits in pool blocks. docs/telemetry.md.

    client: `publish(topic, msg, retain, qos)` with bytes and a buffer that is good during the
    call; umqtt.simple and umqtt.robust, or any other. One in umqtt's shape is connected, listened
    to and kept alive (managed); managed=False: the program does so.

    topic: modesp/v1/TENANT/DEVICE/memory. bus: whose memory.* events become alerts; None: none.
    quota: bytes of blocks that may wait, of an Owner of its own, or of `owner`. discovery: prefix
    of Home Assistant's messages, "" for none. name: of the device there. ready() false: no attempt
    is made. on_connect(): after each connection, to subscribe to what is the program's own.
    timeout_s: the most that pump() waits for an answer. longest: bytes; a longer payload is read
    past. gc_heap=False: a state does not tell the GC heap, which takes a walk of it.

    ValueError: topic or discovery (empty, + # or NUL in it, / at an end), period_s (above 0, to
    518400), timeout_s (above 0, to 3600), quota (128 to 1 MB), longest (1 to 65536), qos (0, 1).
    TypeError: what is no such thing.
    """

    def __init__(
        self,
        client: Any,
        topic: str,
        period_s: float = 60,
        *,
        bus: EventBus | None = ...,
        quota: int = 2048,
        owner: Owner | None = None,
        qos: int = 1,
        discovery: str | None = "homeassistant",
        name: str | None = None,
        ready: Callable[[], object] | None = None,
        on_connect: Callable[[], object] | None = None,
        timeout_s: float = 1,
        longest: int = 1024,
        managed: bool | None = None,
        gc_heap: bool = True,
    ) -> None: ...
    sent: int
    """Records (states and alerts) that the broker has: publish() returned."""
    answered: int
    refused: int
    """Commands beyond the four that may wait."""

    @property
    def queued(self) -> int:
        """Records that wait."""

    @property
    def dropped(self) -> int:
        """Records that made way, and edges that made way on the bus."""

    @property
    def connected(self) -> bool: ...
    @property
    def reconnects(self) -> int: ...
    @property
    def errors(self) -> int:
        """Attempts and connections that failed; last_error says the last one."""

    @property
    def last_error(self) -> Exception | None: ...
    def tick(self) -> None:
        """sample() and pump(). TypeError: publish() is a coroutine, and run() is the way."""

    def sample(self) -> None:
        """The half that looks. It never touches the network; no GC heap in a steady state."""

    def pump(self) -> None:
        """The half that sends: one step, or one message. It may wait timeout_s for an answer, and
        may run in a thread of its own, where sample() runs in the loop."""

    async def run(self, step_ms: int = 100) -> None:
        """tick() for asyncio; a publish() that is a coroutine is awaited. Sets managed=False."""

    def command(self, payload: Buffer, size: int | None = None) -> None:
        """A request, as if it had come on the command topic. Answered by a later step."""

    def close(self) -> None:
        """Gives back every block, what waits being counted as dropped, and closes the socket.
        A later tick() does nothing, run() ends."""

SUSPECT: Final = 3
"""The level with which on_alert() hears the name of an owner that seems to leak."""

@type_check_only
class History:
    """The last samples of a Monitor, oldest first."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[tuple[int, int, int, int, int, int]]:
        """(uptime_s, used bytes, utilization in percent, level, failures, events that wait)."""

class Monitor:
    """Looks at the pools once a period. A period takes no GC heap where nothing has happened.

    low, critical: percent of a pool; None is what is configured. wdt: has feed(), called while the
    Monitor is healthy. on_alert(level, what): at edges, with LEVEL_NORMAL, LEVEL_LOW or
    LEVEL_CRITICAL and the Pool, or with SUSPECT and an owner's name. patience: periods that a
    pool may be critical, or the bus deliver nothing, before the Monitor is not healthy. window_s,
    windows: an owner whose least use of a window has risen so many times is suspected of a leak;
    buffers: names of those that grow by design. history: samples kept in a block. blackbox: saved
    every period and at each edge.

    ValueError, TypeError: an argument, by its name and limits.
    """

    period_ms: int
    level: int
    """The highest of the pools."""
    suspects: list[str]
    history: History
    samples: int
    refused: int
    """Alerts that the bus refused: each is tried again in the next period."""
    faults: int
    """Exceptions of on_alert and the others that are called: printed, and passed over."""
    broken: int
    """What mempool.check() said last."""

    def __init__(
        self,
        low: int | None = None,
        critical: int | None = None,
        period_ms: int = 1000,
        wdt: Any = None,
        bus: EventBus | None = ...,
        on_alert: Callable[[int, Any], object] | None = None,
        *,
        patience: int = 5,
        window_s: int = 60,
        windows: int = 5,
        buffers: Iterable[str] = (),
        history: int = 32,
        blackbox: BlackBox | None = None,
    ) -> None: ...
    @property
    def healthy(self) -> bool:
        """No pool critical and no bus stalled for more than `patience` periods, check() is 0."""

    @property
    def why(self) -> str:
        """Why it is not healthy: "" where it is."""

    def tick(self, now_ms: int | None = None) -> bool:
        """Takes a sample where a period is over -> whether it did.

        now_ms: the time of a simulation, instead of the clock. ValueError: it is below 0, or its
        seconds pass 32 bits; TypeError: no int.
        """

    def run(self) -> Coroutine[Any, Any, None]:
        """tick() under asyncio, until stop()."""

    def stop(self) -> None:
        """Gives back the block of the history, at the end of a tick() that is under way. The
        watchdog is not fed any more, on_alert() not called."""

class BlackBox:
    """What a program leaves to its next life, guarded by a CRC.

    store: mempool.noinit or a slice of it, or the path of a file; None is noinit, and blackbox.bin
    on a PC. ValueError: too small a store, or built without noinit. OSError: the
    file, with its errno and path.
    """

    reset_cause: str
    flags: bytearray
    """1 for each owner's number that is suspected of a leak: a Monitor sets it."""

    def __init__(self, store: Any = None) -> None: ...
    @property
    def raw(self) -> bytes:
        """The bytes that the life before has left, as they were found."""

    def read(self) -> dict[str, Any]:
        """What the life before has left, as memdiag.blackbox()."""

    def save(self, why: str | None = None, edge: bool = False) -> None:
        """Writes what there is now. why: up to 44 bytes of UTF-8, which stay until the next.

        edge: as with a `why`, some GC heap may be taken to put names in order, so that those who
        hold most have theirs whole. Without any, all else is written, and who is new since the
        last save is `owner 5`.
        """

    def close(self) -> None:
        """Closes the file."""

def blackbox(store: Any = None) -> dict[str, Any]:
    """What the life before has left: docs/memdiag.md. Of a store that is named, what is in it now.

    `state` is "valid", "missing" or "corrupt", and `why_not` says why not.
    """
