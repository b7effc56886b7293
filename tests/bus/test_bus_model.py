"""The bus against the model: random rows of every call, and the whole state after each."""

from __future__ import annotations

import dataclasses

import pytest
from busconfig import RESERVE, TINY, BusConfig
from buslib import CALLBACK, E_STALE, E_SUBSCRIBERS, LISTENER, LOW, OK, PYTHON, TASK, Bus
from busmodel import Event, Model, Sub
from corelib import SCALE
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

CONFIGS = [
    *TINY.variants(),
    RESERVE,
    dataclasses.replace(TINY, name="bus-spill", counts=(2, 3, 1, 1, 1), spill=True),
    dataclasses.replace(TINY, name="bus-many", counts=(9, 9, 2, 2, 2), subscribers=40),
]
TOPICS = st.sampled_from([b"a", b"a.b", b"a.b.c", b"b.b"])
PATTERNS = st.sampled_from([b"*", b"a.*", b"*.b", b"a", b"a.b", b"a.*.c"])
# The edges of the classes, and what is between.
LENGTHS = st.sampled_from([0, 1, 5, 16, 16, 17, 48, 49, 112, 113, 240, 241, 496])
LANES = st.sampled_from([PYTHON, TASK])
PICK = st.integers(0, 99)
STEP = 1 << 28  # queue.c: how often a fresh subscription is looked after
SEQS = st.sampled_from([0, 0, (1 << 32) - 2, (1 << 31) - 2, STEP - 2])


def item_of(length: int, fill: int) -> bytes:
    """One CBOR item of so many bytes."""
    if length <= 1:
        return bytes([fill % 24] * length)
    if length <= 24:
        head = bytes([0x40 + length - 1])
    elif length <= 257:
        head = b"\x58" + bytes([length - 2])
    else:
        head = b"\x59" + (length - 3).to_bytes(2, "big")
    return head + bytes([fill & 0xFF]) * (length - len(head))


class Machine(RuleBasedStateMachine):
    config: BusConfig

    @initialize(size=st.integers(1, 5), seq=SEQS)
    def power_on(self, size, seq):
        self.bus = Bus(self.config)
        self.lib, self.core = self.bus.lib, self.bus.core
        self.bus.resize(size)
        self.core.seq = seq
        self.model = Model(self.config, size, seq)
        self.ended: list[int] = []
        self.rings: dict[Sub, object] = {}
        # What each lane delivers: the item and the callee of C, the event and the last callee.
        self.current: dict[int, tuple[object, object, Event, list[int]]] = {}
        self.kept: list[tuple[int, Event]] = []
        self.running = self.paused = False
        self.published = 0

    def teardown(self):
        if not hasattr(self, "bus"):
            return
        try:
            self.give_all_back()
        finally:
            self.bus.close()

    def give_all_back(self):
        for lane in list(self.current):
            self.finish(lane)
        for sub in list(self.model.subs):
            self.end(sub)
        self.lib.eventbus_clear(self.core)
        for handle, _ in self.kept:
            self.lib.eventbus_release(handle)
        assert self.bus.used() == [0] * 5
        assert self.lib.mempool_check() == 0

    # -- in --

    @rule(topic=TOPICS, priority=st.integers(0, 3), length=LENGTHS, by_number=st.booleans())
    def publish(self, topic, priority, length, by_number):
        self.published += 1
        payload = item_of(length, self.published)
        want = self.model.publish(topic, priority, payload or b"\xf6")
        how = self.bus.topic(topic) if by_number else topic
        assert self.bus.publish(how, priority, payload) == want

    @rule(topic=TOPICS, priority=st.integers(0, 3), many=st.integers(2, 7))
    def publish_many(self, topic, priority, many):
        for _ in range(many):
            self.publish(topic, priority, 5, True)

    @rule(steps=st.integers(1, 9))
    def many_events_later(self, steps):
        """The numbers go on as if there had been others, of a topic that nobody here wants."""
        if self.model.queue or self.current:
            return
        for _ in range(steps):
            self.model.seq = ((self.model.seq // STEP + 1) * STEP - 1) & 0xFFFFFFFF
            self.core.seq = self.model.seq
            if self.model.wanted(b"a"):
                self.publish(b"a", LOW, 1, True)
                self.lib.eventbus_clear(self.core)
                self.model.clear()

    # -- subscriptions --

    @rule(pattern=PATTERNS, lane=LANES, depth=st.integers(0, 3))
    def subscribe(self, pattern, lane, depth):
        kind, more = CALLBACK, {}
        if depth and lane == PYTHON:
            ring = self.bus.ffi.new("fake_listener_t *", {"depth": depth})
            kind = LISTENER
            more = {"push": self.lib.fake_push, "ctx": self.bus.ffi.cast("void *", ring)}
        number = self.bus.subscribe(pattern, lane, kind, **more)
        if len(self.model.subs) == self.config.subscribers:
            assert number == E_SUBSCRIBERS
            return
        assert number > 0
        assert number not in [sub.number for sub in self.model.subs] + self.ended
        sub = Sub(number, pattern, lane, kind, depth)
        self.model.subs.append(sub)
        if kind == LISTENER:
            self.rings[sub] = ring

    @rule(pick=PICK)
    def unsubscribe(self, pick):
        if self.model.subs:
            self.end(self.model.subs[pick % len(self.model.subs)])

    def end(self, sub: Sub):
        assert self.bus.unsubscribe(sub.number) == (sub.delivered, sub.dropped)
        self.model.subs.remove(sub)
        while sub.ring:
            self.pop(sub)
        self.rings.pop(sub, None)
        self.ended.append(sub.number)
        assert self.bus.unsubscribe(sub.number) == E_STALE
        assert self.bus.counts(sub.number) == E_STALE

    @rule(pick=PICK)
    def listener_step(self, pick):
        full = [sub for sub in self.model.subs if sub.ring]
        if full:
            self.pop(full[pick % len(full)])

    def pop(self, sub: Sub):
        ring, event = self.rings[sub], sub.ring.pop(0)
        item = self.bus.ffi.new("eventbus_item_t *")
        assert self.lib.eventbus_look(ring.ring[0], item)
        self.expect(item, event)
        self.lib.eventbus_release(ring.ring[0])
        self.model.let_go(event)
        ring.waiting -= 1
        for i in range(ring.waiting):
            ring.ring[i] = ring.ring[i + 1]

    # -- out --

    def expect(self, item, event: Event):
        header = item.header
        assert self.bus.payload(item) == event.payload
        assert (header.seq, header.priority, header.flags) == (event.seq, event.priority, 0)
        assert header.refs == event.refs
        assert self.bus.ffi.string(
            self.lib.eventbus_topic_name(header.topic, self.bus.ffi.new("size_t *"))
        ) == event.topic  # fmt: skip

    @rule()
    def deliver_begin(self):
        assert self.lib.eventbus_deliver_begin(self.core) == (not self.running and not self.paused)
        self.running = self.running or not self.paused

    @rule()
    def deliver_end(self):
        if self.running and PYTHON not in self.current:
            self.lib.eventbus_deliver_end(self.core)
            self.running = False

    @rule(paused=st.booleans())
    def pause(self, paused):
        self.lib.eventbus_set_paused(self.core, paused)
        self.paused = paused

    @rule(lane=LANES)
    def next(self, lane):
        if lane in self.current or (lane == PYTHON and not self.running):
            return
        want = self.model.next(lane)
        item = self.bus.next(lane)
        assert (item is None) == (want is None)
        if want:
            self.expect(item, want)
            self.current[lane] = item, self.bus.ffi.new("eventbus_callee_t *"), want, [0]

    @rule(lane=LANES)
    def call_one(self, lane):
        self.call(lane)

    def call(self, lane: int) -> bool:
        """The next subscriber of what the lane delivers; False: it was the last."""
        if lane not in self.current:
            return False
        item, callee, event, after = self.current[lane]
        want = self.model.callee(lane, event, after[-1])
        got = self.lib.eventbus_next_callee(self.core, lane, item, callee)
        assert got == (want is not None)
        if want:
            assert callee.subscription == want.number
            after.append(want.place)
            return True
        self.lib.eventbus_release(item.handle)
        self.model.let_go(event)
        del self.current[lane]
        return False

    @rule(lane=LANES)
    def finish(self, lane):
        while self.call(lane):
            pass

    @rule(lane=LANES)
    def deliver_all(self, lane):
        if lane == PYTHON and not self.running:
            return
        for _ in range(self.model.size + 1):
            self.finish(lane)
            self.next(lane)
        assert lane not in self.current

    @rule(lane=LANES)
    def keep(self, lane):
        if lane in self.current:
            item, _, event, _ = self.current[lane]
            assert self.lib.eventbus_keep(item.handle)
            event.refs += 1
            self.kept.append((item.handle, event))

    @rule(pick=PICK)
    def release(self, pick):
        if self.kept:
            handle, event = self.kept.pop(pick % len(self.kept))
            self.lib.eventbus_release(handle)
            self.model.let_go(event)
            if event.refs == 0:
                assert not self.lib.eventbus_keep(handle)

    # -- control --

    @rule(lane=st.sampled_from([None, PYTHON, TASK]))
    def clear(self, lane):
        if lane is None:
            self.lib.eventbus_clear(self.core)
            self.model.clear()
        else:
            self.lib.eventbus_clear_lane(self.core, lane)
            self.model.clear_lane(lane)

    # -- after every step --

    @invariant()
    def all_agrees(self):
        if not hasattr(self, "bus"):
            return
        assert self.bus.stats() == self.model.stats()
        assert self.bus.used() == self.model.used
        assert self.lib.mempool_check() == 0
        assert self.core.seq == self.model.seq
        for sub in self.model.subs:
            assert self.bus.counts(sub.number) == (sub.delivered, sub.dropped)
            if sub.kind == LISTENER:
                ring = self.rings[sub]
                assert (ring.waiting, ring.dropped) == (len(sub.ring), sub.ring_dropped)
        for lane in (PYTHON, TASK):
            waiting = sum(lane in event.lanes for event in self.model.queue)
            assert self.core.lane[lane].waiting == waiting


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c.name)
def test_model(config):
    machine = type("Machine", (Machine,), {"config": config})
    run_machine(
        machine, settings=settings(max_examples=100 * SCALE, stateful_step_count=60, deadline=None)
    )


# -- what takes longer than a random row --


def test_a_subscription_serves_for_more_events_than_numbers():
    """Fresh all the time, because its lane is never empty; the numbers come round twice."""
    with Bus(TINY) as bus:
        bus.resize(4)
        assert bus.publish(b"a", LOW) == OK
        sub = bus.subscribe(b"*", TASK)
        assert bus.publish(b"a", LOW) == OK
        for step in range(1, 33):
            bus.core.seq = step * STEP - 1 & 0xFFFFFFFF
            assert bus.publish(b"a", LOW) == OK
            item = bus.next(TASK)
            assert list(bus.callees(TASK, item)) == [sub]
            bus.lib.eventbus_release(item.handle)
            assert bus.core.lane[TASK].waiting == 1
        assert bus.core.fresh[0] == 1, "it was not meant to be sure of itself"


def test_who_makes_way_is_no_question_of_numbers():
    """One event waits in a paused lane while the numbers go half round."""
    with Bus(TINY) as bus:
        bus.resize(3)
        python = bus.subscribe(b"a", PYTHON)
        both = [bus.subscribe(b"b.b", lane) for lane in (PYTHON, TASK)]
        assert bus.next(PYTHON) is bus.next(TASK) is None  # so nothing is older than these three
        assert bus.publish(b"a", LOW, b"\x01") == OK
        bus.core.seq += (1 << 31) + 5
        assert bus.publish(b"b.b", LOW, b"\x02") == OK
        assert bus.publish(b"b.b", LOW, b"\x03") == OK
        assert bus.publish(b"b.b", 0, b"\x04") == OK
        assert bus.stats()["dropped"] == [0, 0, 0, 1]
        assert bus.counts(python) == (0, 1)
        wanted = [(b"\x04", [both[0]]), (b"\x02", [both[0]]), (b"\x03", [both[0]])]
        assert bus.drain(PYTHON) == wanted
        assert [payload for payload, _ in bus.drain(TASK)] == [b"\x04", b"\x02", b"\x03"]
        assert bus.stats()["queue_free"] == 3
        assert bus.used() == [0] * 5


def test_mean_latency_outlives_the_count_of_calls():
    with Bus(TINY) as bus:
        bus.subscribe(b"*", TASK)
        bus.core.lane[TASK].calls = (1 << 32) - 2
        bus.core.lane[TASK].timed = (1 << 31) - 2
        bus.core.lane[TASK].latency_sum_us = ((1 << 31) - 2) * 1000
        for _ in range(4):
            assert bus.publish(b"a", LOW) == OK
            bus.lib.fake.us += 1000
            bus.drain(TASK)
        assert bus.latency() == (1000, 1000)
