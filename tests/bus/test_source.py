"""Event sources: what they publish, that the sequence counts what is lost, and gaps as a receiver
counts them. On interrupts of the targets: tests/mpy/bus_sources.py."""

from __future__ import annotations

import cbor2
import pytest
from busconfig import SMALL, TINY
from buslib import (
    CRITICAL,
    E_EXHAUSTED,
    E_FULL,
    E_PRIORITY,
    E_TOPIC,
    E_TOPICS,
    HIGH,
    LOW,
    NORMAL,
    OK,
    TASK,
    Bus,
)

LARGEST = 37  # EVENTBUS_SOURCE_BYTES
TOP = (1 << 32) - 1


class Source:
    def __init__(self, bus: Bus, topic: bytes = b"door.front", priority: int = NORMAL):
        self.bus = bus
        self.c = bus.ffi.new("eventbus_source_t *")
        assert self.open(topic, priority) == OK

    def open(self, topic: bytes, priority: int) -> int:
        # An enum's values wrap, so that bad ones can be passed.
        priority = self.bus.ffi.cast("eventbus_priority_t", priority & TOP)
        return self.bus.lib.eventbus_source_open(self.c, topic, priority)

    def fire(self, timestamp_us: int = 0, level: bool = False) -> int:
        return self.bus.lib.eventbus_source_fire(self.c, timestamp_us, level)

    def counts(self) -> tuple[int, int, int]:
        out = self.bus.ffi.new("eventbus_source_counts_t *")
        self.bus.lib.eventbus_source_counts(self.c, out)
        return out.fired, out.published, out.lost


@pytest.fixture
def bus():
    with Bus(SMALL) as made:
        yield made


def drained(bus: Bus) -> list[dict[str, int]]:
    return [cbor2.loads(payload) for payload, _ in bus.drain(TASK)]


@pytest.mark.parametrize("timestamp_us", [0, 23, 24, 255, 256, 65535, 65536, TOP])
@pytest.mark.parametrize("sequence", [0, 23, 24, 255, 256, 65535, 65536, TOP])
def test_an_event_is_a_map_of_three(bus, timestamp_us, sequence):
    bus.subscribe(b"door.*", TASK)
    source = Source(bus)
    source.c.fired = sequence
    for level in (True, False):
        assert source.fire(timestamp_us, level) == OK
    (first, _), (second, _) = bus.drain(TASK)
    expected = {"timestamp": timestamp_us, "level": 1, "sequence": sequence}
    assert list(cbor2.loads(first).items()) == list(expected.items())
    assert cbor2.loads(second) == expected | {"level": 0, "sequence": sequence + 1 & TOP}
    assert len(first) <= LARGEST
    assert first == cbor2.dumps(expected)  # the shortest form of everything
    if (timestamp_us, sequence) == (TOP, TOP):
        assert len(first) == LARGEST


@pytest.mark.parametrize("priority", [CRITICAL, HIGH, NORMAL, LOW])
def test_it_has_its_topic_and_priority(bus, priority):
    bus.subscribe(b"*", TASK)
    source = Source(bus, b"a.b", priority)
    assert source.fire() == OK
    item = bus.next(TASK)
    assert item is not None
    assert (item.header.topic, item.header.priority) == (bus.topic(b"a.b"), priority)
    bus.lib.eventbus_release(item.handle)
    assert source.counts() == (1, 1, 0)


def test_what_finds_no_slot_is_lost_and_leaves_a_gap(bus):
    bus.subscribe(b"*", TASK)
    source = Source(bus)
    results = [source.fire() for _ in range(SMALL.queue + 3)]
    assert results == [OK] * SMALL.queue + [E_FULL] * 3
    assert source.counts() == (SMALL.queue + 3, SMALL.queue, 3)
    assert bus.stats()["refused"] == 3
    assert [event["sequence"] for event in drained(bus)] == list(range(SMALL.queue))
    assert source.fire() == OK
    assert [event["sequence"] for event in drained(bus)] == [SMALL.queue + 3]
    assert bus.used() == [0] * 5


def test_what_finds_no_block_is_lost():
    with Bus(TINY) as bus:
        bus.subscribe(b"*", TASK)
        source = Source(bus)
        held = []
        while (handle := bus.lib.mempool_take(64, 0)) > 0:
            held.append(handle)
        assert source.fire() == E_EXHAUSTED
        for handle in held:
            bus.lib.mempool_give(handle)
        assert source.fire() == OK
        assert [event["sequence"] for event in drained(bus)] == [1]
        assert source.counts() == (2, 1, 1)
        assert bus.used() == [0] * 5


def test_what_makes_way_is_published_and_leaves_a_gap(bus):
    sub = bus.subscribe(b"*", TASK)
    source = Source(bus)
    for _ in range(SMALL.queue):
        assert source.fire() == OK
    assert bus.publish(b"urgent", CRITICAL, cbor2.dumps({})) == OK
    assert source.counts() == (SMALL.queue, SMALL.queue, 0)
    assert [event["sequence"] for event in drained(bus)[1:]] == list(range(1, SMALL.queue))
    assert bus.counts(sub) == (SMALL.queue, 1)


def test_without_a_subscriber_it_is_published_and_takes_nothing(bus):
    source = Source(bus)
    assert source.fire() == OK
    assert source.counts() == (1, 1, 0)
    assert bus.used() == [0] * 5


def test_what_cannot_be_opened_is_as_it_was(bus):
    bus.subscribe(b"*", TASK)
    source = Source(bus, b"a", HIGH)
    assert source.fire() == OK
    for topic in (b"", b"a..b", b"a.*", b"x" * 64):
        assert source.open(topic, NORMAL) == E_TOPIC
    for priority in (-1, 4, 1 << 31):
        assert source.open(b"b", priority) == E_PRIORITY
    for n in range(SMALL.topics):
        bus.topic(b"t%d" % n)
    assert source.open(b"one.more", NORMAL) == E_TOPICS
    assert source.fire() == OK
    assert [event["sequence"] for event in drained(bus)] == [0, 1]
    assert source.counts() == (2, 2, 0)
    assert source.open(b"a", LOW) == OK  # and anew
    assert source.counts() == (0, 0, 0)


def test_one_that_was_never_opened_publishes_nothing(bus):
    bus.subscribe(b"*", TASK)
    source = Source(bus)
    source.c = bus.ffi.new("eventbus_source_t *")
    assert source.fire() == E_TOPIC
    assert source.counts() == (1, 0, 1)
    assert drained(bus) == []


# Sequences as they come, and what is missing before each.
GAPS = {
    "nothing": [(0, 0), (1, 0), (2, 0)],
    "counting begins with the first": [(7, 0), (8, 0)],
    "some": [(0, 0), (3, 2), (4, 0), (6, 1)],
    "over the wrap": [(TOP - 1, 0), (TOP, 0), (0, 0), (1, 0)],
    "some over the wrap": [(TOP - 1, 0), (1, 2), (2, 0)],
    "the longest": [(0, 0), (1 << 31, (1 << 31) - 1), ((1 << 31) + 1, 0)],
    "further ahead is behind": [(0, 0), ((1 << 31) + 1, 0), ((1 << 31) + 3, 1)],
    "a source anew": [(100, 0), (0, 0), (1, 0), (3, 1)],
    "twice the same": [(5, 0), (5, 0), (6, 0)],
}


@pytest.mark.parametrize("what", GAPS)
def test_gaps(bus, what):
    gap = bus.ffi.new("eventbus_gap_t *")
    found = [bus.lib.eventbus_gap_check(gap, sequence) for sequence, _ in GAPS[what]]
    assert found == [missing for _, missing in GAPS[what]]
    assert gap.missing == sum(found)
