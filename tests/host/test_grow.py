"""Pools that grow and shrink: the cases that a random row of calls seldom meets, one by one."""

from __future__ import annotations

import dataclasses
import time

import corebuild as build
import pytest
from corelib import core_of
from modelparts import CRITICAL, EXHAUSTED, FOREIGN, OK, RANGE, STALE, join, split

GROWING = build.Config("growing", counts=(30, 2, 4, 2, 2), grow=40, arena=8192)
LEAVES = dataclasses.replace(GROWING, name="growing-leaves", counts=(120, 2, 4, 2, 2))
SUMMARY = dataclasses.replace(GROWING, name="growing-summary", counts=(129, 2, 4, 2, 2))
CONFIGS = [v for config in (GROWING, LEAVES, SUMMARY) for v in config.variants()]


@pytest.fixture(params=CONFIGS, ids=lambda config: config.name)
def core(request):
    core = core_of(request.param)
    yield core
    assert core.lib.mempool_check() == 0
    core.close()


def take_all(core, pool: int) -> dict[int, int]:
    """Every block of a pool: index -> handle."""
    handles = {}
    while (handle := core.lib.mempool_take_flags(build.BLOCK_SIZES[pool], 0, CRITICAL)) > 0:
        handles[split(handle)[2]] = handle
    assert handle == EXHAUSTED
    return handles


def test_every_block_is_there_once(core):
    built = core.pool_info(0)[2]
    for extent in (1, 31, 8):
        assert core.lib.mempool_grow(0, extent) == extent
    handles = take_all(core, 0)
    assert sorted(handles) == list(range(built + 40))
    places = sorted(core.data(handle) for handle in handles.values())
    assert all(b - a >= 32 for a, b in zip(places, places[1:], strict=False))
    for handle in handles.values():
        assert core.handle_of(core.data(handle)) == handle
        assert core.handle_of(core.data(handle) + 8) == FOREIGN
        assert core.lib.mempool_give(handle) == OK
    assert core.stats(0)["peak"] == (built + 40) * 32
    assert [core.lib.mempool_shrink(0) for _ in range(4)] == [8, 31, 1, 0]
    assert core.stats(0)["peak"] == core.stats(0)["capacity"] == built * 32


def test_nothing_grows_before_init(core):
    core.fresh(init=False)
    assert core.lib.mempool_growable(0) == 0
    assert core.lib.mempool_grow(0, 1) == RANGE
    assert core.lib.mempool_shrink(0) == 0
    core.lib.mempool_init()
    assert core.lib.mempool_grow(0, 1) == 1


@pytest.mark.parametrize("extent", [1, 3, 40])
def test_a_block_in_use_keeps_its_extent(core, extent):
    """Wherever in the extent it is; and the others stay as good as they were."""
    built = core.pool_info(0)[2]
    assert core.lib.mempool_grow(0, extent) == extent
    for kept in range(built, built + extent):
        handles = take_all(core, 0)
        assert len(handles) == built + extent
        for index, handle in handles.items():
            assert index == kept or core.lib.mempool_give(handle) == OK
        core.lib.mempool_pressure_look()
        before = core.stats(0)
        assert core.lib.mempool_shrink(0) == 0
        assert core.stats(0) == before
        assert core.lib.mempool_check() == 0
        assert core.lib.mempool_give(handles[kept]) == OK
    assert core.lib.mempool_shrink(0) == extent


def test_handles_stay_stale_when_a_block_comes_again(core):
    built = core.pool_info(0)[2]
    dead = []
    for _ in range(3):
        assert core.lib.mempool_grow(0, 2) == 2
        handles = take_all(core, 0)
        for handle in handles.values():
            assert handle not in dead
            assert core.lib.mempool_give(handle) == OK
        for handle in dead:
            assert core.lib.mempool_give(handle) == STALE
            assert core.data(handle) == 0
        dead += [handles[built], handles[built + 1]]
        assert core.lib.mempool_shrink(0) == 2
        for handle in dead:
            assert core.lib.mempool_give(handle) == STALE
            assert core.read(handle, 0, 1) == STALE
        assert core.lib.mempool_give(join(0, 0, built + 2)) == FOREIGN  # this never was one


def test_handles_stay_stale_when_fewer_blocks_come_again(core):
    """What was a block once is known for ever, whether or not the pool is as large again."""
    dead: list[int] = []
    for extent in (8, 2, 8):
        assert core.lib.mempool_grow(0, extent) == extent
        handles = take_all(core, 0)
        for handle in handles.values():
            assert handle not in dead
            assert core.lib.mempool_give(handle) == OK
        dead += handles.values()
        for shrunk in (False, True):
            assert {core.lib.mempool_give(handle) for handle in dead} == {STALE}
            if not shrunk:
                assert core.lib.mempool_shrink(0) == extent


def test_a_reader_has_time_before_an_extent_is_let_go(core):
    """Who looked a handle up just before may still be copying: at least 1 ms."""
    assert core.lib.mempool_grow(0, 1) == 1
    begin = time.monotonic()
    assert core.lib.mempool_shrink(0) == 1
    assert time.monotonic() - begin >= 0.001


def test_an_address_of_an_extent_that_went_is_foreign(core):
    built = core.pool_info(0)[2]
    core.lib.mempool_grow(0, 1)
    handles = take_all(core, 0)
    address = core.data(handles[built])
    for handle in handles.values():
        core.lib.mempool_give(handle)
    assert core.handle_of(address) == STALE
    assert core.lib.mempool_shrink(0) == 1
    assert core.handle_of(address) == FOREIGN
    assert core.free(address) == FOREIGN


def test_limits(core):
    grow = core.lib.mempool_grow
    assert grow(0, 41) == RANGE
    assert [grow(0, 1) for _ in range(5)] == [1, 1, 1, 1, RANGE]  # four extents
    assert core.lib.mempool_growable(0) == 0
    assert grow(4, 17) == EXHAUSTED  # 8704 bytes
    assert core.pool_info(4)[2] == 2
    assert grow(5, 1) == grow(0, 0) == core.lib.mempool_shrink(5) == RANGE
    assert core.lib.mempool_growable(5) == 0


def test_the_arena_is_used_again(core):
    """First fit, between what others have."""
    assert [core.lib.mempool_grow(pool, 4) for pool in (1, 2, 3, 4)] == [4, 4, 4, 4]
    assert core.lib.mempool_grow(4, 9) == EXHAUSTED
    assert core.lib.mempool_shrink(2) == 4
    assert core.lib.mempool_grow(1, 8) == 8  # in the hole of 512 bytes
    assert core.lib.mempool_grow(4, 8) == 8
    assert core.lib.mempool_grow(0, 9) == EXHAUSTED  # 256 bytes are left
    assert core.lib.mempool_grow(0, 8) == 8
    seen = []
    for pool, size in enumerate(build.BLOCK_SIZES):
        seen += [(core.data(handle), size) for handle in take_all(core, pool).values()]
    seen.sort()
    assert all(a + size <= b for (a, size), (b, _) in zip(seen, seen[1:], strict=False))


def test_the_reserve_is_kept():
    config = dataclasses.replace(
        GROWING, name="growing-reserve", counts=(4, 4, 4, 4, 4), reserve=2
    )
    core = core_of(config)
    assert core.lib.mempool_grow(0, 3) == 3
    handles = take_all(core, 0)
    spared = [handles.pop(index) for index in (4, 5, 6, 0)]
    for handle in spared:
        core.lib.mempool_give(handle)
    # The extent is free and one block beside it: the two of the reserve would not be left.
    assert core.lib.mempool_shrink(0) == 0
    core.lib.mempool_give(handles.pop(1))
    assert core.lib.mempool_shrink(0) == 3
    assert core.lib.mempool_check() == 0
    core.close()


def test_levels_move_with_the_count():
    core = core_of(dataclasses.replace(GROWING, name="growing-levels", counts=(10, 2, 4, 2, 2)))
    core.lib.mempool_set_pressure_hook(core.ffi.NULL)
    taken = [core.lib.mempool_take(32, 0) for _ in range(9)]
    assert core.edges() == [(0, 1)]  # 9 of 10 are LOW
    assert core.lib.mempool_grow(0, 10) == 10
    assert core.edges() == [(0, 0)]  # 9 of 20 are not
    taken += [core.lib.mempool_take(32, 0) for _ in range(10)]
    assert core.edges() == [(0, 2)]  # 19 of 20: 95 percent
    for handle in taken:
        core.lib.mempool_give(handle)
    core.edges()
    assert core.lib.mempool_shrink(0) == 10
    for _ in range(7):
        core.lib.mempool_take(32, 0)
    assert core.edges() == []
    core.lib.mempool_take(32, 0)
    assert core.edges() == [(0, 1)]
    core.close()
