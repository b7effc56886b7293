"""What can be tried out completely: short rows of calls, small pools, a block's generations."""

from __future__ import annotations

import itertools

import corebuild as build
import pytest
from corelib import LONG, core_of
from coremodel import Model
from modelparts import CRITICAL, OK, PYTHON, RECLAIM, SPILL, STALE, join, split

PAIRS = build.Config("pairs", counts=(2, 2, 2, 2, 2), reserve=1, low=50, critical=80, owners=1)
ONES = build.Config("ones", counts=(1, 1, 1, 1, 1), owners=0)
STEPS = "tcsPodDngr"
LENGTH = 6 if LONG else 4


class Runner:
    """Runs one-letter steps on the core and on the model."""

    def __init__(self, config: build.Config):
        self.core = core_of(config)
        self.model = Model(config)
        self.core.tick = self.model.tick
        self.owner = self.core.owner_open(b"one", 96)
        assert self.owner == self.model.owner_open(b"one", 96, 0)

    def take(self, size: int, owner: int, flags: int) -> None:
        got = self.core.lib.mempool_take_flags(size, owner, flags)
        want = self.model.choose(size, owner, flags)
        assert (got if got < 0 else split(got)[1]) == want
        if got > 0:
            self.model.taken(got, want, size, owner, flags, looks=True)
            self.held.append(got)

    def give(self, handle: int, flags: int) -> None:
        want = self.model.give(handle, flags)
        lib = self.core.lib
        got = lib.mempool_give_flags(handle, flags) if flags else lib.mempool_give(handle)
        assert got == want
        if want == OK:
            self.held.remove(handle)
            self.dead = handle

    def run(self, sequence: tuple[str, ...]) -> None:
        self.held: list[int] = []
        self.dead = join(1 << 16, 0, 0)
        for step in sequence:
            match step:
                case "t":
                    self.take(32, 0, 0)
                case "c":
                    self.take(20, 0, CRITICAL)
                case "s":
                    self.take(1, 0, SPILL | CRITICAL)
                case "P":
                    self.take(32, 0, PYTHON)
                case "o":
                    self.take(40, self.owner, CRITICAL)
                case "d":
                    self.give(self.held[0] if self.held else self.dead, 0)
                case "D":
                    self.give(self.held[-1] if self.held else self.dead, PYTHON)
                case "n":
                    self.give(self.dead, 0)
                case "g":
                    self.give(self.held[-1] if self.held else self.dead, RECLAIM)
                case "r":
                    gone = self.model.reclaim_python()
                    assert self.core.lib.mempool_reclaim_python() == len(gone)
                    self.held = [handle for handle in self.held if handle not in gone]
        assert self.core.stats() == self.model.stats()
        assert self.core.owner_info(self.owner) == self.model.owner_info(self.owner)
        while self.held:
            self.give(self.held[-1], 0)
        assert self.core.edges() == self.model.edges()


@pytest.mark.parametrize("config", PAIRS.variants(), ids=lambda c: c.name)
def test_every_short_sequence(config):
    """10 kinds of step, all sequences of 4, one after another on the same pools."""
    runner = Runner(config)
    for number, sequence in enumerate(itertools.product(STEPS, repeat=LENGTH)):
        try:
            runner.run(sequence)
        except AssertionError as error:
            raise AssertionError(f"sequence {''.join(sequence)}") from error
        if number % 100 == 0:
            assert runner.core.lib.mempool_check() == 0


@pytest.mark.parametrize("config", ONES.variants(), ids=lambda c: c.name)
def test_every_generation(config):
    """A handle is refused for 2^17 - 1 reuses of its block, and obeyed after exactly 2^17."""
    lib = core_of(config).lib
    for size in (1, 512):
        first = lib.mempool_take(size, 0)
        assert lib.mempool_give(first) == OK
        seen = {first}
        for _ in range((1 << 17) - 1):
            handle = lib.mempool_take(size, 0)
            assert 0 < handle < 1 << 30
            assert lib.mempool_give(first) == STALE
            assert lib.mempool_give(handle) == OK
            seen.add(handle)
        assert len(seen) == 1 << 17
        assert lib.mempool_take(size, 0) == first
        assert lib.mempool_give(first) == OK
        assert lib.mempool_check() == 0


def test_blocks_take_turns(core):
    """A block that was given back is not the next one taken while others are free."""
    for pool, count in enumerate(core.config.counts):
        taken = []
        for _ in range(8 * count):
            handle = core.lib.mempool_take(build.BLOCK_SIZES[pool], 0)
            assert core.lib.mempool_give(handle) == OK
            taken.append(split(handle)[2])
        if count > 1:
            assert all(a != b for a, b in itertools.pairwise(taken)), f"pool {pool}: {taken}"
        if count % 32 == 0 or count < 32:
            # In a short last leaf, a few blocks bear every second take.
            assert len(set(taken)) >= min(count, 16), f"pool {pool}: only {set(taken)}"


def test_all_blocks_of_every_geometry(core):
    """Each block is there once, in its place, and the handle says which one it is; whatever the
    counters, which lie beside what tells the free ones, have counted."""
    for size in build.BLOCK_SIZES:
        handle = core.lib.mempool_take_flags(size, 0, CRITICAL)
        core.lib.mempool_reset_stats()
        assert core.lib.mempool_give(handle) == OK
        assert core.lib.mempool_give(handle) == STALE
    for pool, (size, count) in enumerate(zip(build.BLOCK_SIZES, core.config.counts, strict=True)):
        usable = count - core.config.reserve
        handles = [core.lib.mempool_take(size, 0) for _ in range(usable)]
        assert core.lib.mempool_take(size, 0) == core.lib.MEMPOOL_E_EXHAUSTED
        for _ in range(core.config.reserve):
            handles.append(core.lib.mempool_take_flags(size, 0, CRITICAL))
        assert core.lib.mempool_take_flags(size, 0, CRITICAL) == core.lib.MEMPOOL_E_EXHAUSTED
        assert sorted(split(handle)[2] for handle in handles) == list(range(count))
        addresses = sorted(core.data(handle) for handle in handles)
        assert all(b - a == size for a, b in itertools.pairwise(addresses))
        assert all(address % 8 == 0 for address in addresses)
        for handle in handles:
            assert core.handle_of(core.data(handle)) == handle
            assert core.data(handle) - addresses[0] == split(handle)[2] * size
        assert core.stats(pool)["used"] == core.stats(pool)["capacity"] == count * size
        for handle in handles[::2] + handles[1::2]:
            assert core.lib.mempool_give(handle) == OK
        assert core.stats(pool)["used"] == 0
        assert core.lib.mempool_check() == 0


def test_the_last_free_block_is_found_wherever_it_is(core):
    """In each leaf, from whichever end the search begins: it changes with every take."""
    for pool, (size, count) in enumerate(zip(build.BLOCK_SIZES, core.config.counts, strict=True)):
        handles = [core.lib.mempool_take_flags(size, 0, CRITICAL) for _ in range(count)]
        held = {split(handle)[2]: handle for handle in handles}
        for index in sorted({0, 31, 32, 63, 64, 95, 96, 127, count - 1} & set(held)):
            for _ in range(2):
                assert core.lib.mempool_give(held[index]) == OK
                held[index] = core.lib.mempool_take_flags(size, 0, CRITICAL)
                assert split(held[index])[1:] == (pool, index)
        for handle in held.values():
            assert core.lib.mempool_give(handle) == OK
