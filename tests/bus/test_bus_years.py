"""What the bus's numbers and counts do after years: they are set close to where they wrap."""

from __future__ import annotations

import pytest
from busconfig import SMALL
from buslib import CALLBACK, E_STALE, HIGH, LISTENER, LOW, NORMAL, OK, PYTHON, TASK, Bus

GENERATIONS = 2**23 - 1


@pytest.fixture
def bus():
    with Bus(SMALL) as made:
        yield made


def index_of(number: int) -> int:
    return (number & 255) - 1


def test_a_subscription_is_stale_until_its_place_was_used_so_often(bus):
    first = bus.subscribe(b"a", PYTHON)
    assert bus.unsubscribe(first) == (0, 0)
    sub = bus.core.subs[index_of(first)]
    for uses in (1, 2**8, 2**15 - 1, 2**15, 2**16, 2**22, GENERATIONS - 2, GENERATIONS - 1):
        # As if the place had been used so often, less one; then it is, once more.
        sub.generation = (first >> 8) + uses - 1
        if sub.generation > GENERATIONS:
            sub.generation -= GENERATIONS
        number = bus.subscribe(b"a", PYTHON)
        assert number > 0 and index_of(number) == index_of(first)
        assert number != first
        assert bus.counts(first) == E_STALE and bus.unsubscribe(first) == E_STALE
        assert bus.lib.eventbus_counts(first, bus.ffi.new("eventbus_counts_t *")) == E_STALE
        assert bus.counts(number) == (0, 0)
        bus.publish(b"a", NORMAL)
        assert bus.drain(PYTHON)[0][1] == [number]
        assert bus.unsubscribe(number) == (1, 0)
    assert bus.subscribe(b"a", PYTHON) == first  # after 2^23 - 1 uses


def test_no_number_is_below_1(bus):
    first = bus.subscribe(b"a", PYTHON)
    bus.unsubscribe(first)
    bus.core.subs[index_of(first)].generation = GENERATIONS - 1
    last, again = bus.subscribe(b"a", PYTHON), 0
    assert last == GENERATIONS << 8 | index_of(first) + 1 < 2**31
    assert bus.unsubscribe(last) == (0, 0)
    again = bus.subscribe(b"a", PYTHON)
    assert again >> 8 == 1


@pytest.mark.parametrize("start", [2**31 - 3, 2**32 - 3])
def test_events_reach_whom_they_are_for_where_seq_comes_round(bus, start):
    bus.core.seq = start
    one = bus.subscribe(b"a", PYTHON)
    bus.publish(b"a", NORMAL, b"\x01")
    two = bus.subscribe(b"a", PYTHON)  # not for the event that waits
    for value in (2, 3, 4, 5):
        bus.publish(b"a", NORMAL, bytes([value]))
    got = bus.drain(PYTHON)
    assert [payload for payload, _ in got] == [bytes([value]) for value in (1, 2, 3, 4, 5)]
    assert got[0][1] == [one]
    assert all(called == [one, two] for _, called in got[1:])
    assert bus.core.seq == (start + 5) % 2**32


@pytest.mark.parametrize("start", [2**31 - 3, 2**32 - 3])
def test_the_oldest_makes_way_where_seq_comes_round(bus, start):
    bus.core.seq = start
    bus.subscribe(b"a", PYTHON)
    bus.subscribe(b"b", TASK)
    for i in range(SMALL.queue):
        bus.publish(b"ab"[i % 2 : i % 2 + 1], LOW, bytes([i]))
    for _ in range(3):
        assert bus.publish(b"a", HIGH, b"\x17") == OK
    assert [payload for payload, _ in bus.drain(TASK)] == [b"\x03", b"\x05", b"\x07"]
    assert [p for p, _ in bus.drain(PYTHON)] == [b"\x17"] * 3 + [b"\x04", b"\x06"]


@pytest.mark.parametrize("start", [2**31 - 2, 2**32 - 2])
def test_counts_come_round(bus, start):
    number = bus.subscribe(b"a", PYTHON)
    sub, lane = bus.core.subs[index_of(number)], bus.core.lane[PYTHON]
    bus.core.published = bus.core.refused = lane.calls = start
    bus.core.dropped[LOW] = sub.counts.delivered = sub.counts.dropped = start
    full = SMALL.queue
    for _ in range(full):
        bus.publish(b"a", LOW)
    for _ in range(4):
        assert bus.publish(b"a", NORMAL) == OK  # one of LOW makes way
    for _ in range(4):
        assert bus.publish(b"a", LOW) < 0
    assert bus.publish(b"nobody", LOW) == OK
    assert len(bus.drain(PYTHON)) == full
    stats = bus.stats()
    assert stats["published"] == (start + full + 5) % 2**32
    assert stats["dropped"][LOW] == (start + 4) % 2**32
    assert stats["refused"] == (start + 4) % 2**32
    assert stats["delivered"] == (start + full) % 2**32
    assert bus.counts(number) == ((start + full) % 2**32, (start + 4) % 2**32)


def test_the_mean_goes_on_after_2_to_the_31_calls(bus):
    bus.subscribe(b"a", PYTHON)
    lane = bus.core.lane[PYTHON]
    lane.timed, lane.latency_sum_us = 2**31 - 3, (2**31 - 3) * 1000
    for _ in range(6):
        bus.publish(b"a", NORMAL)
        bus.lib.fake.us += 1000
        bus.drain(PYTHON)
        assert bus.latency() == (1000, 1000)
    assert lane.timed < 2**31
    # A sum of the longest latencies that there can be does not overflow.
    lane.timed, lane.latency_sum_us = 2**31 - 2, (2**31 - 2) * (2**32 - 1)
    for _ in range(3):
        bus.publish(b"a", NORMAL)
        bus.lib.fake.us = (bus.lib.fake.us + 2**32 - 1) % 2**32
        bus.drain(PYTHON)
        assert bus.latency() == (2**32 - 1, 2**32 - 1)


def test_the_sequence_of_a_source_and_its_gaps_come_round(bus):
    source = bus.ffi.new("eventbus_source_t *")
    assert bus.lib.eventbus_source_open(source, b"door", HIGH) == OK
    bus.subscribe(b"door", PYTHON, CALLBACK)
    source.fired = 2**32 - 2
    gap = bus.ffi.new("eventbus_gap_t *")
    for _ in range(4):
        assert bus.lib.eventbus_source_fire(source, 5, True) == OK
    sequences = [payload[-5:] if payload[-5] == 0x1A else payload[-1:]
                 for payload, _ in bus.drain(PYTHON)]  # fmt: skip
    assert sequences == [b"\x1a\xff\xff\xff\xfe", b"\x1a\xff\xff\xff\xff", b"\x00", b"\x01"]
    assert [bus.lib.eventbus_gap_check(gap, n) for n in (2**32 - 2, 2**32 - 1, 0, 3)] == [
        0
    ] * 3 + [2]
    counts = bus.ffi.new("eventbus_source_counts_t *")
    bus.lib.eventbus_source_counts(source, counts)
    assert (counts.fired, counts.lost, counts.published) == (2, 0, 2)


def test_a_listener_counts_like_the_others(bus):
    """The names of both kinds of subscription are of one table, and come round alike."""
    ring = bus.ffi.new("fake_listener_t *", {"depth": 4})
    push = bus.ffi.addressof(bus.lib, "fake_push")
    first = bus.subscribe(b"a", PYTHON, LISTENER, push=push, ctx=ring)
    bus.core.subs[index_of(first)].counts.delivered = 0
    bus.unsubscribe(first)
    bus.core.subs[index_of(first)].generation = GENERATIONS
    assert bus.subscribe(b"a", PYTHON) >> 8 == 1
