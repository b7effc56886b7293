"""A program in parts: modules with init, update and stop, and memory of their own, with a quota.

class Fan(appmodule.Module):
    def update(self):
        with self.alloc(32) as message: ...

manager = appmodule.Manager()
manager.add(Fan("fan", quota=2048), appmodule.HIGH)
manager.init_all()
while running: manager.tick(10_000)
manager.stop_all()
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import mempool

CRITICAL: Final = 100
"""Budget of one update in microseconds, by what a module does."""
HIGH: Final = 500
STANDARD: Final = 2000
LOW: Final = 5000
BACKGROUND: Final = 10000

_M = TypeVar("_M", bound=Module)

class Module:
    """Override init(), update() and stop().

    quota: bytes of block capacity, 0 for no limit. Errors are those of mempool.Owner: the name is
    1 to 15 bytes, and a live owner of that name is shared.
    """

    owner: mempool.Owner
    """In whose name its blocks are taken."""
    name: str
    running: bool
    """Between init_all() and stop_all()."""
    budget_us: int
    """What Manager.add() gave it."""
    worst_us: int
    """The longest update so far."""
    faults: int
    """Exceptions that init, update and stop raised."""
    overruns: int
    """Updates beyond the budget."""
    returned: int
    """Bytes that it still held when it stopped."""

    def __init__(self, name: str, quota: int = 0) -> None: ...
    def init(self) -> None: ...
    def update(self) -> None: ...
    def stop(self) -> int | None:
        """Gives back what the module still holds: bytes of block capacity.

        The Manager does so after an override too.
        """

    def alloc(
        self,
        size: int,
        *,
        critical: bool = False,
        spill: bool | None = None,
        timeout_ms: int = 0,
    ) -> mempool.Block:
        """A Block from the module's quota; as mempool.alloc()."""

    def struct(self, factory: mempool.Struct) -> mempool.Structure:
        """A structure in a block from the module's quota."""

    def block(self) -> mempool.Block:
        """An empty Block for `self.owner.alloc_into()`: made once, filled often.

        The way to work without the GC heap in update(). Given back at stop, as the others.
        """

    def release(self) -> int:
        """Gives back what the module still holds: bytes. What was detached stays its holder's."""

class Manager:
    """Runs modules in the order they were added and stops them in reverse; none stops the others.

    on_report(module, what, detail) hears of every fault: what is "init", "update" or "stop"
    (detail: the exception), "overrun" (microseconds) or "returned" (bytes still held at stop).
    None prints them, of a module that keeps failing the first.
    """

    on_report: Callable[[Module, str, Any], object] | None
    modules: tuple[Module, ...]
    """In the order they were added."""

    def __init__(self, on_report: Callable[[Module, str, Any], object] | None = None) -> None: ...
    def add(self, module: _M, budget_us: int = 2000) -> _M:
        """The module, which belongs to this Manager from now on.

        ValueError: a budget below 1, a module that was added before, or two of one name.
        """

    def init_all(self) -> int:
        """Number of modules that run. One whose init() raises is reported and left out."""

    def tick(self, budget_us: int) -> int:
        """One update of every module -> microseconds left of the budget, below 0 if late.

        A module beyond its own budget, or beyond this one, is reported. Allocates nothing itself.
        """

    def stop_all(self) -> int:
        """Stops what runs, in reverse order -> bytes that the modules still held."""
