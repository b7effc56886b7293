"""Topics and patterns against the contract's sentence, and the table that they are kept in."""

from __future__ import annotations

import re

import pytest
from busconfig import BusConfig
from buslib import E_TOPIC, E_TOPICS, NORMAL, OK, PYTHON, TASK, Bus
from busmodel import matches
from corelib import SCALE
from hypothesis import example, given, settings
from hypothesis import strategies as st

FEW = BusConfig("bus-few-topics", topics=17, subscribers=33)

# Few different levels, so that random patterns match random topics.
LEVEL = st.sampled_from([b"a", b"b", b"ab", b"abc", b"\xc3\xa9"])
TOPIC = st.lists(LEVEL, min_size=1, max_size=5).map(b".".join)
PATTERN = st.lists(st.one_of(LEVEL, st.just(b"*")), min_size=1, max_size=5).map(b".".join)
# What may be malformed.
TEXT = st.lists(st.sampled_from([b"a", b"bc", b".", b"*", b"..", b"x" * 30]), max_size=8)


@pytest.fixture
def bus():
    with Bus(FEW) as made:
        yield made


def is_topic(text: bytes) -> bool:
    return 1 <= len(text) <= 63 and re.fullmatch(rb"[^.*]+(\.[^.*]+)*", text) is not None


def is_pattern(text: bytes) -> bool:
    """A topic in which levels are a lone `*`."""
    return all(level == b"*" or is_topic(level) for level in text.split(b".")) and len(text) <= 63


def test_the_contract_by_hand():
    """The oracle itself."""
    for pattern, good, bad in [
        ("a.b", "a.b", "a a.b.c ab a.c"),
        ("*", "a a.b a.b.c", ""),
        ("sensor.*.updated", "sensor.t.updated", "sensor.updated sensor.a.b.updated"),
        ("a.*", "a.b a.b.c", "a b.a"),
        ("*.*", "a.b a.b.c", "a"),
        ("*.b", "a.b b.b", "b a.b.c a.a.b"),
    ]:
        assert all(matches(pattern.encode(), topic.encode()) for topic in good.split())
        assert not any(matches(pattern.encode(), topic.encode()) for topic in bad.split())


@settings(max_examples=2500 * SCALE)
@given(PATTERN, TOPIC)
@example(b"*", b"a" * 63)
@example(b"a.*", b"a")
@example(b"*.a", b"b.ab")
@example(b"ab", b"a.b")
def test_match(bus, pattern, topic):
    got = bus.lib.eventbus_match(pattern, len(pattern), topic, len(topic))
    assert got == matches(pattern, topic)


@settings(max_examples=1000 * SCALE)
@given(TOPIC, st.lists(st.integers(0, 2), min_size=5, max_size=5))
def test_match_of_a_topic_turned_into_a_pattern(bus, topic, how):
    levels = topic.split(b".")
    pattern = b".".join(
        b"*" if turn == 0 else level for level, turn in zip(levels, how, strict=False)
    )
    assert bus.lib.eventbus_match(pattern, len(pattern), topic, len(topic))
    if b"*" not in pattern:
        longer = topic + b".a"
        assert not bus.lib.eventbus_match(pattern, len(pattern), longer, len(longer))


@settings(max_examples=1500 * SCALE)
@given(TEXT.map(b"".join))
@example(b"")
@example(b"a" * 63)
@example(b"a" * 64)
@example(b"a" * 61 + b".*")
@example(b"a" * 62 + b".*")
@example(b"*a")
@example(b"a*")
@example(b"**")
@example(b"*.*")
@example(b".a")
@example(b"a.")
@example(b".")
@example(b"\xff\x80")
def test_well_formed(bus, text):
    check_topic, check_pattern = bus.lib.eventbus_check_topic, bus.lib.eventbus_check_pattern
    assert check_topic(text, len(text)) == (OK if is_topic(text) else E_TOPIC)
    assert check_pattern(text, len(text)) == (OK if is_pattern(text) else E_TOPIC)


# -- the table --


def intern(bus: Bus, name: bytes, keep: bool = False) -> int:
    return bus.lib.eventbus_intern(bus.core, name, len(name), keep)


def name_of(bus: Bus, number: int) -> bytes:
    length = bus.ffi.new("size_t *")
    text = bus.lib.eventbus_topic_name(number, length)
    assert bus.ffi.string(text) == bytes(bus.ffi.buffer(text, length[0]))
    return bus.ffi.string(text)


def fnv1a(name: bytes) -> int:
    value = 2166136261
    for byte in name:
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


# The same hash, as is known of FNV-1a; and others with the same place in 64 buckets.
SAME_HASH = (b"costarring", b"liquid")


# Names whose buckets lie around the end of the table, where look-ups come round.
SAME_PLACE = [name for name in (b"n%d" % i for i in range(600)) if fnv1a(name) % 64 in (62, 63)]


def test_full_table():
    with Bus(FEW) as bus:
        names = [b"a" * i for i in range(1, 18)]
        assert [intern(bus, name) for name in names] == list(range(1, 18))
        assert intern(bus, b"one.more") == E_TOPICS
        assert bus.topic(b"one.more") == E_TOPICS
        assert bus.publish(b"one.more", NORMAL) == E_TOPICS
        assert bus.stats()["refused"] == 1
        assert [bus.topic(name) for name in names] == list(range(1, 18))
        assert [name_of(bus, i + 1) for i in range(17)] == names
        assert not bus.lib.eventbus_topic_is(0)
        assert bus.lib.eventbus_topic_is(17)
        assert not bus.lib.eventbus_topic_is(18)
        assert not bus.lib.eventbus_topic_is(-1)


def test_names_of_one_hash():
    assert fnv1a(SAME_HASH[0]) == fnv1a(SAME_HASH[1])
    with Bus(FEW) as bus:
        assert [intern(bus, name) for name in SAME_HASH] == [1, 2]
        assert [intern(bus, name) for name in SAME_HASH] == [1, 2]
        bus.subscribe(b"liquid", PYTHON)
        assert bus.publish(b"costarring", NORMAL) == OK
        assert bus.drain(PYTHON) == []
        assert bus.publish(b"liquid", NORMAL) == OK
        assert len(bus.drain(PYTHON)) == 1


@settings(max_examples=150 * SCALE)
@given(
    st.lists(st.tuples(st.integers(0, 39), st.booleans()), min_size=1, max_size=17),
    st.lists(st.integers(0, 39), max_size=17),
)
def test_forgotten_topics(first, second):
    """A soft reset: what C registered stays, under its number; the others' places are free."""
    names = [*SAME_HASH, *SAME_PLACE[:18], *(f"t{i}.x".encode() for i in range(20))]
    with Bus(FEW) as bus:
        numbers: dict[bytes, int] = {}
        kept = set()
        for pick, keep in first:
            number = intern(bus, names[pick], keep)
            assert numbers.setdefault(names[pick], number) == number > 0
            if keep:
                kept.add(names[pick])
        for _ in range(2):
            bus.lib.eventbus_forget_topics(bus.core)
            for name, number in numbers.items():
                assert bus.lib.eventbus_topic_is(number) == (name in kept)
            for name in kept:
                assert intern(bus, name) == numbers[name]
        numbers = {name: numbers[name] for name in kept}
        for pick in second:
            number = intern(bus, names[pick])
            if names[pick] in numbers or len(numbers) < 17:
                assert numbers.setdefault(names[pick], number) == number
            else:
                assert number == E_TOPICS
        assert len(set(numbers.values())) == len(numbers)
        for name, number in numbers.items():
            assert intern(bus, name) == number
            assert name_of(bus, number) == name


def test_every_place_is_free_again():
    with Bus(FEW) as bus:
        kept = bus.topic(b"kept")
        for life in range(5):
            numbers = {intern(bus, b"life%d.%d" % (life, i)) for i in range(16)}
            assert numbers | {kept} == set(range(1, 18))
            assert intern(bus, b"one.more") == E_TOPICS
            bus.lib.eventbus_forget_topics(bus.core)


def test_a_topic_that_waits_for_the_task_is_not_forgotten():
    with Bus(FEW) as bus:
        number = intern(bus, b"a.b")
        assert bus.subscribe(b"a.*", TASK) > 0
        assert bus.publish(number, NORMAL) == OK
        bus.lib.eventbus_forget_topics(bus.core)
        assert intern(bus, b"other") != number
        item = bus.next(TASK)
        bus.lib.eventbus_forget_topics(bus.core)  # it is being delivered
        assert name_of(bus, item.header.topic) == b"a.b"
        bus.lib.eventbus_release(item.handle)
        assert bus.next(TASK) is None
        bus.lib.eventbus_forget_topics(bus.core)
        assert not bus.lib.eventbus_topic_is(number)


@settings(max_examples=300 * SCALE)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("subscribe"), PATTERN, st.sampled_from([PYTHON, TASK])),
            st.tuples(st.just("end"), st.integers(0, 99), st.none()),
            st.tuples(st.just("topic"), TOPIC, st.booleans()),
            st.tuples(st.just("forget"), st.none(), st.none()),
        ),
        max_size=40,
    )
)
def test_matches_are_worked_out_whoever_comes_first(steps):
    """Topics and subscriptions in any order, and places that are used again."""
    with Bus(FEW) as bus:
        subs: dict[int, tuple[bytes, int]] = {}
        topics: dict[bytes, int] = {}
        for what, value, more in steps:
            if what == "subscribe" and len(subs) < 33:
                subs[bus.subscribe(value, more)] = (value, more)
            elif what == "end" and subs:
                number = sorted(subs)[value % len(subs)]
                assert bus.unsubscribe(number) == (0, 0)
                del subs[number]
            elif what == "topic" and (number := intern(bus, value, more)) > 0:
                topics[value] = number
            elif what == "forget":
                bus.lib.eventbus_forget_topics(bus.core)
                topics = {t: n for t, n in topics.items() if bus.lib.eventbus_topic_is(n)}
            for name, number in topics.items():
                wanted = any(matches(pattern, name) for pattern, _ in subs.values())
                assert bus.lib.eventbus_is_wanted(bus.core, number) == wanted
        for name, number in topics.items():
            assert bus.publish(number, NORMAL) == OK
            for lane in (PYTHON, TASK):
                want = {
                    n for n, (pattern, at) in subs.items() if at == lane and matches(pattern, name)
                }
                got = bus.drain(lane)
                assert [set(called) for _, called in got] == ([want] if want else [])


def test_topics_of_one_hash(bus):
    """FNV-1a has the same 32 bits for these two, which are as long as each other."""
    subs = [bus.subscribe(b"declinate", TASK), bus.subscribe(b"macallums", TASK)]
    first, second = bus.topic(b"declinate"), bus.topic(b"macallums")
    assert first != second
    assert (bus.topic(b"declinate"), bus.topic(b"macallums")) == (first, second)
    for topic, sub in zip((first, second), subs, strict=True):
        assert bus.publish(topic, NORMAL) == OK
        assert [called for _, called in bus.drain(TASK)] == [[sub]]


def test_what_is_not_well_formed_matches_nothing(bus):
    match, ffi = bus.lib.eventbus_match, bus.ffi
    for pattern, topic in (
        (b"", b"a"),
        (b"a", b""),
        (b"a.b", b"a."),
        (b"a.*", b"a."),
        (b"a.", b"a"),
    ):
        assert not match(
            ffi.from_buffer(pattern), len(pattern), ffi.from_buffer(topic), len(topic)
        )
    for text in (b"a\0b", b"\0"):
        assert bus.lib.eventbus_check_topic(ffi.from_buffer(text), len(text)) == E_TOPIC
        assert bus.lib.eventbus_check_pattern(ffi.from_buffer(text), len(text)) == E_TOPIC
