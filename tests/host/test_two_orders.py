"""Each call of mempool.h with another whole call in the middle of it, at each of its steps: what
comes of the two is what comes of them one after the other, in one of the two orders.

test_meets.py asks of the same meetings that nothing is lost. Here everything that a caller can see
is compared, and what the pools do from then on: where levels begin, how much an owner may take,
what is told to whom.
"""

from __future__ import annotations

import pytest
from corebuild import Config
from meeting import LOCKING, MEETS, Meeting, calls_of
from meets import steps
from modelparts import CRITICAL, OK, split


class Seen(Meeting):
    address = 0  # of the first block that is held

    def free(self) -> int:
        return self.gave(self.held[0], self.core.free(self.address))

    def outcome(self, result: object) -> object:
        """A result, whichever of several like blocks it is."""
        if isinstance(result, int) and result > 1 << 10:
            return ("block", split(result)[1])
        return result

    def shown(self) -> dict[str, object]:
        core, lib = self.core, self.lib
        seen: dict[str, object] = {}
        for pool in (None, 0, 1, 2):
            stats = core.stats() if pool is None else core.stats(pool)
            del stats["level"]
            seen[f"stats {pool}"] = tuple(sorted(stats.items()))
        seen["owners"] = tuple(core.owner_info(n) for n in (1, 2))
        seen["unowned"] = lib.mempool_unowned()
        seen["leaks"] = tuple(sorted((o, s) for _, o, s, _ in core.leaks(0, 64)))
        seen["edges"] = tuple(core.edges())
        return seen

    def probe(self) -> dict[str, object]:
        """What the pools do from here on."""
        core, lib = self.core, self.lib
        seen: dict[str, object] = {}
        owned = []
        while (handle := lib.mempool_take_flags(32, self.owner, CRITICAL)) > 0:
            owned.append(handle)
        seen["an owner gets"] = (len(owned), handle)
        for handle in owned:
            assert lib.mempool_give(handle) == OK
        for size in (32, 128):
            taken, told = [], []
            while (handle := lib.mempool_take_flags(size, 0, CRITICAL)) > 0:
                taken.append(handle)
                told += [(len(taken), edge) for edge in core.edges()]
            seen[f"of {size}"] = (len(taken), tuple(told))
            told = []
            while taken:
                assert lib.mempool_give(taken.pop()) == OK
                told += [(len(taken), edge) for edge in core.edges()]
            seen[f"back of {size}"] = tuple(told)
        return seen


@pytest.fixture
def seen_of():
    made: list[Seen] = []

    def make(config: Config) -> Seen:
        made.append(Seen(config))
        return made[-1]

    yield make
    for meeting in made:
        meeting.core.close()


def begin(meeting: Seen) -> None:
    meeting.core.owner_open(b"own", 64)
    meeting.lib.mempool_reset_stats()
    meeting.ready()
    meeting.address = meeting.core.data(meeting.held[0])
    meeting.core.edges()


def sequence(meeting: Seen, *names: str) -> tuple:
    meeting.settle()
    begin(meeting)
    results = tuple([meeting.outcome(getattr(meeting, name)()) for name in names])
    return results, meeting.shown() | meeting.probe()


def difference(got: tuple, allowed: list[tuple]) -> object:
    """What is least off."""
    results, seen = got
    off = [{k: (seen[k], one[k]) for k in one if seen[k] != one[k]} for _, one in allowed]
    return results, [one for one, _ in allowed], min(off, key=len)


# In the middle of a call: what only looks, or waits for what is stopped here, has no order to be
# wrong in. What is counted beside a reset is counted or not (mempool.h).
NOT_WITHIN = {"stats", "leaks", "map", "trace", "check", "reset"}
CALLS = [name for name in calls_of(MEETS) if name != "reset"]


@pytest.mark.parametrize("call", CALLS)
def test_two_calls_are_as_one_after_the_other(call, seen_of):
    meeting = seen_of(MEETS)
    begin(meeting)
    for other in [name for name in CALLS if name not in NOT_WITHIN]:
        (mine, its), seen = sequence(meeting, call, other)
        (its_first, mine_then), seen_then = sequence(meeting, other, call)
        allowed = [((mine, its), seen), ((mine_then, its_first), seen_then)]
        inner: list[object] = []

        def ready(inner=inner):
            meeting.settle()
            begin(meeting)
            inner.clear()
            return getattr(meeting, call)

        def within(inner=inner, other=other):
            inner.append(meeting.outcome(getattr(meeting, other)()))

        for result in steps(meeting.core, ready, within, locks=other in LOCKING):
            got = (meeting.outcome(result), inner[0]), meeting.shown() | meeting.probe()
            assert got in allowed, f"{call} met by {other}: {difference(got, allowed)}"
    meeting.settle()
