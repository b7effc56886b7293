"""The core against the model: random rows of every call, and the whole state after each."""

from __future__ import annotations

import dataclasses

import corebuild as build
import pytest
from corelib import LONG, core_of
from coremodel import Model
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine
from modelparts import FOREIGN, HEAP_OK, OK, PYTHON, RANGE, RECLAIM, join, split

# Few blocks, so that a dozen steps reach every edge; the large geometries have tests of their own.
TINY = build.Config("model", counts=(3, 2, 4, 1, 2), owners=2, trace=16)
CONFIGS = [
    variant
    for config in (
        TINY,
        dataclasses.replace(TINY, name="model-heap", heap=True),
        dataclasses.replace(TINY, name="model-reserve", counts=(4, 5, 4, 9, 4), reserve=2, low=50),
        dataclasses.replace(TINY, name="model-poison", poison=True, trace=32),
        dataclasses.replace(TINY, name="model-minimum", owners=0, diagnostics=False, trace=0),
        dataclasses.replace(TINY, name="model-growing", grow=5, arena=1024),
        dataclasses.replace(
            TINY, name="model-growing-poison", grow=3, arena=1024, poison=True, trace=32
        ),
        dataclasses.replace(
            TINY, name="model-growing-minimum", grow=40, owners=0, diagnostics=False, trace=0
        ),
        dataclasses.replace(
            TINY, name="model-growing-leaves", counts=(129, 5, 33, 9, 4), grow=64, reserve=2
        ),
        build.SMALL,
        build.ALL_ON,
    )
    for variant in config.variants()
]

SIZES = st.one_of(
    st.sampled_from([1, 31, 32, 33, 64, 65, 128, 129, 256, 257, 511, 512]),
    st.integers(1, 512),
)
BAD_SIZES = st.sampled_from([0, 513, 600, 4096, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
FLAGS = st.integers(0, 15)
PICK = st.integers(0, 1 << 16)
OWNER = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 31, 32, 255])
NAMES = st.sampled_from([b"a", b"b", b"ab", b"fifteen-letters", b"\xc3\xa9"])
QUOTAS = st.sampled_from([0, 1, 31, 32, 64, 100, 128, 512, 1000, 100000, 0x7FFFFFFE])
HANDLES = st.one_of(
    st.integers(-(1 << 31), (1 << 31) - 1),
    st.builds(join, st.integers(0, 3), st.integers(-1, 6), st.sampled_from([0, 1, 2, 3, 4, 1023])),
)


class Machine(RuleBasedStateMachine):
    config: build.Config

    @initialize()
    def power_on(self):
        self.core = core_of(self.config)
        self.lib = self.core.lib
        self.model = Model(self.config)
        self.core.tick = self.model.tick
        self.dead: list[int] = []  # handles that were given back
        self.addresses: dict[tuple[int, int], int] = {}  # of the pools' blocks that were seen
        self.written: dict[int, bytes] = {}
        self.rings = 0
        self.hook = self.core.ffi.callback("void(void)", self.ring)
        self.set_hook(True)

    def ring(self):
        self.rings += 1

    def teardown(self):
        if hasattr(self, "core"):
            self.core.close()

    # -- helpers --

    def live(self) -> list[int]:
        return self.model.live()

    def any_handle(self, pick: int) -> int:
        """A handle of a block in use where there is one, else a stale or a made-up one."""
        handles = self.live() or self.dead or [join(0, 0, 0)]
        return handles[pick % len(handles)]

    def expect_take(
        self, got: int, size: int, owner: int, flags: int, *, looks: bool = True
    ) -> None:
        """Compares a handle or status with the model, and books it."""
        want = self.model.choose(size, owner, flags)
        if want < 0:
            assert got == want, f"take({size}, {owner}, {flags}) is {got}, expected {want}"
            return
        assert got > 0, f"take({size}, {owner}, {flags}) is {got}, expected a block of pool {want}"
        self.model.taken(got, want, size, owner, flags, looks=looks)
        self.expect_payload(got)

    def expect_payload(self, handle: int) -> None:
        """A new block: aligned, where this block always is, and nobody else's. It is filled."""
        address = self.core.data(handle)
        size, capacity, pool, owner, python = self.model.inspect(handle)
        assert address % 8 == 0
        assert self.core.inspect(handle) == (address, size, capacity, pool, owner, python)
        if pool < 5:
            place = split(handle)[1:]
            assert self.addresses.setdefault(place, address) == address
        pattern = bytes((handle * 7 + i) & 0xFF for i in range(size))
        self.core.payload(handle, size)[:] = pattern
        self.written[handle] = pattern

    def expect_given(self, handle: int) -> None:
        self.dead.append(handle)
        del self.dead[:-20]
        self.written.pop(handle, None)
        assert self.core.data(handle) == 0

    # -- taking --

    @rule(size=SIZES, owner=OWNER)
    def take(self, size, owner):
        self.expect_take(self.lib.mempool_take(size, owner), size, owner, 0, looks=False)

    @rule(size=SIZES, owner=OWNER, flags=FLAGS)
    def take_flags(self, size, owner, flags):
        got = self.lib.mempool_take_flags(size, owner, flags)
        self.expect_take(got, size, owner, flags)

    @rule(size=BAD_SIZES, owner=OWNER, flags=FLAGS)
    def take_bad_size(self, size, owner, flags):
        if size > 4096:
            flags &= ~HEAP_OK  # this computer's heap would lend 4 GB
        self.expect_take(self.lib.mempool_take(size, owner), size, owner, 0, looks=False)
        got = self.lib.mempool_take_flags(size, owner, flags)
        self.expect_take(got, size, owner, flags)

    @rule(size=SIZES, owner=OWNER, flags=FLAGS)
    def take_wait_not_at_all(self, size, owner, flags):
        got = self.lib.mempool_take_wait(size, owner, flags, 0)
        self.expect_take(got, size, owner, flags)

    @rule(size=st.one_of(SIZES, st.sampled_from([0, 513, 1000])))
    def alloc(self, size):
        address = self.core.alloc(size)
        flags = HEAP_OK if self.config.heap else 0
        got = self.core.handle_of(address) if address else self.model.why_not(size, 0, flags)
        self.expect_take(got, size, 0, flags, looks=self.config.heap)
        if address:
            assert self.core.data(got) == address

    @rule(pool=st.integers(0, 4), flags=FLAGS)
    def fill(self, pool, flags):
        """Takes until there is no more."""
        size = build.BLOCK_SIZES[pool]
        for _ in range(sum(pool.count for pool in self.model.pools) + 1):
            got = self.lib.mempool_take_flags(size, 0, flags & ~HEAP_OK)
            self.expect_take(got, size, 0, flags & ~HEAP_OK)
            if got < 0:
                return
        raise AssertionError("there is always one more")

    # -- giving --

    @rule(pick=PICK, flags=st.sampled_from([0, 0, 0, PYTHON, RECLAIM, PYTHON | RECLAIM]))
    def give(self, pick, flags):
        handle = self.any_handle(pick)
        want = self.model.give(handle, flags)
        give = self.lib.mempool_give_flags
        assert (give(handle, flags) if flags else self.lib.mempool_give(handle)) == want
        if want == OK:
            self.expect_given(handle)

    @rule(pick=PICK)
    def free(self, pick):
        handle = self.any_handle(pick)
        address = self.core.data(handle)
        if address:
            assert self.core.handle_of(address) == handle
            assert self.core.free(address) == self.model.give(handle) == OK
            self.expect_given(handle)

    @precondition(lambda self: self.dead)
    @rule(pick=PICK, flags=st.sampled_from([0, PYTHON, RECLAIM, PYTHON | RECLAIM]))
    def give_again(self, pick, flags):
        handle = self.dead[pick % len(self.dead)]
        want = self.model.give(handle, flags)
        assert want != OK
        assert self.lib.mempool_give_flags(handle, flags) == want

    @rule(handle=HANDLES, flags=st.sampled_from([0, PYTHON, RECLAIM]), pick=PICK)
    def give_forged(self, handle, flags, pick):
        flipped = self.any_handle(pick) ^ (1 << pick % 31 if pick % 32 else -(1 << 31))
        for forged in (handle, flipped):
            want = self.model.give(forged, flags)
            give = self.lib.mempool_give_flags
            assert (give(forged, flags) if flags else self.lib.mempool_give(forged)) == want
            if want == OK:
                self.expect_given(forged)

    @rule(pick=PICK)
    def give_next(self, pick):
        """The handle that this block gets next: nobody has it yet."""
        generation, pool, index = split(self.any_handle(pick))
        forged = join((generation + 1) % (1 << 17), pool, index)
        want = self.model.give(forged)
        assert self.lib.mempool_give(forged) == want
        if want == OK:
            self.expect_given(forged)

    @rule(pool=st.integers(0, 4))
    def drain(self, pool):
        """Gives back all of one pool, the last taken first."""
        for handle in reversed(self.model.pools[pool].handles()):
            assert self.model.give(handle) == OK
            assert self.lib.mempool_give(handle) == OK
            self.expect_given(handle)

    @rule(pick=PICK, offset=st.sampled_from([1, -1, 4, 8, 16, 31, 32, 64]))
    def free_wrong_address(self, pick, offset):
        """Inside a block, in the middle of nowhere, or the start of another block."""
        places = [(p, i) for p, i in sorted(self.addresses) if i < self.config.counts[p]]
        if not places:
            return
        pool, index = places[pick % len(places)]
        address = self.addresses[pool, index] + offset
        want, handle = self.model.at_offset(pool, index, offset)
        assert self.core.handle_of(address) == (handle if want == OK else want)
        assert self.core.free(address) == self.model.free(want, handle)
        if want == OK:
            self.expect_given(handle)

    @rule(address=st.sampled_from([0, 1, 8, 0x1000, (1 << 47) - 8, (1 << 64) - 8]))
    def free_nowhere(self, address):
        assert self.core.handle_of(address) == FOREIGN
        want = OK if address == 0 else self.model.free(FOREIGN, 0)
        assert self.core.free(address) == want

    @rule()
    def reclaim_python(self):
        gone = self.model.reclaim_python()
        assert self.lib.mempool_reclaim_python() == len(gone)
        for handle in gone:
            self.expect_given(handle)

    # -- growing --

    @precondition(lambda self: self.config.grow)
    @rule(pool=st.integers(0, 4), blocks=st.sampled_from([1, 1, 2, 3, 5, 31, 32, 33]))
    def grow(self, pool, blocks):
        assert self.lib.mempool_grow(pool, blocks) == self.model.grow(pool, blocks)

    @precondition(lambda self: self.config.grow)
    @rule(
        pool=st.sampled_from([0, 4, 5, 0xFFFFFFFF]),
        blocks=st.sampled_from([0, 65, 1000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]),
    )
    def grow_not(self, pool, blocks):
        assert self.lib.mempool_grow(pool, blocks) == self.model.grow(pool, blocks) == RANGE

    @precondition(lambda self: self.config.grow)
    @rule(pool=st.integers(0, 5))
    def shrink(self, pool):
        assert self.lib.mempool_shrink(pool) == self.model.shrink(pool)
        self.addresses = {
            (number, index): address
            for (number, index), address in self.addresses.items()
            if index < self.model.pools[number].count
        }

    # -- using --

    @rule(pick=PICK, offset=st.integers(0, 520), length=st.integers(0, 520), dead=st.booleans())
    def copy(self, pick, offset, length, dead):
        handle = self.dead[pick % len(self.dead)] if dead and self.dead else self.any_handle(pick)
        data = bytes((i * 3 + pick) & 0xFF for i in range(max(length, 1)))
        want = self.model.copy(handle, offset, length)
        assert self.core.write(handle, offset, data, length) == want
        if want > 0:
            old = self.written[handle]
            self.written[handle] = old[:offset] + data[:length] + old[offset + length :]
        want = self.model.copy(handle, offset, length)
        got = self.core.read(handle, offset, length)
        assert got == (want if want < 0 else self.written[handle][offset : offset + length])

    @rule(
        pick=PICK,
        offset=st.sampled_from([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]),
        length=st.sampled_from([1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]),
    )
    def copy_far(self, pick, offset, length):
        """Sums of offset and length that come round."""
        if (offset, length) in ((0, 1), (1, 1)):
            return
        handle = self.any_handle(pick)
        want = self.model.copy(handle, offset, length)
        assert want < 0
        assert self.core.write(handle, offset, b"x", length) == want
        assert self.core.read(handle, offset, length) == self.model.copy(handle, offset, length)

    @rule(pick=PICK, flags=st.sampled_from([0, PYTHON]), dead=st.booleans())
    def adopt(self, pick, flags, dead):
        handle = self.dead[pick % len(self.dead)] if dead and self.dead else self.any_handle(pick)
        assert self.lib.mempool_adopt(handle, flags) == self.model.adopt(handle, flags)

    @rule(handle=HANDLES)
    def use_forged(self, handle):
        want = self.model.inspect(handle)
        if isinstance(want, int):
            assert self.core.inspect(handle) == want
            assert self.core.data(handle) == 0
            assert self.lib.mempool_adopt(handle, 0) == self.model.adopt(handle, 0)
            assert self.core.read(handle, 0, 1) == self.model.copy(handle, 0, 1)

    @precondition(lambda self: self.config.poison and self.addresses)
    @rule(pick=PICK, at=st.sampled_from([0, 1, 15, -1]))
    def write_behind(self, pick, at):
        """A stale pointer writes into a free block."""
        places = [place for place in sorted(self.addresses) if not self.model.is_used(*place)]
        if places:
            pool, index = places[pick % len(places)]
            byte = self.core.ffi.cast("uint8_t *", self.addresses[pool, index])
            if (pool, index) not in self.model.damaged:
                byte[at % build.BLOCK_SIZES[pool]] ^= 0x10
                self.model.damaged.add((pool, index))

    # -- owners --

    @rule(name=NAMES, quota=QUOTAS, flags=st.sampled_from([0, PYTHON]))
    def owner_open(self, name, quota, flags):
        want = self.model.owner_open(name, quota, flags)
        assert self.core.owner_open(name, quota, flags) == want

    @rule(name=st.sampled_from([b"", b"sixteen-letters!", b"x" * 200]))
    def owner_open_bad_name(self, name):
        assert self.core.owner_open(name, 0) == self.model.owner_open(name, 0, 0) == RANGE

    @rule(owner=OWNER, flags=st.sampled_from([0, PYTHON]))
    def owner_close(self, owner, flags):
        want = self.model.owner_close(owner, flags)
        assert self.lib.mempool_owner_close(owner, flags) == want

    # -- seeing --

    @rule(ticks=st.sampled_from([1, 2, 100, 6000, 1 << 24, 1 << 29]))
    def wait(self, ticks):
        self.model.tick += ticks
        self.model.tick += self.model.tick % (1 << 32) == 0  # 0 is the port's own clock
        self.core.tick = self.model.tick

    @rule(
        min_age_ms=st.sampled_from([0, 1, 10, 11, 20, 60000, 0xFFFFFFFF]),
        entries=st.integers(0, 40),
    )
    def leaks(self, min_age_ms, entries):
        want = self.model.leaks(min_age_ms)
        got = self.core.leaks(min_age_ms, entries)
        assert len(got) == min(entries, len(want))
        assert [leak[3] for leak in got] == [leak[3] for leak in want[: len(got)]]
        assert len(set(got)) == len(got)
        assert set(got) <= set(want)

    @rule()
    def reset_stats(self):
        self.lib.mempool_reset_stats()
        self.model.reset_stats()

    @rule()
    def edges(self):
        assert self.core.edges() == self.model.edges()

    @rule(hooked=st.booleans())
    def set_hook(self, hooked):
        self.lib.mempool_set_pressure_hook(self.hook if hooked else self.core.ffi.NULL)
        self.model.set_hook(hooked)

    @rule()
    def look(self):
        self.lib.mempool_pressure_look()
        self.model.look()

    @rule(entries=st.integers(0, 40))
    def trace(self, entries):
        want = self.model.trace[max(0, len(self.model.trace) - entries) :] if entries else []
        assert self.core.trace(entries) == want

    # -- after every step --

    @invariant()
    def all_agrees(self):
        if not hasattr(self, "core"):
            return
        assert self.core.stats() == self.model.stats()
        for number, pool in enumerate(self.model.pools):
            assert self.core.stats(number) == self.model.pool_stats(number)
            name, *info = self.core.pool_info(number)
            assert name == build.POOLS[number]
            peak = pool.peak * self.config.diagnostics
            assert info == [pool.size, pool.count, pool.reserve, pool.used, peak]
            if self.config.grow:
                assert self.lib.mempool_growable(number) == pool.may_grow()
        for owner in (0, 1, 2, 3, 31, 255):
            assert self.core.owner_info(owner) == self.model.owner_info(owner)
        assert self.lib.mempool_unowned() == self.model.unowned()
        assert self.core.trace() == self.model.trace
        assert self.rings == self.model.rings
        assert self.lib.mempool_poison_hits() == self.model.poison_hits
        broken = self.lib.mempool_check()
        assert broken == len(self.model.damaged) + self.model.poison_hits
        for handle, data in self.written.items():
            assert self.core.payload(handle, len(data))[:] == data, f"{handle:#x} was overwritten"


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c.name)
def test_any_sequence(config):
    machine = type("Machine", (Machine,), {"config": config})
    run_machine(
        machine,
        settings=settings(max_examples=2000 if LONG else 50, stateful_step_count=60),
    )
