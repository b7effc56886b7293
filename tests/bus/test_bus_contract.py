"""Direct checks of what eventbus.h promises: errors, limits, blocks and numbers."""

from __future__ import annotations

import dataclasses

import pytest
from busconfig import RESERVE, SMALL
from buslib import (
    CRITICAL,
    E_EXHAUSTED,
    E_FULL,
    E_PAYLOAD,
    E_PRIORITY,
    E_SIZE,
    E_STALE,
    E_SUBSCRIBERS,
    E_TASK,
    E_TOPIC,
    E_TOPICS,
    HIGH,
    LISTENER,
    LOW,
    MAX_PAYLOAD,
    NORMAL,
    OK,
    PYTHON,
    TASK,
    Bus,
)
from meets import elsewhere
from waiting import wait_for

BAD_TOPICS = [b"", b".", b"a.", b".a", b"a..b", b"*", b"a.*", b"a*", b"x" * 64, b"x" * 1000]
BAD_PATTERNS = [b"", b".", b"a.", b".a", b"a..b", b"a*", b"*a", b"a.**", b"x" * 64, b"*." * 32]
BAD_PAYLOADS = {
    "nothing": b"\x18",
    "two items": b"\x01\x01",
    "an item that ends early": b"\x42\x00",
    "a text that ends early": b"\x63ab",
    "an array that ends early": b"\x82\x01",
    "a tag": b"\xc0\x01",
    "an indefinite array": b"\x9f\xff",
    "an indefinite text": b"\x7f\xff",
    "undefined": b"\xf7",
    "a simple value": b"\xf8\x20",
    "a break": b"\xff",
    "a reserved head": b"\x1c",
    "a key that is no text": b"\xa1\x01\x01",
    "no UTF-8": b"\x61\xff",
    "five arrays deep": b"\x81\x81\x81\x81\x80",
    "five maps deep": b"\xa1\x61a" * 4 + b"\xa0",
    "an array of 2^64 - 1": b"\x9b" + b"\xff" * 8,
    "a text of 2^32 - 1": b"\x7a" + b"\xff" * 4,
}


@pytest.fixture
def bus():
    with Bus(SMALL) as made:
        yield made


def nothing_happened(bus: Bus, refused: int = 0) -> None:
    stats = bus.stats()
    assert (stats["published"], stats["refused"]) == (0, refused)
    assert stats["queue_free"] == bus.config.queue
    assert bus.used() == [0] * 5


@pytest.mark.parametrize("topic", BAD_TOPICS, ids=range(len(BAD_TOPICS)))
def test_bad_topics(bus, topic):
    bus.subscribe(b"*", TASK)
    assert bus.topic(topic) == E_TOPIC
    assert bus.publish(topic, NORMAL) == E_TOPIC
    assert not bus.lib.eventbus_topic_is(1)
    nothing_happened(bus)


@pytest.mark.parametrize("number", [0, -1, 1, 2, 16, 17, 255, 1 << 16, (1 << 31) - 1, -(1 << 31)])
def test_bad_numbers_of_topics(bus, number):
    bus.subscribe(b"*", TASK)
    assert bus.publish(number, NORMAL) == E_TOPIC
    nothing_happened(bus)


@pytest.mark.parametrize("pattern", BAD_PATTERNS, ids=range(len(BAD_PATTERNS)))
def test_bad_patterns(bus, pattern):
    call = bus.ffi.cast("eventbus_fn_t", 1)
    assert bus.lib.eventbus_subscribe(pattern, call, bus.ffi.NULL) == E_TOPIC
    for _ in range(20):
        assert bus.subscribe(pattern, PYTHON) == E_TOPIC
    assert bus.subscribe(b"a", PYTHON) > 0


@pytest.mark.parametrize("priority", [-1, 4, 5, 255, 256, 1 << 31])
def test_bad_priorities(bus, priority):
    bus.subscribe(b"*", TASK)
    topic = bus.topic(b"a")
    assert bus.publish(topic, priority) == E_PRIORITY
    assert bus.publish(b"b", priority) == E_PRIORITY
    nothing_happened(bus)


@pytest.mark.parametrize("what", BAD_PAYLOADS)
def test_bad_payloads(bus, what):
    topic = bus.topic(b"a")
    for subscribed in (False, True):
        assert bus.publish(topic, NORMAL, BAD_PAYLOADS[what]) == E_PAYLOAD
        assert bus.publish(b"b", NORMAL, BAD_PAYLOADS[what]) == E_PAYLOAD
        nothing_happened(bus)
        if not subscribed:
            bus.subscribe(b"*", TASK)


def test_no_payload_at_that_address(bus):
    bus.subscribe(b"*", TASK)
    assert bus.lib.eventbus_publish(b"a", NORMAL, bus.ffi.NULL, 1) == E_PAYLOAD
    nothing_happened(bus)


def test_sizes(bus):
    bus.subscribe(b"*", TASK)
    fits = b"\x59" + (MAX_PAYLOAD - 3).to_bytes(2, "big") + bytes(MAX_PAYLOAD - 3)
    assert bus.publish(b"a", NORMAL, fits) == OK
    assert bus.used() == [0, 0, 0, 0, 1]
    too_large = b"\x59" + (MAX_PAYLOAD - 2).to_bytes(2, "big") + bytes(MAX_PAYLOAD - 2)
    assert bus.publish(b"a", NORMAL, too_large) == E_SIZE
    assert bus.lib.eventbus_publish(b"a", NORMAL, fits, (1 << 64) - 1) == E_SIZE
    assert [payload for payload, _ in bus.drain(TASK)] == [fits]
    assert bus.stats()["refused"] == 0


def test_no_payload_is_null(bus):
    sub = bus.subscribe(b"*", TASK)
    assert bus.publish(b"a", NORMAL) == OK
    assert bus.lib.eventbus_publish(b"a", NORMAL, b"ignored", 0) == OK
    assert bus.drain(TASK) == [(b"\xf6", [sub])] * 2


@pytest.mark.parametrize("length", [16, 17, 48, 49, 112, 113, 240, 241, 496])
def test_the_header_lies_at_the_end_of_the_block(bus, length):
    bus.subscribe(b"*", TASK)
    bus.lib.fake.us = 0xFFFFFFFF
    head = {16: b"\x4f", 17: b"\x50"}.get(length, b"\x58" + bytes([(length - 2) & 0xFF]))
    head = head if length < 258 else b"\x59" + (length - 3).to_bytes(2, "big")
    payload = head + bytes(length - len(head))
    assert bus.publish(b"a", HIGH, payload) == OK
    item = bus.next(TASK)
    block = bus.ffi.new("mempool_block_t *")
    assert bus.lib.mempool_inspect(item.handle, block) == OK
    offset = bus.ffi.cast("char *", item.header) - bus.ffi.cast("char *", block.data)
    assert offset == block.capacity - 16 >= length
    assert int(bus.ffi.cast("uintptr_t", item.header)) % 8 == 0
    assert block.size == length and not block.python
    assert bus.payload(item) == payload
    header = item.header
    assert (header.seq, header.time_ms, header.refs) == (1, 0xFFFFFFFF // 1000, 1)
    assert (header.length, header.topic, header.priority, header.flags) == (length, 1, HIGH, 0)
    bus.lib.eventbus_release(item.handle)


def test_table_of_topics(bus):
    bus.subscribe(b"*", TASK)
    for i in range(16):
        assert bus.topic(b"t%d" % i) == i + 1
    assert bus.topic(b"more") == E_TOPICS
    nothing_happened(bus)
    assert bus.publish(b"more", CRITICAL) == E_TOPICS
    nothing_happened(bus, refused=1)
    assert bus.publish(b"more", CRITICAL, b"\xff") == E_PAYLOAD
    nothing_happened(bus, refused=1)
    assert bus.publish(b"t3", NORMAL) == OK


def test_what_is_wrong_registers_no_topic(bus):
    for _ in range(3):
        assert bus.publish(b"a", 7) == E_PRIORITY
        assert bus.publish(b"b", LOW, b"\xff") == E_PAYLOAD
        assert bus.publish(b"c", LOW, bytes(MAX_PAYLOAD + 1)) == E_SIZE
    assert bus.topic(b"first") == 1


def test_table_of_subscriptions(bus):
    numbers = [bus.subscribe(b"a", (PYTHON, TASK)[i % 2]) for i in range(8)]
    assert min(numbers) > 0 and len(set(numbers)) == 8
    assert bus.subscribe(b"a", TASK) == E_SUBSCRIBERS
    call = bus.ffi.cast("eventbus_fn_t", 1)
    assert bus.lib.eventbus_subscribe(b"a", call, bus.ffi.NULL) == E_SUBSCRIBERS
    assert bus.unsubscribe(numbers[5]) == (0, 0)
    again = bus.subscribe(b"a", TASK)
    assert again > 0 and again not in numbers
    assert bus.counts(numbers[5]) == bus.unsubscribe(numbers[5]) == E_STALE
    assert bus.counts(again) == (0, 0)


def test_a_place_is_used_again_under_another_number(bus):
    """All generations of a place, and its first again."""
    first = bus.subscribe(b"a", PYTHON)
    seen = {first}
    number = first
    for _ in range(0x7FFF - 1):
        assert bus.unsubscribe(number) == (0, 0)
        number = bus.open(b"a", PYTHON)
        assert number > 0
        seen.add(number)
    bus.alive.clear()
    assert len(seen) == 0x7FFF


def test_a_subscription_that_has_not_begun_gets_nothing(bus):
    number = bus.open(b"a", TASK)
    assert number > 0
    assert bus.publish(b"a", NORMAL) == OK
    assert bus.stats()["queue_free"] == 8
    bus.lib.eventbus_sub_begin(bus.core, number, 2)
    assert bus.drain(TASK) == []
    assert bus.publish(b"a", NORMAL) == OK
    assert bus.drain(TASK) == [(b"\xf6", [number])]
    assert bus.counts(number) == (1, 0)


def test_who_came_later_does_not_get_what_waits_or_is_delivered(bus):
    old = bus.subscribe(b"a", TASK)
    assert bus.publish(b"a", NORMAL) == OK
    waiting = bus.subscribe(b"*", TASK)
    item = bus.next(TASK)
    delivered = bus.subscribe(b"*", TASK)
    assert list(bus.callees(TASK, item)) == [old]
    bus.lib.eventbus_release(item.handle)
    assert bus.publish(b"a", NORMAL) == OK
    assert bus.drain(TASK) == [(b"\xf6", [old, waiting, delivered])]


def test_who_came_later_does_not_miss_what_makes_way(bus):
    old = bus.subscribe(b"a", TASK)
    for _ in range(8):
        assert bus.publish(b"a", LOW) == OK
    new = bus.subscribe(b"a", TASK)
    assert bus.publish(b"a", HIGH) == OK
    assert bus.counts(old) == (0, 1)
    assert bus.counts(new) == (0, 0)
    bus.lib.eventbus_clear(bus.core)
    assert bus.counts(old) == (0, 9)
    assert bus.counts(new) == (0, 1)


def test_who_makes_way(bus):
    sub = bus.subscribe(b"a", TASK)
    for priority in (LOW, LOW, NORMAL, HIGH, HIGH, HIGH, CRITICAL, CRITICAL):
        assert bus.publish(b"a", priority, bytes([priority])) == OK
    assert bus.publish(b"a", LOW) == E_FULL
    for priority in (NORMAL, NORMAL):
        assert bus.publish(b"a", priority, b"\x0a") == OK
    assert bus.publish(b"a", NORMAL) == E_FULL
    for _ in range(6):
        assert bus.publish(b"a", CRITICAL, b"\x0b") == OK
    assert bus.publish(b"a", CRITICAL) == E_FULL  # all that is queued is CRITICAL
    stats = bus.stats()
    assert stats["dropped"] == [0, 3, 3, 2]
    assert (stats["published"], stats["refused"], stats["high_water"]) == (16, 3, 8)
    assert bus.counts(sub) == (0, 8)
    assert [payload for payload, _ in bus.drain(TASK)] == [b"\x00"] * 2 + [b"\x0b"] * 6


def test_the_oldest_of_both_lanes_makes_way(bus):
    """Whichever lanes the two heads wait in."""
    python, task = bus.subscribe(b"p.*", PYTHON), bus.subscribe(b"*.t", TASK)
    rows = {  # topics in the order of publishing -> who is dropped
        (b"p.x", b"x.t"): (python, 1, task, 0),
        (b"x.t", b"p.x"): (python, 0, task, 1),
        (b"p.x", b"p.t"): (python, 1, task, 0),
        (b"x.t", b"p.t"): (python, 0, task, 1),
        (b"p.t", b"p.x"): (python, 1, task, 1),
    }
    for topics, (_, of_python, _, of_task) in rows.items():
        for topic in topics:
            assert bus.publish(topic, LOW) == OK
        for _ in range(6):
            assert bus.publish(b"p.x", HIGH) == OK
        before = bus.counts(python), bus.counts(task)
        assert bus.publish(b"p.x", HIGH) == OK
        assert bus.counts(python)[1] - before[0][1] == of_python
        assert bus.counts(task)[1] - before[1][1] == of_task
        bus.drain(PYTHON)
        bus.drain(TASK)


def test_what_is_no_event(bus):
    """A block of Python's, one that went back, and numbers that are no handles."""
    lib = bus.lib
    block = lib.mempool_take_flags(40, 0, 4)  # MEMPOOL_PYTHON
    item = bus.ffi.new("eventbus_item_t *")
    for handle in (block, 0, -1, block + (1 << 13)):
        assert not lib.eventbus_look(handle, item)
        assert not lib.eventbus_keep(handle)
        lib.eventbus_release(handle)
    assert lib.mempool_give(block) == OK
    bus.subscribe(b"*", TASK)
    assert lib.eventbus_send(bus.core, bus.topic(b"a"), NORMAL, block, 1, 0, False) == E_STALE
    assert bus.drain(TASK) == []


def test_a_subscription_may_end_before_it_begins(bus):
    number = bus.open(b"a", TASK)
    assert bus.unsubscribe(number) == (0, 0)
    bus.lib.eventbus_sub_begin(bus.core, number, 2)
    assert bus.publish(b"a", NORMAL) == OK
    assert bus.drain(TASK) == []
    for wrong in (0, -1, 256, 512 + 9, 0x7FFFFFFF, -(1 << 31)):
        assert bus.unsubscribe(wrong) == bus.counts(wrong) == E_STALE


@pytest.mark.parametrize("in_task", [False, True])
def test_unsubscribe_of_c(bus, in_task):
    """Nobody's call runs: it does not wait, wherever it is called from."""
    bus.lib.fake.in_task = in_task
    call = bus.ffi.callback("void(const eventbus_event_t *, void *)", lambda *_: None)
    number = bus.lib.eventbus_subscribe(b"a", call, bus.ffi.NULL)
    assert bus.lib.eventbus_unsubscribe(number) == OK
    for wrong in (number, 0, -1):
        assert bus.lib.eventbus_unsubscribe(wrong) == E_STALE
    assert bus.lib.fake.paused == 0


def test_unsubscribe_waits_for_the_call_that_runs(bus):
    """From another thread than the task's: until the task is at another."""
    subs = [bus.subscribe(b"a", TASK) for _ in range(2)]
    assert bus.publish(b"a", NORMAL) == OK
    item = bus.next(TASK)
    called = bus.callees(TASK, item)
    assert next(called) == subs[0]
    ended: list[int] = []
    thread = elsewhere(
        lambda: bus.lib.fake.paused, lambda: ended.append(bus.lib.eventbus_unsubscribe(subs[0]))
    )
    assert bus.drain(PYTHON) == []  # which tells nothing of the task
    paused = bus.lib.fake.paused
    wait_for(lambda: bus.lib.fake.paused > paused + 3)
    assert thread.is_alive() and ended == []
    assert next(called) == subs[1]
    thread.join()
    assert ended == [OK]
    assert list(called) == []
    bus.lib.eventbus_release(item.handle)


def test_what_a_listener_drops_goes_back(bus):
    ring = bus.ffi.new("fake_listener_t *", {"depth": 1})
    push = {"push": bus.lib.fake_push, "ctx": bus.ffi.cast("void *", ring)}
    bus.subscribe(b"a", PYTHON, LISTENER, **push)
    for n in range(3):
        assert bus.publish(b"a", NORMAL, bytes([n])) == OK
    assert [called for _, called in bus.drain(PYTHON)] == [[]] * 3
    assert (ring.dropped, sum(bus.used())) == (2, 1)
    bus.lib.eventbus_release(ring.ring[0])
    assert bus.used() == [0] * 5


def test_the_task_does_not_ring_while_another_bus_delivers(bus):
    lib = bus.lib
    lib.eventbus_set_bell(lib.fake_bell)
    other, slots = bus.ffi.new("eventbus_t *"), bus.ffi.new("eventbus_slot_t[]", 4)
    lib.eventbus_open(other, slots, 4)
    bus.subscribe(b"a", PYTHON)
    assert lib.eventbus_deliver_begin(other)
    assert bus.publish(b"a", NORMAL) == OK
    lib.eventbus_task_run()
    assert lib.fake.rung == 0
    lib.eventbus_deliver_end(other)
    lib.fake.us += 2000
    lib.eventbus_task_run()
    assert lib.fake.rung == 1


def test_without_owners():
    """Then the bus's blocks are nobody's."""
    config = dataclasses.replace(SMALL, name="bus-minimum", owners=0, diagnostics=False)
    with Bus(config) as bus:
        bus.subscribe(b"a", TASK)
        assert bus.publish(b"a", NORMAL, b"\x07") == OK
        assert [payload for payload, _ in bus.drain(TASK)] == [b"\x07"]
        assert bus.used() == [0] * 5


def test_the_reserve_is_for_critical_events():
    with Bus(RESERVE) as bus:
        bus.subscribe(b"a", TASK)
        for _ in range(3):
            assert bus.publish(b"a", HIGH) == OK
        assert bus.publish(b"a", HIGH) == E_EXHAUSTED  # no spill, and one block is the reserve
        assert bus.used() == [3, 0, 0, 0, 0]
        for used in range(11):  # the reserve, the larger classes, theirs
            assert bus.publish(b"a", CRITICAL) == OK
            assert sum(bus.used()) == 4 + used
        assert bus.used() == [4, 4, 2, 2, 2]
        assert bus.publish(b"a", CRITICAL) == E_EXHAUSTED
        assert bus.stats()["refused"] == 2
        assert bus.stats()["dropped"] == [0] * 4, "nobody makes way for want of a block"
        assert len(bus.drain(TASK)) == 14
        assert bus.used() == [0] * 5


def test_nobody_wants_it(bus):
    bus.subscribe(b"other", TASK)
    assert bus.publish(b"a", NORMAL, bytes([0x58, 200, *[0] * 200])) == OK
    assert bus.used() == [0] * 5
    stats = bus.stats()
    assert (stats["published"], stats["queue_free"], bus.core.seq) == (1, 8, 0)


def test_a_closed_bus_takes_nothing(bus):
    bus.subscribe(b"a", PYTHON)
    bus.core.closed = True
    assert bus.publish(b"a", NORMAL) == OK
    assert bus.stats()["queue_free"] == 8
    assert bus.used() == [0] * 5
    assert not bus.lib.eventbus_deliver_begin(bus.core)


def test_what_is_kept_outlives_the_bus_of_it(bus):
    ring = bus.ffi.new("fake_listener_t *", {"depth": 1})
    push = {"push": bus.lib.fake_push, "ctx": bus.ffi.cast("void *", ring)}
    bus.subscribe(b"a", PYTHON, LISTENER, **push)
    bus.subscribe(b"a", TASK)
    assert bus.publish(b"a", NORMAL, b"\x07") == OK
    item = bus.next(PYTHON)
    assert list(bus.callees(PYTHON, item)) == []
    assert item.header.refs == 3
    assert bus.lib.eventbus_keep(item.handle)
    bus.lib.eventbus_release(item.handle)
    bus.lib.eventbus_clear(bus.core)
    bus.lib.eventbus_release(ring.ring[0])
    assert bus.used()[0] == 1
    assert bus.payload(item) == b"\x07"
    bus.lib.eventbus_release(item.handle)
    assert bus.used()[0] == 0
    assert not bus.lib.eventbus_keep(item.handle)
    assert not bus.lib.eventbus_look(item.handle, item)
    bus.lib.eventbus_release(item.handle)  # a handle that is over does no harm
    assert bus.lib.mempool_check() == 0


def test_the_topic_of_what_the_task_delivers_is_not_forgotten(bus):
    lib = bus.lib
    topic = lib.eventbus_intern(bus.core, b"x.y", 3, False)
    bus.subscribe(b"x.*", TASK)
    assert bus.publish(topic, NORMAL) == OK
    item = bus.next(TASK)
    assert bus.next(PYTHON) is None  # which tells nothing of the task
    lib.eventbus_forget_topics(bus.core)
    assert lib.eventbus_topic_is(topic)
    lib.eventbus_release(item.handle)
    assert bus.next(TASK) is None
    lib.eventbus_forget_topics(bus.core)
    assert not lib.eventbus_topic_is(topic)


def test_what_a_subscriber_of_c_is_told(bus):
    told = []

    @bus.ffi.callback("void(const eventbus_event_t *, void *)")
    def call(event, _):
        payload = bytes(bus.ffi.buffer(event.payload, event.length))
        topic = bus.ffi.string(event.topic)
        told.append((topic, payload, event.time_ms, event.seq, event.priority, event.raw))

    assert bus.lib.eventbus_subscribe(b"a.*", call, bus.ffi.NULL) > 0
    bus.lib.fake.us = 77_999
    assert bus.publish(b"a.b", HIGH, b"\x07") == OK
    block = bus.lib.mempool_take(64, 0)
    bus.ffi.buffer(bus.lib.mempool_data(block), 1)[:] = b"\x09"
    raw = 1
    assert bus.lib.eventbus_send(bus.core, bus.topic(b"a.c"), LOW, block, 1, raw, False) == OK
    bus.lib.eventbus_task_run()
    assert told == [(b"a.b", b"\x07", 77, 1, HIGH, False), (b"a.c", b"\x09", 77, 2, LOW, True)]
    assert bus.lib.mempool_check() == 0


def test_an_event_is_kept_no_more_often_than_it_can_count(bus):
    bus.subscribe(b"a", TASK)
    assert bus.publish(b"a", NORMAL) == OK
    item = bus.next(TASK)
    most = 0xFFFF - SMALL.subscribers  # listeners may still add theirs
    for _ in range(most - 1):
        assert bus.lib.eventbus_keep(item.handle)
    assert not bus.lib.eventbus_keep(item.handle)
    for _ in range(most):
        bus.lib.eventbus_release(item.handle)
    assert bus.used() == [0] * 5


def test_latency(bus):
    bus.subscribe(b"a", TASK)
    for us in (5, 30, 12):
        assert bus.publish(b"a", NORMAL) == OK
        bus.lib.fake.us += us
        bus.drain(TASK)
    assert bus.latency() == (30, 15)  # the mean is rounded down
    bus.subscribe(b"p", PYTHON)
    assert bus.publish(b"p", NORMAL) == OK
    bus.lib.fake.us += 50
    bus.drain(PYTHON)
    bus.drain(TASK)
    assert bus.latency() == (50, 24)  # of both lanes


def test_the_last_of_many_subscriptions():
    """What waited when it began is not for it, wherever in the table it has its place."""
    many = dataclasses.replace(SMALL, name="bus-forty", subscribers=40)
    with Bus(many) as bus:
        subs = [bus.subscribe(b"other", TASK) for _ in range(29)]
        subs.append(bus.subscribe(b"a", TASK))
        for _ in range(10):
            assert bus.publish(b"a", NORMAL) == OK
            subs.append(bus.subscribe(b"a", TASK))
            (payload, called), *_ = bus.drain(TASK)
            assert called == subs[29:-1]
        assert bus.open(b"a", TASK) == E_SUBSCRIBERS


def test_without_a_task(bus):
    config = bus.config
    bus.close()
    with Bus(config, no_task=True) as without:
        assert without.begun == E_TASK
        assert without.lib.eventbus_subscribe(b"a", without.ffi.NULL, without.ffi.NULL) == E_TASK
        source = without.ffi.new("eventbus_source_t *")
        assert without.lib.eventbus_source_open(source, b"a", NORMAL) == E_TASK
        without.lib.fake.no_task = False
        assert without.lib.eventbus_init() == OK == without.lib.eventbus_init()
        assert without.lib.eventbus_source_open(source, b"a", NORMAL) == OK


def test_it_is_made_ready_once(bus):
    bus.subscribe(b"a", TASK)
    assert bus.publish(b"a", NORMAL) == OK
    bus.lib.eventbus_init()
    assert len(bus.drain(TASK)) == 1
