"""Publish and subscribe, with events that live in blocks of the pools (docs/eventbus.md).

    from eventbus import bus, HIGH
    bus.publish("sensor.temperature.updated", value=25.5, unit="C")
    sub = bus.subscribe("sensor.*.updated", on_temperature)      # on_temperature(event)
    async for event in bus.listen("alarm.*"): ...                # in a coroutine

A topic is 1 to 63 bytes of levels joined by dots, none empty, without `*`. A pattern is a topic
where a `*` stands for one level, at the end for one or more, alone for everything.

Everything here may be called from the program, from any callback and from any thread. Interrupts
and tasks in C use eventbus.h. Where a docstring says "Allocates nothing" no byte of the GC heap is
used.
"""

from array import array
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, overload, type_check_only

# From MicroPython's own stubs. Without them these are unknown to pyright, and so is _Payload.
from _mpy_shed.time_mp import _TicksCPU, _TicksMs, _TicksUs  # pyright: ignore[reportMissingImports]
from mempool import Block
from typing_extensions import Buffer

CRITICAL: Final = 0
"""First, and may use larger classes and the reserve."""
HIGH: Final = 1
NORMAL: Final = 2
"""The default."""
LOW: Final = 3

DROP_NEWEST: Final = 0
"""A full listener keeps what it has."""
DROP_OLDEST: Final = 1
"""In a full listener the oldest makes way. The default."""
LATEST: Final = 2
"""A listener never holds more than the newest."""

# Items of containers are of these kinds again, at most 4 containers within each other.
_Payload = (
    bool
    | int
    | float
    | str
    | bytes
    | bytearray
    | list[Any]
    | tuple[Any, ...]
    | dict[str, Any]
    | _TicksMs  # ints, which those stubs keep apart from others
    | _TicksUs
    | _TicksCPU
    | None
)

class Event:
    """What a subscriber gets. The object is reused: good until the callback returns, or until its
    listener's next step; later every use is ValueError. Take the fields, or `keep()` it.

    Nothing of it can be written.
    """

    @property
    def topic(self) -> str:
        """Allocates, but for a str that the program has as a literal of up to 10 characters."""

    @property
    def priority(self) -> int:
        """CRITICAL to LOW: 0 to 3."""

    @property
    def time_ms(self) -> int:
        """time.ticks_ms() when it was published."""

    @property
    def seq(self) -> int:
        """Its number on the bus, in the order of publishing; other topics have numbers between."""

    @property
    def data(self) -> Any:
        """The whole payload as plain objects: tuples as lists. Of a Block handed over: bytes."""

    @property
    def raw(self) -> Raw:
        """Its bytes in place: CBOR, or the Block that was handed over."""

    def __getitem__(self, key: str, /) -> Any:
        """A field. KeyError: no such field; TypeError: the payload is no dict.

        Allocates nothing for small ints, bools, None, and str that the program has as literals of
        up to 10 characters.
        """

    def __contains__(self, key: str, /) -> bool: ...
    def get(self, key: str, default: Any = None, /) -> Any:
        """A field, or the default. TypeError: the payload is no dict."""

    def keys(self) -> list[str]:
        """The names of the fields. TypeError: the payload is no dict."""

    def keep(self) -> Event:
        """An Event that stays. It holds the block until free(), the end of `with`, or the GC."""

    def free(self) -> None:
        """Ends what keep() returned; again: nothing happens. Of any other Event: ValueError."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@type_check_only
class Raw:
    """The bytes of an event, read in place: a buffer that cannot be written to.

    Good as long as its Event shows the same event; then ValueError.
    """

    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    @overload
    def __getitem__(self, index: int, /) -> int: ...
    @overload
    def __getitem__(self, index: slice, /) -> Raw:
        """A window on the same bytes. A slice with a step: NotImplementedError."""

    def __iter__(self) -> Iterator[int]: ...
    def __eq__(self, other: object, /) -> bool:
        """With any buffer, byte by byte."""

    def __contains__(self, item: int | Buffer, /) -> bool:
        """A byte 0 to 255, or bytes in a row."""

    def __buffer__(self, flags: int, /) -> memoryview: ...

class Subscription:
    """What subscribe() answers. The bus keeps it, so that the program need not."""

    @property
    def pattern(self) -> str: ...
    @property
    def delivered(self) -> int:
        """Times that the callback was called."""

    @property
    def dropped(self) -> int:
        """Events for it that made way in the bus's queue, or were cleared."""

    def cancel(self) -> None:
        """Ends it; again: nothing happens. In a callback, too. Allocates nothing."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

class Listener(AsyncIterator[Event]):
    """What listen() answers: a queue of its own, for `async for`, `await`, or select and get().

    It ends by cancel(), at the end of `with`, and where the program forgets it at the next garbage
    collection. Ended, it is readable for select, and `await` is StopAsyncIteration.
    """

    @property
    def pattern(self) -> str: ...
    @property
    def delivered(self) -> int:
        """Events that were fetched."""

    @property
    def dropped(self) -> int:
        """Events that made way, in its queue or the bus's, or were cleared."""

    def get(self) -> Event | None:
        """The next event, None where none waits. Its last one is over. Allocates nothing."""

    def cancel(self) -> None:
        """Ends it and gives back what waits; again: nothing happens. Allocates nothing."""

    def __aiter__(self) -> Self: ...
    def __await__(self) -> Generator[Any, Any, Event]: ...
    async def __anext__(self) -> Event: ...
    def send(self, value: None, /) -> None:
        """A step of an awaiting task, for asyncio: ends by StopIteration with the event."""

    def throw(self, exception: BaseException, /) -> None:
        """The end of an awaiting task, for asyncio: raises the exception."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@type_check_only
class BusStats(NamedTuple):
    """What EventBus.stats() answers, since boot."""

    published: int
    """Publishes that answered True, those among them that made way later or that nobody hears."""
    delivered: int
    """Callbacks run, Python's and C's. Listeners count on their own."""
    dropped: tuple[int, int, int, int]
    """Events that made way or were cleared, by priority, CRITICAL first."""
    refused: int
    """Publishes that answered False for want of a slot, a block, or a place for the topic."""
    high_water: int
    """Most slots of the queue that were in use."""
    queue_free: int
    """Slots."""
    latency_us: tuple[int, int]
    """(longest, mean) microseconds from publish to a callback."""

class EventBus:
    """A bus. `bus` is the default one, which C reaches; others are the program's own.

    `queue` is 1 to 256 slots. The topics are common to all; subscriptions are not.
    """

    def __init__(self, queue: int = 32) -> None: ...

    filter: Callable[[str, int], object] | None
    """filter(topic, priority) is asked by each publish of Python: false stops it, and False is
    answered. What it raises is the publisher's. None: no filter."""
    on_error: Callable[[Subscription, BaseException], object] | None
    """on_error(subscription, exception) of each callback that raised. None: it is printed."""

    @property
    def filtered(self) -> int:
        """Publishes that the filter stopped."""

    @overload
    def publish(self, topic: str, data: _Payload | Block = None, priority: int = NORMAL) -> bool:
        """Queues an event -> True, or False where it was not queued: no slot (nothing of a lower
        priority could make way), no block, no place for the topic, or the filter said so.

        Never blocks, never raises for want of room. Without subscribers it is True, and takes no
        block. A Block with 16 bytes to spare (block()) is handed over: it is empty then, and where
        False is answered it still holds its bytes.

        TypeError: topic is no str, or the payload holds what events do not carry. ValueError: a
        malformed topic, an int beyond -2**64 to 2**64-1, more than 4 containers within each other,
        more than 496 bytes, a priority other than 0 to 3. Nothing is published then.

        Allocates nothing, works while the GC heap is locked.
        """

    @overload
    def publish(self, topic: str, *, priority: int = NORMAL, **fields: _Payload) -> bool:
        """The same with fields: publish(topic, value=25.5). Data and fields: TypeError."""

    def block(self, size: int, /) -> Block:
        """A Block of 1 to 496 bytes with room for the header of an event. Errors as alloc()."""

    def subscribe(
        self, pattern: str, callback: Callable[[Event], object], *, once: bool = False
    ) -> Subscription:
        """Calls `callback(event)` for each event from now on. once: ended before its first call.

        TypeError, ValueError: the pattern, or the callback. MemoryError: the table is full
        (CONFIG_MEMORY_POOL_EVENT_SUBSCRIBERS). O(topics).
        """

    def listen(self, pattern: str, depth: int = 8, policy: int = DROP_OLDEST) -> Listener:
        """A Listener that holds up to `depth` (1 to 256) events. Errors as subscribe()."""

    def process(self, max_ms: int = 2) -> int:
        """Delivers here and now, for so many milliseconds, one event at least -> callbacks run and
        listeners served. 0 where nothing waits, a delivery runs, or the bus is paused.

        KeyboardInterrupt and SystemExit of a callback come out of it. Allocates nothing itself.
        """

    def pause(self) -> None:
        """What is for Python waits until resume(). Allocates nothing."""

    def resume(self) -> None:
        """Goes on, and rings for what waits. Allocates nothing."""

    def clear(self) -> None:
        """Drops what waits in the queue, for C as well: counted. Allocates nothing."""

    def stats(self) -> BusStats:
        """The counters of this bus."""

    def stats_into(self, array: array[int], /) -> None:
        """The same into an array('I') of at least 12 words: published, delivered, dropped (4),
        refused, high_water, queue_free, latency_us (2), and the events that wait.

        Allocates nothing.
        """

bus: Final[EventBus]
"""The bus that C reaches, too; its queue is CONFIG_MEMORY_POOL_EVENT_QUEUE slots."""
