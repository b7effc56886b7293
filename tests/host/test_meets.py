"""Each call of mempool.h with another whole call in the middle of it, at each of its steps in
turn.

Whatever the two are: every block is held once or free, it is given back once, all numbers agree,
and nothing is left when all is given back. Every order of several threads: test_interleave.py.
"""

from __future__ import annotations

import pytest
from meeting import CONFIGS, LOCKING, MEETS, OTHERS, RESIZES, SUMMARY, Meeting, calls_of
from meets import steps


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
