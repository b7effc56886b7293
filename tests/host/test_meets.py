"""Each call of mempool.h with another whole call in the middle of it, at each of its steps in
turn.

Whatever the two are: every block is held once or free, it is given back once, all numbers agree,
and nothing is left when all is given back. Every order of several threads: test_interleave.py.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading

import corebuild as build
import pytest
from meets import MeetingCore, elsewhere, steps
from modelparts import (
    CRITICAL,
    EXHAUSTED,
    FOREIGN,
    HEAP_OK,
    OK,
    PYTHON,
    QUOTA,
    RANGE,
    RECLAIM,
    SPILL,
    join,
    split,
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


@pytest.fixture
def meeting_of():
    """meeting_of(config) -> fresh pools, gone when the test is over."""
    made: list[Meeting] = []

    def make(config: build.Config) -> Meeting:
        made.append(Meeting(config))
        return made[-1]

    yield make
    for meeting in made:
        meeting.core.close()


def meet(meeting: Meeting, call: str, other: str, **more) -> int:
    """-> how many steps the call has."""
    count = 0

    def ready():
        if count:
            meeting.settle()
        meeting.ready()
        return getattr(meeting, call)

    within = getattr(meeting, other)
    for _ in steps(meeting.core, ready, within, locks=other in LOCKING, **more):
        count += 1
    meeting.settle()
    return count


@pytest.mark.parametrize(
    ("config", "call"),
    [(config, call) for config in CONFIGS for call in calls_of(config)],
    ids=lambda value: getattr(value, "name", value),
)
def test_any_call_within_another(meeting_of, config, call):
    meeting = meeting_of(config)
    others = OTHERS + (["stats"] if call in RESIZES else RESIZES if config.grow else [])
    assert sum(meet(meeting, call, other) for other in others) >= len(others)


@pytest.mark.parametrize("config", [MEETS, SUMMARY], ids=lambda config: config.name)
@pytest.mark.parametrize(
    ("call", "other", "third"),
    [
        ("take", "take_critical", "give_and_take"),
        ("take", "give_and_take", "give_other_and_take"),
        ("take", "give", "take_critical"),
        ("all_of_medium", "all_of_medium", "give_and_take_medium"),
        ("all_of_medium", "give_medium", "all_of_medium"),
    ],
)
def test_a_take_that_meets_two(meeting_of, config, call, other, third):
    """The last blocks of a pool go to others and come back, at any two of a take's steps."""
    meeting = meeting_of(config)
    for behind in range(1, 12):
        assert meet(meeting, call, other, third=getattr(meeting, third), behind=behind) > 5


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
