"""Promises of mempool.h that a row of calls cannot show: time, beginnings, the bell, damage."""

from __future__ import annotations

import dataclasses
import subprocess
import threading
import time

import cffi
import corebuild as build
import pytest
from corelib import core_of
from modelparts import (
    CRITICAL,
    EXHAUSTED,
    FOREIGN,
    HEAP_OK,
    OK,
    OWNERS,
    PYTHON,
    QUOTA,
    RANGE,
    RECLAIM,
    SIZE,
    STALE,
    join,
    split,
)
from waiting import PROGRAM_S

NORMAL, LOW, HIGH = 0, 1, 2
each_default = pytest.mark.parametrize(
    "config", build.DEFAULT.variants(), ids=lambda config: config.name
)


def test_before_init_every_pool_is_empty(core):
    core.fresh(init=False)
    lib = core.lib
    for size in (1, 512):
        assert lib.mempool_take(size, 0) == EXHAUSTED
        assert lib.mempool_take_flags(size, 0, CRITICAL) == EXHAUSTED
        assert core.alloc(size) == 0
    assert lib.mempool_give(join(0, 0, 0)) in (STALE, FOREIGN)
    assert core.data(join(0, 0, 0)) == 0
    for stats in (core.stats(), *(core.stats(pool) for pool in range(5))):
        assert stats["used"] + stats["free"] == stats["capacity"]
        assert stats["level"] == NORMAL
    assert lib.mempool_check() == 0
    assert core.owner_open(b"early", 0) == OWNERS
    if core.config.grow:
        assert lib.mempool_growable(0) == 0 and lib.mempool_grow(0, 1) == RANGE
    lib.mempool_reset_stats()
    lib.mempool_init()
    assert lib.mempool_check() == 0
    assert lib.mempool_take(1, 0) > 0


def test_before_init_no_address_is_a_block(core):
    """The payload is there, and the blocks' words are not."""
    core.fresh(init=False)
    ffi = cffi.FFI()
    ffi.cdef("""
        typedef struct { const char *name; uint8_t *at; uint8_t log2; uint16_t blocks; } place_t;
        extern const place_t mempool_geometry[5];
    """)
    lib = ffi.dlopen(core.path)
    address = int(ffi.cast("uintptr_t", lib.mempool_geometry[2].at))
    assert core.handle_of(address) == core.free(address) == FOREIGN
    core.lib.mempool_init()
    assert core.handle_of(address) == STALE
    held = [core.lib.mempool_take_flags(128, 0, CRITICAL) for _ in range(core.config.counts[2])]
    assert address in {core.data(handle) for handle in held}
    ffi.dlclose(lib)


def test_a_second_init_changes_nothing(core):
    handle = core.lib.mempool_take(100, 0)
    core.payload(handle, 100)[:] = bytes(range(100))
    before = core.stats()
    core.lib.mempool_init()
    assert core.stats() == before
    assert core.read(handle, 0, 100) == bytes(range(100))
    assert core.lib.mempool_give(handle) == OK


def test_nothing_is_read_and_written(core):
    handle = core.lib.mempool_take(100, 0)
    for offset in (0, 100):
        assert core.write(handle, offset, b"", 0) == 0
        assert core.lib.mempool_read(handle, offset, core.ffi.NULL, 0) == 0
    assert core.write(handle, 101, b"", 0) == RANGE
    assert core.lib.mempool_give(handle) == OK


def test_python_reads_and_writes_its_own(core):
    lib, room = core.lib, core.ffi.new("char[]", 4)
    for owned in (0, PYTHON):
        handle = lib.mempool_take_flags(100, 0, owned)
        for asked in (0, PYTHON):
            want = 3 if asked <= owned else FOREIGN
            assert lib.mempool_write_flags(handle, 1, b"abc", 3, asked) == want
            assert lib.mempool_read_flags(handle, 1, room, 3, asked) == want
        assert core.ffi.string(room) == b"abc"
        assert lib.mempool_give(handle) == OK
        assert lib.mempool_write_flags(handle, 1, b"abc", 3, PYTHON) == STALE


def test_the_smallest_block_changes_hands(core):
    """One byte of Python's, without an owner: its fields would be those of a free block for C."""
    handle = core.lib.mempool_take_flags(1, 0, PYTHON)
    for flags in (0, PYTHON, 0):
        assert core.lib.mempool_adopt(handle, flags) == OK
        assert core.inspect(handle)[5] == (flags == PYTHON)
        assert core.lib.mempool_check() == 0
    assert core.lib.mempool_give(handle) == OK
    assert core.lib.mempool_check() == 0


def test_leaks_are_sorted_whatever_the_pool():
    """The oldest come first, and stay where there is no room for all."""
    core = core_of(build.DEFAULT)
    sizes = (512, 32, 200, 33, 32, 512)
    for tick, size in enumerate(sizes):
        core.tick = 1000 * (tick + 1)
        assert core.lib.mempool_take(size, 0) > 0
    core.tick = 10000
    for room in (1, 2, 3, 6, 9):
        leaks = core.leaks(0, room)
        assert [size for _, _, size, _ in leaks] == list(sizes[:room])
    assert [size for _, _, size, _ in core.leaks(65000, 9)] == list(sizes[:3])


def test_wrong_numbers_of_pools(core):
    out = core.ffi.new("mempool_stats_t *")
    info = core.ffi.new("mempool_pool_info_t *")
    for pool in (5, 6, 7, 255, 0x7FFFFFFF, 0xFFFFFFFF):
        assert core.lib.mempool_pool_stats(pool, out) == RANGE
        assert core.lib.mempool_pool_info(pool, info) == RANGE
    assert core.lib.mempool_check() == 0


@pytest.mark.parametrize("room", [1, 16, 31, 255])
def test_room_counts_for_the_class_and_not_for_the_size(core, room):
    """MEMPOOL_ROOM: bytes behind what was asked for, in the block, out of the holder's reach."""
    sizes = build.BLOCK_SIZES
    for size in (1, 15, 16, 17, 32, 100, 256, 512 - room, 513 - room, 512):
        handle = core.lib.mempool_take_flags(size, 0, PYTHON | room << 8)
        if size + room > sizes[-1]:
            assert handle == SIZE
            continue
        _, asked, capacity, _, _, _ = core.inspect(handle)
        assert asked == size
        assert capacity == min(block for block in sizes if block >= size + room)
        assert core.lib.mempool_write(handle, size - 1, b"ab", 2) == RANGE
        assert core.lib.mempool_give(handle) == OK
    for wrong in (0, 0xFFFFFFFF, 0xFFFFFFFF - room, 0x80000000):
        assert core.lib.mempool_take_flags(wrong, 0, room << 8) == SIZE
    assert core.lib.mempool_check() == 0


def test_numbers_that_are_no_handles(core):
    """Of a pool's block but for the sign or a bit beyond 30, and of places that there are not."""
    handle = core.lib.mempool_take(100, 0)
    assert core.lib.mempool_give(handle) == OK
    for wrong in (handle - (1 << 31), handle | 1 << 30):
        for give in (core.lib.mempool_give, lambda h: core.lib.mempool_give_flags(h, 0)):
            assert give(wrong) == FOREIGN
        assert core.read(wrong, 0, 1) == core.lib.mempool_adopt(wrong, 0) == FOREIGN
    for place in (0, 31, 32, 1023):
        for bits in (0, 1 << 30):
            wrong = join(0, 5, place) | bits
            assert core.lib.mempool_give(wrong) in (STALE, FOREIGN)
            assert core.data(wrong) == 0
    assert core.lib.mempool_check() == 0


def test_the_map_shows_owners(core):
    """0 where a block is free, else 1 and its owner's number; as many as there is room for."""
    out = core.ffi.new("uint8_t[]", 1100)
    assert core.lib.mempool_map(5, out, 10) == 0
    handles = [core.lib.mempool_take_flags(32, 0, CRITICAL) for _ in range(2)]
    if core.config.owners:
        handles.append(core.lib.mempool_take(32, core.owner_open(b"own", 0)))
    count = core.config.counts[0]
    for room in (0, 1, count, 1100):
        shown = core.lib.mempool_map(0, out, room)
        assert shown == (min(room, count) if core.config.diagnostics else 0)
        for index in range(shown):
            owners = [core.inspect(handle)[4] for handle in handles if split(handle)[2] == index]
            assert out[index] == (1 + owners[0] if owners else 0)


@pytest.mark.parametrize("config", (build.DEFAULT, build.MINIMUM), ids=lambda c: c.name)
def test_what_no_owner_can_be(config):
    core = core_of(config)
    for name, quota in ((b"", 0), (b"sixteen letters!", 0), (b"a", 0x7FFFFFFF), (b"a", 1 << 31)):
        assert core.owner_open(name, quota) == RANGE
    for number in (0, 1, 17, 255):
        assert core.owner_info(number) == core.lib.mempool_owner_close(number, 0) == RANGE
        assert number == 0 or core.lib.mempool_take(32, number) == RANGE
    assert core.owner_open(b"a", 0) == (1 if config.owners else OWNERS)
    assert core.lib.mempool_free(core.ffi.NULL) == OK


def test_an_owner_has_two_holders_and_a_whole_name():
    core = core_of(build.DEFAULT)
    pump = core.owner_open(b"pump", 64)
    assert core.owner_open(b"pu", 0) != pump
    assert core.owner_open(b"pump", 96, PYTHON) == pump
    assert core.lib.mempool_owner_close(pump, 0) == OK
    assert core.owner_info(pump) == (b"pump", 96, 0, 0, 0)  # Python still has it
    assert core.lib.mempool_owner_close(pump, PYTHON) == OK
    assert core.owner_info(pump) == RANGE


def test_an_owner_that_was_let_go_is_known_no_more():
    """While its blocks are there, too: its place is taken, its numbers are nobody's."""
    core = core_of(build.DEFAULT)
    owner = core.owner_open(b"pump", 0)
    handle = core.lib.mempool_take(32, owner)
    assert core.owner_info(owner) == (b"pump", 0, 32, 32, 0)
    assert core.lib.mempool_owner_close(owner, 0) == OK
    assert core.owner_info(owner) == core.lib.mempool_take(32, owner) == RANGE
    assert core.owner_open(b"other", 0) != owner
    assert core.lib.mempool_give(handle) == OK


def test_the_noinit_region():
    """Nothing is valid before the first write; what does not fit changes nothing."""
    core = core_of(build.DEFAULT)
    lib, ffi = core.lib, core.ffi
    size = 64  # corebuild.Config
    assert not lib.mempool_noinit_valid()
    assert bytes(ffi.buffer(lib.mempool_noinit_data(), size)) == bytes(size)
    for offset, length in (
        (size + 1, 0),
        (size + 1, 1),
        (size, 1),
        (0, size + 1),
        (1, 0xFFFFFFFF),
    ):
        assert lib.mempool_noinit_write(offset, b"x" * (size + 1), length) == RANGE
    assert lib.mempool_noinit_write(size, b"", 0) == 0
    assert not lib.mempool_noinit_valid()
    assert lib.mempool_noinit_write(size - 3, b"abc", 3) == 3
    assert lib.mempool_noinit_valid()
    lib.mempool_noinit_data()[0] = 1
    assert not lib.mempool_noinit_valid()
    lib.mempool_noinit_seal()
    assert lib.mempool_noinit_valid()
    assert bytes(ffi.buffer(lib.mempool_noinit_data(), size)) == b"\1" + bytes(size - 4) + b"abc"


def test_names_are_copied():
    core = core_of(build.DEFAULT)
    name = core.ffi.new("char[]", b"pump-room")
    owner = core.lib.mempool_owner_open(name, 4, 0, 0)
    core.ffi.memmove(name, b"xxxxxxxxx", 9)
    assert core.owner_info(owner)[0] == b"pump"


def test_what_an_owner_leaves_behind_is_nobodys():
    """mempool_unowned: a block of no owner, and of one that was let go, until it comes back."""
    core = core_of(build.DEFAULT)
    lib = core.lib
    assert lib.mempool_unowned() == 0
    nobodys = lib.mempool_take(40, 0)
    assert lib.mempool_unowned() == 64
    owner = core.owner_open(b"pump", 1024)
    left = [lib.mempool_take(200, owner), lib.mempool_take(500, owner)]
    assert lib.mempool_unowned() == 64
    assert lib.mempool_owner_close(owner, 0) == OK
    assert lib.mempool_unowned() == 64 + 256 + 512
    assert lib.mempool_give(left.pop()) == OK
    assert lib.mempool_unowned() == 64 + 256
    assert core.owner_open(b"pump", 0) == owner
    assert lib.mempool_unowned() == 64
    assert lib.mempool_give(left.pop()) == OK
    assert lib.mempool_give(nobodys) == OK
    assert lib.mempool_unowned() == 0


def test_a_wait_is_as_long_as_it_was_told():
    program = build.program("waits.c", build.DEFAULT, ("-O1", "-Wl,--wrap=nanosleep"))
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=PROGRAM_S)
    assert done.returncode == 0, done.stderr


def test_without_owners_all_is_nobodys():
    core = core_of(dataclasses.replace(build.HEAP, name="heap-no-owners", owners=0))
    lib = core.lib
    held = [lib.mempool_take(40, 0), lib.mempool_take_flags(700, 0, HEAP_OK)]
    assert lib.mempool_unowned() == 64 + 700
    for handle in held:
        assert lib.mempool_give(handle) == OK
    assert lib.mempool_unowned() == 0


class Bell:
    """Counts the rings."""

    def __init__(self, core):
        self.core = core
        self.rings = 0
        self.hook = core.ffi.callback("void(void)", self._ring)
        core.lib.mempool_set_pressure_hook(self.hook)

    def _ring(self) -> None:
        self.rings += 1


@each_default
def test_the_marks_of_a_pool_of_128(config):
    """80 % is 103 blocks, 95 % is 122; CRITICAL is left below 103, LOW below 77 (60 %)."""
    core = core_of(config)
    bell = Bell(core)
    held: list[int] = []

    def go_to(used: int) -> list[tuple[int, int]]:
        """Step by step, looking each time: one ring an edge."""
        before, edges = bell.rings, []
        while len(held) != used:
            if len(held) < used:
                held.append(core.lib.mempool_take(32, 0))
            else:
                assert core.lib.mempool_give_flags(held.pop(), 0) == OK
            edges += core.edges()
        assert bell.rings - before == len(edges)
        assert core.stats(0)["level"] == core.stats()["level"]
        return edges

    assert go_to(102) == []
    assert go_to(103) == [(0, LOW)]
    assert go_to(121) == []
    assert go_to(122) == [(0, HIGH)]
    assert go_to(128) == []
    assert go_to(103) == []
    assert core.stats(0)["level"] == HIGH
    assert go_to(102) == [(0, LOW)]
    assert go_to(121) == []
    assert go_to(122) == [(0, HIGH)]
    assert go_to(102) == [(0, LOW)]
    assert go_to(77) == []
    assert go_to(76) == [(0, NORMAL)]
    assert go_to(102) == []
    assert go_to(128) == [(0, LOW), (0, HIGH)]
    assert go_to(0) == [(0, LOW), (0, NORMAL)]


@each_default
def test_the_bell_rings_until_somebody_looks(config):
    core = core_of(config)
    bell = Bell(core)
    held = [core.lib.mempool_take(32, 0) for _ in range(128)]
    assert bell.rings == 128 - 102
    assert core.edges() == [(0, HIGH)]
    for handle in held:
        assert core.lib.mempool_give(handle) == OK
    assert bell.rings == 128 - 102
    held = [core.lib.mempool_take(32, 0)]
    assert bell.rings == 128 - 102 + 1, "the next take tells that CRITICAL is over"
    assert core.edges() == [(0, NORMAL)]
    held += [core.lib.mempool_take(64, 0) for _ in range(64)]
    core.lib.mempool_set_pressure_hook(core.ffi.NULL)
    assert core.edges() == [], "what changed before the hook was set is not told"
    before = bell.rings
    for handle in held:
        assert core.lib.mempool_give_flags(handle, 0) == OK
    assert bell.rings == before
    assert core.edges() == [(1, NORMAL)]


@each_default
def test_any_use_of_the_reserve_is_critical(config):
    core = core_of(dataclasses.replace(config, name=f"{config.name}-reserve", reserve=4))
    held = [core.lib.mempool_take(512, 0) for _ in range(4)]
    assert core.lib.mempool_take(512, 0) == EXHAUSTED
    assert core.edges() == [(4, HIGH)]
    held.append(core.lib.mempool_take_flags(512, 0, CRITICAL))
    assert core.edges() == []
    assert core.stats(4)["largest_free"] == 0
    for handle in held:
        assert core.lib.mempool_give(handle) == OK
    assert core.edges() == [(4, NORMAL)]


# Far beyond what any computer adds to a wait, far below what a wait for the wrong end takes.
WHILE_S = 60


@each_default
def test_waiting_ends_when_a_block_comes_back(config):
    core = core_of(config)
    held = [core.lib.mempool_take(512, 0) for _ in range(8)]
    begin = time.monotonic()
    assert core.lib.mempool_take_wait(512, 0, 0, 60) == EXHAUSTED
    waited = time.monotonic() - begin
    assert 0.055 <= waited < WHILE_S
    assert core.stats(4)["failures"] == 1, "one request, one failure"
    timer = threading.Timer(0.1, lambda: core.lib.mempool_give(held.pop()))
    begin = time.monotonic()
    timer.start()
    handle = core.lib.mempool_take_wait(512, 0, 0, 2000 * WHILE_S)
    waited = time.monotonic() - begin
    timer.join()
    assert handle > 0
    assert 0.1 <= waited < WHILE_S, "it ends with the block, long before the time"
    assert core.lib.mempool_take_wait(0, 0, 0, 5000) == core.lib.MEMPOOL_E_SIZE
    assert core.lib.mempool_check() == 0


@pytest.mark.parametrize("config", build.ALL_ON.variants(), ids=lambda c: c.name)
def test_a_write_into_a_free_block_is_found(config):
    core = core_of(config)
    handle = core.lib.mempool_take(512, 0)
    data = core.payload(handle, 512)
    assert core.lib.mempool_give(handle) == OK
    assert core.lib.mempool_check() == 0
    for at in (0, 255, 511):
        data[at : at + 1] = bytes([data[at][0] ^ 1])
        assert core.lib.mempool_check() == 1
        data[at : at + 1] = bytes([data[at][0] ^ 1])
        assert core.lib.mempool_check() == 0
    for hits in (1, 2, 3):
        data[300:301] = b"\0"
        held = []
        while core.lib.mempool_poison_hits() < hits:
            held.append(core.lib.mempool_take_flags(512, 0, CRITICAL))
            assert held[-1] > 0
        assert core.lib.mempool_poison_hits() == hits
        for handle in held:
            assert core.lib.mempool_give(handle) == OK
    assert 6 in {what for what, *_ in core.trace()}


@pytest.mark.parametrize("config", build.HEAP.variants(), ids=lambda c: c.name)
def test_the_heap_serves_what_no_pool_can(config):
    core = core_of(config)
    lib = core.lib
    assert lib.mempool_take(513, 0) == lib.MEMPOOL_E_SIZE
    assert core.handle_of(0) == FOREIGN
    big = lib.mempool_take_flags(5000, 0, HEAP_OK | PYTHON)
    assert big > 0
    address, *info = core.inspect(big)
    assert info == [5000, 5000, lib.MEMPOOL_HEAP, 0, True]
    assert address % 8 == 0
    assert core.stats()["heap_used"] == 5000
    assert core.write(big, 4990, b"0123456789") == 10
    assert core.write(big, 4991, b"0123456789") == RANGE
    assert core.read(big, 4990, 10) == b"0123456789"
    pointer = core.alloc(600)
    assert core.stats()["heap_used"] == 5600
    assert core.free(pointer + 8) == FOREIGN
    assert core.free(pointer) == OK
    assert core.free(pointer) == FOREIGN
    held = lib.mempool_take_flags(700, 0, HEAP_OK)  # C's, which stays
    more = [lib.mempool_take_flags(600, 0, HEAP_OK | PYTHON) for _ in range(2)]
    assert lib.mempool_reclaim_python() == 3
    for gone in (big, *more):
        assert lib.mempool_give(gone) == STALE
    assert lib.mempool_give(held) == OK
    assert core.stats()["heap_used"] == 0
    assert lib.mempool_check() == 0


@pytest.mark.parametrize("config", build.HEAP.variants(), ids=lambda c: c.name)
def test_the_heap_has_limits(config):
    """32 blocks at a time, an owner's quota to the byte, nothing larger than a quota can be."""
    core = core_of(config)
    lib = core.lib
    owner = core.owner_open(b"pump", 3000)
    held = [lib.mempool_take_flags(1000, owner, HEAP_OK) for _ in range(3)]
    assert min(held) > 0
    assert lib.mempool_take_flags(1000, owner, HEAP_OK) == QUOTA
    assert lib.mempool_take_flags(1 << 31, owner, HEAP_OK) == QUOTA
    assert lib.mempool_take_flags(1000, 9, HEAP_OK) == RANGE
    assert core.owner_info(owner) == (b"pump", 3000, 3000, 3000, 2)
    held += [lib.mempool_take_flags(1000, 0, HEAP_OK) for _ in range(29)]
    assert min(held) > 0 and len(set(held)) == 32
    assert lib.mempool_take_flags(1000, 0, HEAP_OK) == EXHAUSTED
    assert core.stats()["heap_used"] == 32000
    core.tick = 1000
    assert lib.mempool_give(held.pop()) == OK
    held.append(lib.mempool_take_flags(1000, 0, HEAP_OK))
    assert len(core.leaks(1, 64)) == 31, "the last one has just come"
    assert lib.mempool_adopt(held[0] | 1 << 30, PYTHON) == FOREIGN
    assert lib.mempool_adopt(held[0], PYTHON) == OK == lib.mempool_adopt(held[0], 0)
    assert lib.mempool_give_flags(held[0], PYTHON) == FOREIGN
    old = held.pop()
    assert lib.mempool_give(old) == OK
    held.append(lib.mempool_take_flags(1000, 0, HEAP_OK))  # in its place
    for use in (lib.mempool_give, lambda handle: core.read(handle, 0, 1)):
        assert use(old) == STALE
    assert lib.mempool_take_flags(0, 0, HEAP_OK) == SIZE
    assert lib.mempool_take_flags(1000, 9, 0) == SIZE
    reclaimed = core.stats()["reclaimed"]
    assert lib.mempool_adopt(held[0], PYTHON) == OK
    assert lib.mempool_give_flags(held.pop(0), PYTHON | RECLAIM) == OK
    assert core.stats()["reclaimed"] == reclaimed + 1
    assert lib.mempool_give_flags(held.pop(), 0) == OK
    for handle in held:
        assert lib.mempool_give(handle) == OK
    assert core.owner_info(owner) == (b"pump", 3000, 0, 3000, 2)
    assert core.stats()["heap_used"] == 0
    assert lib.mempool_check() == 0


@pytest.mark.parametrize("config", build.DEFAULT.variants(), ids=lambda c: c.name)
def test_a_quota_that_is_cut_below_what_is_used(config):
    """What was taken before stays used, is the peak of new statistics, and nothing more is had."""
    core = core_of(config)
    lib = core.lib
    owner = core.owner_open(b"pump", 256)
    held = [lib.mempool_take(128, owner) for _ in range(2)]
    assert min(held) > 0
    assert core.owner_open(b"pump", 100) == owner
    assert lib.mempool_take(32, owner) == QUOTA
    assert core.owner_info(owner) == (b"pump", 100, 256, 256, 1)
    lib.mempool_reset_stats()
    assert core.owner_info(owner) == (b"pump", 100, 256, 256, 0)
    for handle in held:
        assert lib.mempool_give(handle) == OK
    assert core.owner_info(owner) == (b"pump", 100, 0, 256, 0)
    lib.mempool_reset_stats()
    assert core.owner_info(owner) == (b"pump", 100, 0, 0, 0)
    assert lib.mempool_check() == 0


@pytest.mark.parametrize("config", build.ALL_ON.variants(), ids=lambda c: c.name)
def test_a_trace_is_no_longer_than_the_ring(config):
    """However much room the caller says he has."""
    core = core_of(config)
    for _ in range(12):
        assert core.lib.mempool_give(core.lib.mempool_take(40, 0)) == OK
    ring = core.ffi.new("mempool_trace_t[]", config.trace)
    for room in (config.trace, config.trace + 1, 1 << 31, 1 << 32, (1 << 64) - 1):
        assert core.lib.mempool_trace(ring, room) == config.trace
        assert [entry.what for entry in ring] == [1, 2] * (config.trace // 2)
    assert core.lib.mempool_trace(ring, 0) == 0


@each_default
def test_ages_saturate_and_never_wrap(config):
    """Looked at once in a while, a block that is held for years stays the oldest."""
    core = core_of(config)
    core.tick = 1000
    old = core.lib.mempool_take(32, 0)
    ages = []
    for _ in range(40):
        core.tick = (core.tick + (1 << 28)) | 1
        young = core.lib.mempool_take(32, 0)
        (handle, _, _, age_ms), *_ = core.leaks(0, 200)
        assert handle == old
        assert {leak[3] for leak in core.leaks(0, 200) if leak[0] == young} == {0}
        assert core.lib.mempool_give(young) == OK
        ages.append(age_ms)
    assert ages == sorted(ages)
    assert ages[-1] == 0xFFFFFFFF
    assert core.lib.mempool_check() == 0


def test_ages_of_the_heap_saturate():
    core = core_of(build.HEAP)
    core.tick = 1000
    handle = core.lib.mempool_take_flags(5000, 0, HEAP_OK)
    for tick in (1 << 30, 3 << 30, 5 << 30):
        core.tick = 1000 + tick
        ages = [age_ms for leak, _, _, age_ms in core.leaks(0, 9) if leak == handle]
        assert ages == [0xFFFFFFFF]
    assert core.lib.mempool_give(handle) == OK
