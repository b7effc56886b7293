"""What is rarely done, met by what runs beside it, scene by scene: resizes, quotas, hooks, ages,
starts, the heap. What every meeting must leave as it was: test_meets.py.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading

import corebuild as build
import pytest
from meeting import GROWING, HEAP, MEETS, POISON, Meeting
from meets import MeetingCore, elsewhere, steps
from modelparts import CRITICAL, EXHAUSTED, FOREIGN, HEAP_OK, OK, PYTHON, RANGE, split


@pytest.mark.parametrize("call", ["data", "check"])
def test_an_extent_goes_while_its_block_is_looked_at(meeting_of, call):
    """Who looked a handle up gets the block's place or none; poison looks at none that went."""
    meeting = meeting_of(GROWING)
    core, lib = meeting.core, meeting.lib
    extra: list[int] = []

    def goes():
        assert call == "check" or lib.mempool_give(extra[0]) == OK
        assert lib.mempool_shrink(0) == 1

    def ready():
        lib.mempool_shrink(0)
        assert lib.mempool_grow(0, 1) == 1
        held = [lib.mempool_take(32, 0) for _ in range(4)]
        extra[:] = [handle for handle in held if split(handle)[2] >= 3]
        for handle in held:
            assert handle in extra and call == "data" or lib.mempool_give(handle) == OK
        return lib.mempool_check if call == "check" else lambda: core.data(extra[0])

    assert set(steps(core, ready, goes, locks=True)) == {0}


def test_a_new_hook_is_told_what_it_is_rung_for(meeting_of):
    """A level that rises while the hook is set: who is rung for it is told of it, too."""
    meeting = meeting_of(MARKS)
    core, lib = meeting.core, meeting.lib
    rung: list[bool] = []
    hook = core.ffi.callback("void(void)", lambda: rung.append(True))
    held: list[int] = []

    def ready():
        for handle in held:
            assert lib.mempool_give_flags(handle, 0) == OK
        held[:] = [lib.mempool_take_flags(32, 0, 0) for _ in range(7)]
        lib.mempool_set_pressure_hook(core.ffi.NULL)
        core.edges()
        rung.clear()
        return lambda: lib.mempool_set_pressure_hook(hook)

    for _ in steps(core, ready, lambda: held.append(lib.mempool_take_flags(32, 0, 0))):
        edges = core.edges()
        assert edges == [(0, 1)] if rung else edges in ([], [(0, 1)])
    lib.mempool_set_pressure_hook(core.ffi.NULL)


@pytest.mark.parametrize("call", ["handle_of", "free", "data"])
def test_an_address_is_found_while_another_pool_grows_over_where_it_was(meeting_of, call):
    """TINY grew, shrank, and SMALL has the memory; TINY grows elsewhere meanwhile."""
    config = dataclasses.replace(GROWING, name="meets-moving", counts=(1, 1, 2, 1, 1), grow=4)
    meeting = meeting_of(config)
    core, lib = meeting.core, meeting.lib
    held = [0]

    def clear():
        for pool in (0, 1):
            while lib.mempool_shrink(pool) > 0:
                pass

    def ready():
        assert not held[0] or lib.mempool_give(held[0]) in (OK, lib.MEMPOOL_E_STALE)
        clear()
        assert lib.mempool_grow(0, 4) == 4 and lib.mempool_shrink(0) == 4
        assert lib.mempool_grow(1, 2) == 2
        both = [lib.mempool_take(64, 0) for _ in range(3)]
        held[0] = next(handle for handle in both if split(handle)[2] == 1)
        assert all(handle == held[0] or lib.mempool_give(handle) == OK for handle in both)
        address = core.data(held[0])
        calls = {
            "handle_of": lambda: core.handle_of(address) == held[0],
            "free": lambda: core.free(address) == OK,
            "data": lambda: core.data(held[0]) == address,
        }
        return calls[call]

    threads: list[threading.Thread] = []

    def grow():  # it may have to wait for the call
        threads.append(threading.Thread(target=lambda: grown.append(lib.mempool_grow(0, 4))))
        threads[-1].start()
        threads[-1].join(0.03)

    grown: list[int] = []
    for right in steps(core, ready, grow):
        threads.pop().join()
        assert right and grown.pop() == 4
    lib.mempool_give(held[0])
    clear()


def test_what_c_adopts_is_not_reclaimed(meeting_of):
    """One of the two has it: C, or the collector, whichever was first."""
    meeting = meeting_of(MEETS)
    adopted = [OK]
    seen = set()

    def ready():
        if meeting.taken:
            meeting.settle()
        meeting.ready()
        return meeting.reclaim

    for reclaimed in steps(
        meeting.core, ready, lambda: adopted.__setitem__(0, meeting.adopt_for_c())
    ):
        seen.add((reclaimed, adopted[0]))
    meeting.settle()
    assert seen == {(OK, meeting.lib.MEMPOOL_E_STALE), (FOREIGN, OK)}


@pytest.mark.parametrize("pools", ["all", "one"])
def test_statistics_are_of_one_moment(meeting_of, pools):
    """A pool grows and shrinks in the middle of them: they are as before, or as after."""
    meeting = meeting_of(GROWING)
    core, lib = meeting.core, meeting.lib

    def look() -> dict[str, int]:
        stats = core.stats() if pools == "all" else core.stats(0)
        del stats["level"]  # moves when somebody looks
        return stats

    held = [lib.mempool_take(32, 0) for _ in range(2)]
    moments = []

    def ready():
        while lib.mempool_shrink(0) > 0:
            pass
        moments[:] = [look()]
        return look

    def grow():
        assert lib.mempool_grow(0, 20) == 20
        moments.append(look())

    for stats in steps(core, ready, grow, locks=True):
        assert stats in moments
    assert moments[0]["used"] == moments[-1]["used"] == 64
    assert all(lib.mempool_give(handle) == OK for handle in held)


def test_statistics_in_the_middle_of_a_resize(meeting_of):
    """Whoever resizes may be stopped for longer than a reader tries again: then what the reader
    says is still possible."""
    meeting = meeting_of(GROWING)
    for call, blocks in (("grow", 1), ("shrink", 1)):

        def ready(call=call):
            while meeting.lib.mempool_shrink(0) > 0:
                pass
            assert call == "grow" or meeting.grow() == 1
            return getattr(meeting, call)

        assert set(steps(meeting.core, ready, meeting.stats, locks=False)) == {blocks}


MARKS = build.Config(
    "meets-marks", counts=(10, 2, 2, 2, 2), low=80, critical=95, grow=10, arena=1024, owners=1
)


@pytest.mark.parametrize("other", ["grow", "shrink"])
@pytest.mark.parametrize("call", ["take", "give_flags", "look"])
def test_levels_begin_where_they_do_in_a_pool_of_its_size(meeting_of, call, other):
    """Whatever a resize came into the middle of."""
    meeting = meeting_of(MARKS)
    core, lib = meeting.core, meeting.lib
    resize = {"grow": lambda: lib.mempool_grow(0, 10), "shrink": lambda: lib.mempool_shrink(0)}

    def empty():
        for handle in meeting.taken - set(meeting.given):
            assert lib.mempool_give(handle) == OK
        meeting.taken, meeting.given, meeting.held = set(), [], []
        core.edges()

    for used, most in itertools.product(range(1, 10), (0, 8, 10)):

        def ready(used=used, most=most):
            empty()
            while lib.mempool_shrink(0) > 0:
                pass
            assert other == "grow" or resize["grow"]() == 10
            meeting.held = [meeting.take() for _ in range(max(used, most))]
            core.edges()
            while len(meeting.held) > used:  # the level falls later than it rose
                meeting.give_flags()
                del meeting.held[0]
            return getattr(meeting, call)

        for _ in steps(core, ready, resize[other], locks=True):
            empty()
            begins = {}
            blocks = core.pool_info(0)[2]
            for now in range(1, blocks + 1):
                assert meeting.take() > 0
                begins |= {level: now for _, level in core.edges()}
            assert begins == {1: blocks * 8 // 10, 2: -(blocks * 95 // -100)}
    empty()


@pytest.mark.parametrize("new", [32, 64, 1000, 0])
@pytest.mark.parametrize("call", ["take_owned", "give_other"])
def test_a_quota_that_changes_within_a_call(meeting_of, call, new):
    """The call counts as what it is: the peak is the most that was used."""
    meeting = meeting_of(MEETS)
    core, lib = meeting.core, meeting.lib

    def ready():
        if meeting.taken:
            meeting.settle()
        core.owner_open(b"own", 1000)
        lib.mempool_reset_stats()
        meeting.ready()
        return getattr(meeting, call)

    for _ in steps(core, ready, lambda: core.owner_open(b"own", new), locks=True):
        used = 32 * (1 + (call == "take_owned" and len(meeting.taken) > len(meeting.held)))
        _, quota, now, peak, denied = core.owner_info(meeting.owner)
        assert (quota, now) == (new, used if call == "take_owned" else 0)
        assert peak == used and denied == (call == "take_owned" and used == 32)
    meeting.settle()


def test_a_full_table_of_owners_is_looked_at_again(meeting_of):
    """The last block of an owner that is gone may come back meanwhile, and with it a place."""
    meeting = meeting_of(MEETS)
    core, lib = meeting.core, meeting.lib
    assert core.owner_open(b"other", 0) == 2
    naps = lib.meets_naps()
    assert core.owner_open(b"new", 64) == lib.MEMPOOL_E_OWNERS
    assert lib.meets_naps() == naps, "it waits for owners that live"
    held = [0]
    opened = set()

    def ready():
        for number in range(1, 3):
            lib.mempool_owner_close(number, 0)
        assert core.owner_open(b"own", 0) == 1 and core.owner_open(b"other", 0) == 2
        held[0] = lib.mempool_take(32, 1)
        assert lib.mempool_owner_close(1, 0) == OK
        return lambda: core.owner_open(b"new", 64)

    for result in steps(core, ready, lambda: lib.mempool_give(held[0])):
        opened.add(result)
        assert result == 1 or core.owner_open(b"new", 64) == 1
        assert core.owner_info(1)[:3] == (b"new", 64, 0)
    lib.mempool_give(held[0])
    assert opened == {1, lib.MEMPOOL_E_OWNERS} and meeting.core.stats()["used"] == 0


@pytest.mark.parametrize("other", ["churn", "adopt", "take"])
def test_an_age_that_has_come_round_meets(meeting_of, other):
    """The stamp of a block that was held for years is moved, and not that of its next holder."""
    meeting = meeting_of(MEETS)
    core = meeting.core
    young: list[int] = []

    def ready():
        if meeting.held:
            meeting.settle()
        core.tick = 1
        meeting.ready()
        core.tick = 0x90000000
        return lambda: core.leaks(0, 64)

    for leaks in steps(core, ready, getattr(meeting, other)):
        ages = {handle: age_ms for handle, _, _, age_ms in leaks}
        for handle in set(meeting.held) - set(meeting.given):
            assert ages[handle] == 0xFFFFFFFF
        after = {handle: age_ms for handle, _, _, age_ms in core.leaks(0, 64)}
        young = [age for handle, age in after.items() if handle not in meeting.held]
        assert set(young) <= {0}, "a new holder's block is old"
    meeting.settle()


@pytest.mark.parametrize("again", [False, True])
def test_a_damaged_block_is_taken_while_it_is_looked_at(meeting_of, again):
    """Then it is the taker's to say; who looks says what is so all the while it looks."""
    meeting = meeting_of(POISON)
    core, lib = meeting.core, meeting.lib
    hits = [0]

    def take():
        for _ in range(2):
            handle = lib.mempool_take_flags(512, 0, CRITICAL)
            assert handle > 0
            assert not again or lib.mempool_give(handle) == OK

    def ready():
        lib.mempool_reset_stats()
        for handle, *_ in core.leaks(0, 8):
            assert lib.mempool_give(handle) == OK
        handle = lib.mempool_take(512, 0)
        data = core.payload(handle, 512)
        assert lib.mempool_give(handle) == OK
        data[0] = b"x"
        hits[0] = lib.mempool_poison_hits()
        return lib.mempool_check

    more = set()
    for found in steps(core, ready, take):
        more.add(found - hits[0])
        assert lib.mempool_poison_hits() == hits[0] + 1
    assert more == {0, 1}


def test_a_resize_waits_for_another(meeting_of):
    """One at a time; and what there was room for before may be too much then."""
    meeting = meeting_of(GROWING)
    lib = meeting.lib
    threads: list[threading.Thread] = []
    results: list[int] = []

    def other():
        threads.append(elsewhere(lib.meets_naps, lambda: results.append(lib.mempool_grow(0, 20))))

    def ready():
        while lib.mempool_shrink(0) > 0:
            pass
        return lambda: lib.mempool_grow(0, 20)

    seen = set()
    for mine in steps(meeting.core, ready, other):
        threads.pop().join()
        seen.add((mine, results.pop()))
    assert seen == {(20, RANGE), (RANGE, 20)}


def test_a_start_waits_for_another():
    """Whoever comes while another starts the pools finds them full."""
    for step in range(1, 40, 3):
        core = MeetingCore(MEETS).fresh(init=False)
        threads = []

        def other(core=core, threads=threads):
            threads.append(elsewhere(core.lib.meets_naps, core.lib.mempool_init))

        then = core.ffi.callback("void(void)", other)
        core.lib.meets_at(step, then, False)
        core.lib.mempool_init()
        core.lib.meets_at(0, core.ffi.NULL, False)
        threads.pop().join()
        assert core.stats()["free"] == core.stats()["capacity"]
        assert core.lib.mempool_check() == 0
        core.close()


def test_a_write_to_noinit_waits_for_another(meeting_of):
    meeting = meeting_of(MEETS)
    core, lib = meeting.core, meeting.lib
    threads = []

    def other():
        threads.append(
            elsewhere(lib.meets_naps, lambda: lib.mempool_noinit_write(0, b"B" * 64, 64))
        )

    def ready():
        return lambda: lib.mempool_noinit_write(0, b"A" * 64, 64)

    for written in steps(core, ready, other):
        threads.pop().join()
        assert written == 64 and lib.mempool_noinit_valid()
        assert bytes(core.ffi.buffer(lib.mempool_noinit_data(), 64)) in (b"A" * 64, b"B" * 64)


# ---- The heap ----------------------------------------------------------------------------------


def heap_take(meeting: Meeting, size: int = 1000) -> int:
    return meeting.lib.mempool_take_flags(size, 0, HEAP_OK | PYTHON)


def test_the_heap_is_out_of_memory(meeting_of):
    meeting = meeting_of(HEAP)
    meeting.lib.meets_no_memory = True
    assert heap_take(meeting) == EXHAUSTED
    assert meeting.lib.mempool_take_flags(1000, meeting.core.owner_open(b"own", 0), HEAP_OK) < 0
    assert meeting.core.owner_info(meeting.owner)[2:4] == (0, 0), "a peak of what was never held"
    meeting.lib.meets_no_memory = False
    handle = heap_take(meeting)
    assert handle > 0 and meeting.core.stats()["heap_used"] == 1000
    assert meeting.lib.mempool_give(handle) == OK
    assert meeting.core.stats()["heap_used"] == 0 and meeting.lib.mempool_check() == 0


@pytest.mark.parametrize("call", ["take", "give", "leaks", "handle_of", "reclaim", "inspect"])
@pytest.mark.parametrize("other", ["take", "give"])
def test_heap_blocks_that_meet(meeting_of, call, other):
    """Blocks of the heap are taken and given back at any moment of what else is done to them."""
    meeting = meeting_of(HEAP)
    core, lib = meeting.core, meeting.lib
    held: list[int] = []

    def take() -> int:
        held.append(heap_take(meeting))
        return held[-1]

    calls = {
        "take": take,
        "give": lambda: lib.mempool_give(held[0]),
        "leaks": lambda: len(core.leaks(0, 8)),
        "handle_of": lambda: core.handle_of(core.data(held[0])),
        "reclaim": lib.mempool_reclaim_python,
        "inspect": lambda: core.inspect(held[0]),
    }

    def ready():
        lib.mempool_reclaim_python()
        assert core.stats()["heap_used"] == 0
        held[:] = [heap_take(meeting), heap_take(meeting)]
        return calls[call]

    for _ in steps(core, ready, calls[other], locks=True):
        assert len(set(held)) == len(held)
        assert core.stats()["heap_used"] == 1000 * len(core.leaks(0, 8))
        assert lib.mempool_check() == 0
