"""Pools in which a few blocks are held, and the calls made of them: what the tests of calls
that meet share.
"""

from __future__ import annotations

import dataclasses

import corebuild as build
from meets import MeetingCore
from modelparts import (
    CRITICAL,
    EXHAUSTED,
    OK,
    PYTHON,
    QUOTA,
    RECLAIM,
    SPILL,
    join,
)

# TINY is where they meet: three blocks, of which two are taken; MEDIUM has an edge of leaves.
MEETS = build.Config("meets", counts=(3, 2, 34, 2, 2), owners=2, trace=4, low=50, critical=60)
CONFIGS = [
    MEETS,
    dataclasses.replace(MEETS, name="meets-poison", poison=True, reserve=1),
    dataclasses.replace(
        MEETS, name="meets-minimum", diagnostics=False, owners=0, trace=0, reserve=1
    ),
    dataclasses.replace(MEETS, name="meets-summary", counts=(3, 2, 130, 2, 2), trace=0),
    dataclasses.replace(MEETS, name="meets-growing", grow=33, arena=4096, poison=True),
]
POISON, SUMMARY, GROWING = CONFIGS[1], CONFIGS[3], CONFIGS[4]
HEAP = dataclasses.replace(MEETS, name="meets-heap", heap=True)


class Meeting:
    """Pools in which a few blocks are held, and the calls that are made of them."""

    def __init__(self, config: build.Config):
        self.core = MeetingCore(config).fresh()
        self.lib, self.ffi = self.core.lib, self.core.ffi
        self.owner = self.core.owner_open(b"own", 64) if config.owners else 0
        self.hook = self.ffi.callback("void(void)", lambda: None)
        self.held: list[int] = []  # handles
        self.taken: set[int] = set()
        self.given: list[int] = []

    def took(self, handle: int) -> int:
        if handle > 0:
            assert handle not in self.taken, "a handle that was held before"
            self.taken.add(handle)
        else:
            assert handle in (EXHAUSTED, QUOTA)
        return handle

    def gave(self, handle: int, status: int) -> int:
        if status == OK:
            self.given.append(handle)
        return status

    # -- calls --

    def take(self) -> int:
        return self.took(self.lib.mempool_take(32, 0))

    def take_owned(self) -> int:
        return self.took(self.lib.mempool_take(32, self.owner))

    def take_any(self) -> int:
        return self.took(self.lib.mempool_take_flags(32, 0, SPILL | PYTHON))

    def take_critical(self) -> int:
        return self.took(self.lib.mempool_take_flags(32, 0, CRITICAL))

    def alloc(self) -> int:
        address = self.core.alloc(32)
        return self.took(self.core.handle_of(address)) if address else EXHAUSTED

    def give(self) -> int:
        return self.gave(self.held[0], self.lib.mempool_give(self.held[0]))

    def give_other(self) -> int:
        return self.gave(self.held[1], self.lib.mempool_give(self.held[1]))

    def give_flags(self) -> int:
        return self.gave(self.held[0], self.lib.mempool_give_flags(self.held[0], 0))

    def reclaim(self) -> int:
        handle = self.held[0]
        return self.gave(handle, self.lib.mempool_give_flags(handle, PYTHON | RECLAIM))

    def give_and_take(self) -> int:
        self.give()
        return self.take()

    def give_other_and_take(self) -> int:
        self.give_other()
        return self.take()

    def churn(self) -> int:
        """All that is held goes and comes back: every block is of another generation."""
        for handle in self.held:
            self.gave(handle, self.lib.mempool_give(handle))
        for handle in [self.take() for _ in range(3)]:
            if handle > 0:
                self.gave(handle, self.lib.mempool_give(handle))
        return OK

    def free(self) -> int:
        address = self.core.data(self.held[0])
        # Between the two another may have it: then it is the other's, and is freed all the same.
        handle = self.core.handle_of(address) if address else 0
        if handle != self.held[0]:
            return OK
        return self.gave(handle, self.core.free(address))

    def adopt(self) -> int:
        return self.lib.mempool_adopt(self.held[0], PYTHON)

    def adopt_for_c(self) -> int:
        return self.lib.mempool_adopt(self.held[0], 0)

    def write(self) -> int:
        return self.core.write(self.held[0], 1, b"abc")

    def stale(self) -> int:
        return self.lib.mempool_give(join((1 << 17) - 1, 0, 0))

    def stats(self) -> None:
        for stats in (self.core.stats(), self.core.stats(0), self.core.stats(2)):
            assert stats["used"] + stats["free"] == stats["capacity"]
            assert stats["used"] <= stats["peak"] or not self.core.config.diagnostics
            assert stats["frees"] <= stats["allocs"] + len(self.taken)
            assert stats["requested"] + stats["waste"] in (stats["used"], 0)
            assert stats["requested"] <= stats["used"] <= stats["capacity"]

    def reset(self) -> None:
        self.lib.mempool_reset_stats()

    def leaks(self) -> None:
        for handle, owner, size, _ in self.core.leaks(0, 8):
            assert handle in self.taken or handle not in self.held
            assert owner <= 2 and 1 <= size <= 512

    def map(self) -> None:
        out = self.ffi.new("uint8_t[]", 40)
        for pool, count in ((0, 3), (2, 40)):
            shown = self.lib.mempool_map(pool, out, count)
            assert shown <= count and all(entry <= 3 for entry in out[0:shown])

    def check(self) -> int:
        return self.lib.mempool_check()

    def trace(self) -> None:
        for what, handle, size, owner, _ in self.core.trace(4):
            assert 1 <= what <= 6 and size <= 512 and owner <= 2
            assert what != 1 or handle in self.taken

    def next(self) -> None:
        pool = self.ffi.new("unsigned *")
        level = self.ffi.new("mempool_level_t *")
        if self.lib.mempool_pressure_next(pool, level):
            assert pool[0] < 5 and level[0] <= 2

    def look(self) -> None:
        self.lib.mempool_pressure_look()

    def set_hook(self) -> None:
        self.lib.mempool_set_pressure_hook(self.hook)

    def quota(self) -> None:
        self.core.owner_open(b"own", 96)

    def owner_info(self) -> None:
        info = self.core.owner_info(self.owner)
        assert isinstance(info, int) or 0 <= info[2] <= 64

    def unowned(self) -> int:
        return self.lib.mempool_unowned()

    def all_of_medium(self) -> int:
        """The last blocks of a pool of several leaves, one of them by one who is quicker."""
        return self.took(self.lib.mempool_take_flags(128, 0, CRITICAL))

    def give_and_take_medium(self) -> int:
        self.give_medium()
        return self.all_of_medium()

    def give_medium(self) -> int:
        handle = self.held[-1]
        return self.gave(handle, self.lib.mempool_give(handle))

    def grow(self) -> int:
        return self.lib.mempool_grow(0, 1)

    def shrink(self) -> int:
        return self.lib.mempool_shrink(0)

    # -- before and after --

    def ready(self) -> None:
        """Two blocks of TINY are held, one of them by Python, and all but two of MEDIUM."""
        assert self.lib.mempool_check() == 0
        self.taken, self.given = set(), []
        # The smallest request: where C adopts it, it is counted as one byte larger.
        self.held = [self.took(self.lib.mempool_take_flags(1, 0, PYTHON)), self.take_owned()]
        if self.core.config.reserve:  # two of three are taken, and the third is the reserve's
            self.held[1] = self.held[1] if self.held[1] > 0 else self.take_critical()
        medium = self.core.config.counts[2] - 2
        self.held += [self.all_of_medium() for _ in range(medium)]
        assert all(handle > 0 for handle in self.held)

    def settle(self) -> None:
        """Every handle that was taken is given back once, and then nothing is left."""
        assert len(self.given) == len(set(self.given)), "a block was given back twice"
        assert self.lib.mempool_check() == 0
        for handle in self.taken - set(self.given):
            assert self.lib.mempool_give(handle) == OK, "a block was lost"
        self.core.edges()
        while self.core.config.grow and self.lib.mempool_shrink(0) > 0:
            pass
        assert self.core.stats()["used"] == 0
        assert self.lib.mempool_check() == 0


CALLS = """take take_owned take_any take_critical alloc give give_flags reclaim free adopt
adopt_for_c write stale stats reset leaks map check trace next look set_hook quota owner_info
unowned all_of_medium give_medium""".split()
OTHERS = """take take_critical give give_other give_flags give_and_take churn adopt adopt_for_c
reset next set_hook stale all_of_medium give_medium""".split()
RESIZES = ["grow", "shrink"]  # one at a time: the others wait
LOCKING = {"free", "quota", "grow", "shrink", "reset", "unowned", "owner_info"}


def calls_of(config: build.Config) -> list[str]:
    """Those that there are, and that look at anything."""
    without = set() if config.owners else {"take_owned", "quota", "owner_info"}
    without |= set() if config.diagnostics else {"reset", "leaks", "map"}
    without |= set() if config.trace else {"trace"}
    without |= set() if config.grow else set(RESIZES)
    return [name for name in (*CALLS, *RESIZES) if name not in without]
