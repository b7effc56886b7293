"""Memory in fixed blocks that cannot fragment: 32, 64, 128, 256 and 512 bytes.

A block is taken and given back in a constant number of instructions, whatever is in use, and never
by way of the GC heap. Two ways to hold one:

- `alloc()` answers a `Block`, a Python object over the block: the normal way.
- `take()` answers a handle, a small int: for interrupts, callbacks and loops that must not
  allocate. The functions with handles never raise for what a handle or a size is, but return a
  negative code.

Where a docstring says "Allocates nothing" no byte of the GC heap is used.
"""

from array import array
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import (
    Any,
    Final,
    NamedTuple,
    Self,
    overload,
    type_check_only,
)

from typing_extensions import Buffer

E_EXHAUSTED: Final = -1
"""No block is free in the class that serves the size."""
E_SIZE: Final = -2
"""The size is below 1 or above the largest class (512 bytes)."""
E_QUOTA: Final = -3
"""The owner's quota does not allow it."""
E_STALE: Final = -4
"""The block was given back since, or is free: a late or a double use."""
E_FOREIGN: Final = -5
"""Never was a handle of ours, or its block is owned by C."""
E_RANGE: Final = -6
"""Offset or length beyond the size that was asked for."""

LEVEL_NORMAL: Final = 0
LEVEL_LOW: Final = 1
"""CONFIG_MEMORY_POOL_LOW_THRESHOLD percent of a pool are in use."""
LEVEL_CRITICAL: Final = 2
"""CONFIG_MEMORY_POOL_CRITICAL_THRESHOLD percent are in use, or any block of the reserve."""

@type_check_only
class Stats(NamedTuple):
    """What stats() answers: of all pools, or of one. The order is that of stats_into().

    Without DIAGNOSTICS peaks and counts are 0.
    """

    capacity: int
    """Bytes."""
    used: int
    """Bytes of the blocks in use, whatever was asked for."""
    free: int
    """Bytes; used + free == capacity."""
    peak: int
    """Bytes; of all pools: the sum of the pools' own peaks."""
    utilization: int
    """Percent of the capacity in use."""
    allocs: int
    """Blocks taken since boot or reset_stats()."""
    frees: int
    """Blocks given back."""
    failures: int
    """Requests that found no block."""
    spills: int
    """Requests that a larger class served."""
    reclaimed: int
    """Blocks that nobody gave back: the GC or a soft reset did. In a correct program 0."""
    refused: int
    """Stale, double or foreign uses. In a correct program 0."""
    denied: int
    """Requests beyond a quota."""
    heap_used: int
    """Bytes that the heap serves (ALLOW_HEAP_FALLBACK)."""
    requested: int
    """Bytes that the holders of the blocks in use asked for; 0 without DIAGNOSTICS."""
    waste: int
    """Bytes: used - requested. External fragmentation does not exist; this is what does."""
    largest_free: int
    """Bytes: the largest block that a request without `critical` would get now."""
    level: int
    """LEVEL_NORMAL, LEVEL_LOW or LEVEL_CRITICAL; of all pools: the highest."""

class Block:
    """A block of a pool, and the bytes in it.

    `Block()` is empty, ready for `alloc_into()`. It is a buffer for struct, readinto, write,
    sockets and uctypes; a memoryview of it is read-only, a slice `b[4:8]` is a window that can
    be written.

    Give it back by `free()` or `with`. One that is dropped instead comes back at the next garbage
    collection, counted in `stats().reclaimed`: a safety net, not the way.
    """

    def __init__(self) -> None:
        """An empty Block: bool() is False, and what asks for its bytes is ValueError."""

    @property
    def capacity(self) -> int:
        """Bytes of the block; len() is what was asked for. Empty or freed: ValueError."""

    @property
    def pool(self) -> Pool | None:
        """The pool it is of; None where the heap served it. Empty or freed: ValueError."""

    @property
    def owner(self) -> Owner | None:
        """In whose name it was taken, None: in nobody's. Empty or freed: ValueError."""

    @property
    def handle(self) -> int:
        """Its handle, which stays the Block's. Empty or freed: ValueError."""

    def free(self) -> None:
        """Gives the block back. Again, or on an empty Block: nothing happens. A view: ValueError.

        Allocates nothing. Constant time. Every later use of the Block and its views is ValueError.
        """

    def detach(self) -> int:
        """Gives up ownership: the Block is empty, and the handle belongs to who gets it.

        Empty: ValueError. Allocates nothing.
        """

    def attach(self, handle: int, /) -> None:
        """Takes over the block of a handle. Allocates nothing.

        ValueError: the handle is stale, foreign or held by another Block, or this Block is full.
        """

    def __bool__(self) -> bool: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: int, /) -> int: ...
    @overload
    def __getitem__(self, index: slice, /) -> Block:
        """A view: a Block that is a window on this one, without a copy.

        It keeps this Block alive, and is ValueError once this was freed.
        """

    def __setitem__(self, index: int | slice, value: int | Buffer, /) -> None:
        """A byte 0 to 255, or a slice from a buffer of the same length (else ValueError).

        A slice with a step is NotImplementedError.
        """

    def __iter__(self) -> Iterator[int]: ...
    def __eq__(self, other: object, /) -> bool:
        """With any buffer, byte by byte; never equal to a str. Freed: ValueError."""

    def __contains__(self, item: int | Buffer, /) -> bool:
        """A byte 0 to 255, or bytes in a row."""

    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@type_check_only
class Pool:
    """One of the five pools. Its numbers are of now: print it again to see it change."""

    @property
    def name(self) -> str: ...
    @property
    def block_size(self) -> int:
        """Bytes."""

    @property
    def count(self) -> int:
        """Blocks, the reserve among them."""

    @property
    def used(self) -> int:
        """Blocks."""

    @property
    def free(self) -> int:
        """Blocks; used + free == count."""

    @property
    def peak(self) -> int:
        """Blocks: the most that were in use since boot or reset_stats()."""

    def alloc(self) -> Block:
        """A Block of the full size, of this pool and no other. MemoryError: exhausted."""

    def stats(self) -> Stats:
        """As mempool.stats(), of this pool: bytes and counts."""

TINY: Final[Pool]
"""Blocks of 32 bytes."""
SMALL: Final[Pool]
"""Blocks of 64 bytes."""
MEDIUM: Final[Pool]
"""Blocks of 128 bytes."""
LARGE: Final[Pool]
"""Blocks of 256 bytes."""
XLARGE: Final[Pool]
"""Blocks of 512 bytes."""

def pools() -> tuple[Pool, ...]:
    """The five pools, smallest first."""

def grow(pool: Pool, blocks: int, /) -> int:
    """Adds blocks to a pool -> blocks; all, or none and an error. Not the GC heap's memory.

    ValueError beyond CONFIG_MEMORY_POOL_GROW_BLOCKS, or in more than four pieces; MemoryError
    where there is no memory for them.
    """

def shrink(pool: Pool, /) -> int:
    """Removes what grow() added last -> blocks; 0 while one of them is in use."""

@type_check_only
class Heap(NamedTuple):
    """One heap beside the pools, in bytes."""

    name: str
    total: int
    free: int
    largest: int
    minimum_ever: int

def heaps() -> tuple[Heap, ...]:
    """IDF's heaps by capability on ESP32, and the GC heap ("gc"), the last."""

def heaps_into(array: array[int], /) -> int:
    """The same without the names into an array('I'), 4 words a heap -> heaps. Allocates nothing.

    ValueError: the array is too short.
    """

def uptime_s() -> int:
    """Seconds since boot, on a PC since the first import. It does not wrap."""

class Owner:
    """A name that blocks are taken in, with a quota: who holds what, and no more than that.

    `name` is 1 to 15 bytes, `quota` is in bytes of block capacity, 0 for no limit. The name of a
    live owner answers that owner, with this quota. MemoryError: the table is full
    (CONFIG_MEMORY_POOL_OWNERS).
    """

    def __init__(self, name: str, quota: int = 0) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def number(self) -> int:
        """What leaks_into() and map_into() call it: 1 to 31."""

    @property
    def quota(self) -> int:
        """Bytes; 0: no limit."""

    @property
    def used(self) -> int:
        """Bytes of block capacity."""

    @property
    def peak(self) -> int:
        """Bytes: the most that were in use since boot or reset_stats()."""

    @property
    def denied(self) -> int:
        """Requests that the quota refused."""

    def alloc(
        self,
        size: int,
        *,
        critical: bool = False,
        spill: bool | None = None,
        timeout_ms: int = 0,
    ) -> Block:
        """As mempool.alloc(), in this name. Beyond the quota: MemoryError that names the owner."""

    def alloc_into(
        self,
        block: Block,
        /,
        size: int,
        *,
        critical: bool = False,
        spill: bool | None = None,
        timeout_ms: int = 0,
    ) -> None:
        """As mempool.alloc_into(), in this name. Allocates nothing."""

    def take(self, size: int, /) -> int:
        """As mempool.take(), in this name. Allocates nothing."""

@type_check_only
class Structure:
    """A structure in a block of its own: its fields are the attributes that the layout names.

    Checked at every access: after it was freed, ValueError. Arrays and nested structures are
    uctypes' own objects, which are not checked any more (docs/errors.md). A field that the layout
    calls `free` or `owner` wins over the name here. It is a buffer, as a Block is.
    """

    @property
    def capacity(self) -> int:
        """Bytes of the block."""

    @property
    def pool(self) -> Pool | None:
        """The pool it is of."""

    @property
    def owner(self) -> Owner | None:
        """In whose name it was taken."""

    @property
    def handle(self) -> int:
        """Its block's handle."""

    def free(self) -> None:
        """Gives the block back. Again: nothing happens."""

    def detach(self) -> int:
        """Gives up ownership of the block: its handle."""

    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __getattr__(self, name: str, /) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

class Struct:
    """A factory of structures with a layout of uctypes: `T = Struct({...})`, `s = T()`.

    layout_type is uctypes.NATIVE (2), LITTLE_ENDIAN (0) or BIG_ENDIAN (1). The layout is copied.
    ValueError: larger than the largest block, or no bytes at all.
    """

    def __init__(self, layout: dict[str, Any], layout_type: int = 2, /) -> None: ...
    def __call__(
        self,
        *,
        critical: bool = False,
        spill: bool | None = None,
        timeout_ms: int = 0,
        owner: Owner | None = None,
    ) -> Structure:
        """A structure in a block of its own, all bytes 0; arguments and errors as alloc()."""

def alloc(
    size: int,
    *,
    critical: bool = False,
    spill: bool | None = None,
    timeout_ms: int = 0,
    owner: Owner | None = None,
) -> Block:
    """A Block of `size` bytes (1 to 512) of the smallest class that holds it.

    critical: the reserve may serve it. spill: larger classes may (None: as Kconfig says).
    timeout_ms: waits so long for a block, other threads and callbacks running; in a callback 0.

    ValueError: the size is below 1 or too large. MemoryError: exhausted, its text names the class;
    or beyond the owner's quota. The Block object itself is on the GC heap: where that must not
    happen, alloc_into() or take().
    """

def alloc_into(
    block: Block,
    /,
    size: int,
    *,
    critical: bool = False,
    spill: bool | None = None,
    timeout_ms: int = 0,
    owner: Owner | None = None,
) -> None:
    """As alloc(), into an empty Block. Allocates nothing, works while the GC heap is locked.

    A Block that holds something: ValueError.
    """

def take(size: int, /) -> int:
    """A handle of a block of `size` bytes, or E_EXHAUSTED, E_SIZE, E_QUOTA.

    Never spills, never uses the reserve. Allocates nothing. Constant time. For interrupts.
    """

def give(handle: int, /) -> int:
    """Gives back the block of a handle: 0, or E_STALE, E_FOREIGN.

    Allocates nothing. Constant time. For interrupts.
    """

def write(handle: int, offset: int, buf: Buffer, /) -> int:
    """Copies a buffer into a block: bytes copied, or E_STALE, E_FOREIGN, E_RANGE (nothing copied).

    Allocates nothing. For interrupts.
    """

def read(handle: int, offset: int, buf: Buffer, /) -> int:
    """Fills a writable buffer from a block: bytes copied, or E_STALE, E_FOREIGN, E_RANGE.

    Allocates nothing. For interrupts.
    """

def stats() -> Stats:
    """The statistics of all pools."""

def stats_into(array: array[int], pool: Pool | None = None, /) -> None:
    """The same, or of one pool, into an array('I') of at least 17 words.

    Allocates nothing. For interrupts.
    """

def map_into(pool: Pool, buf: Buffer, /) -> int:
    """What each block of a pool is, a byte each, as many as fit -> bytes written.

    0: free, 1: in use, nobody's, 1 + n: of the owner whose `number` is n. Allocates nothing.
    """

def reset_stats() -> None:
    """Counts start at 0 and peaks at what is in use now; what is in use stays."""

def owners() -> tuple[Owner, ...]:
    """The live owners."""

def owners_into(array: array[int], /) -> int:
    """The same into an array('I'), 8 words an entry: used, quota, peak, denied, 16 bytes of name.

    Entry 0 is of the blocks that nobody owns, entry n of the owner with number n; all zeros where
    none lives. As many as fit -> entries written. Allocates nothing.
    """

def leaks(min_age_ms: int = 60000) -> list[tuple[int, Owner | None, int, int]]:
    """The blocks held for so long: (handle, owner, size in bytes, age in ms), oldest first.

    NotImplementedError: built without DIAGNOSTICS.
    """

def leaks_into(array: array[int], min_age_ms: int = 60000) -> int:
    """The same into an array('I'), 4 words an entry (handle, number of the owner or 0, size, age).

    As many as fit -> entries written. Allocates nothing.
    """

def check() -> int:
    """Broken invariants of the pools: 0 is health."""

def on_pressure(callback: Callable[[int, Pool], object] | None, /) -> None:
    """`callback(level, pool)` at each edge between LEVEL_NORMAL, LEVEL_LOW and LEVEL_CRITICAL.

    Run by the scheduler, as micropython.schedule() does. None removes it.
    """

def trace(n: int | None = None) -> list[tuple[str, int, int, Owner | None, int]]:
    """The last n operations, oldest first: (what, handle, size, owner, ticks).

    what: "take", "give", "reclaim" (a safety net gave it back), "fail" (the handle is the code),
    "refuse" (stale, double or foreign) or "poison" (was written to while it was free).

    NotImplementedError: built without TRACE_ALLOCATIONS.
    """

def trace_into(array: array[int], /) -> int:
    """The last 32 operations into an array('I'), oldest first, 2 words an entry.

    The handle, or the code of a failure; and what (3 bits, 1 to 6 in the order above), number of
    the owner (5), size (10, saturates), age in units of 10 ms (14, saturates). As many as fit ->
    entries written. Allocates nothing.

    NotImplementedError: built without TRACE_ALLOCATIONS.
    """

@type_check_only
class Noinit:
    """Bytes that a reset leaves alone. A slice is a window on them; nothing frees them."""

    @property
    def valid(self) -> bool:
        """The content is what was written last, in this life or the one before, by its CRC."""

    @property
    def reset_cause(self) -> str:
        """Why the machine started: "power-on", "software", "panic", "task watchdog" ..."""

    def __bool__(self) -> bool: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: int, /) -> int: ...
    @overload
    def __getitem__(self, index: slice, /) -> Noinit: ...
    def __setitem__(self, index: int | slice, value: int | Buffer, /) -> None:
        """A byte 0 to 255, or a slice from a buffer of the same length (else ValueError)."""

    def __iter__(self) -> Iterator[int]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __contains__(self, item: int | Buffer, /) -> bool: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...

noinit: Noinit

def benchmark() -> list[Cost]:
    """What each operation costs on this machine, by its own clock."""

@type_check_only
class Cost(NamedTuple):
    """A line of benchmark()."""

    operation: str
    """take, give, give_stale (a refusal), stats; gc_alloc and gc_free of 32 bytes to compare."""
    unit: str
    """ "cycles", or "ns" where there is no cycle counter."""
    min: int
    median: int
    max: int
