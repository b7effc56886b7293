"""The bell of Python's lane, step by step on the fake platform: not too early, and never lost."""

from __future__ import annotations

import pytest
from busconfig import SMALL
from buslib import HIGH, NORMAL, OK, PYTHON, TASK, Bus
from corelib import SCALE
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

QUIET_US = 1000


@pytest.fixture
def bus():
    with Bus(SMALL) as made:
        made.lib.eventbus_set_bell(made.lib.fake_bell)
        yield made


class Machine(RuleBasedStateMachine):
    """Two buses, a task that runs when it was asked for, and a VM that answers the bell."""

    @initialize()
    def power_on(self):
        self.bus = Bus(SMALL)
        self.lib, self.fake = self.bus.lib, self.bus.lib.fake
        self.lib.eventbus_set_bell(self.lib.fake_bell)
        other = self.bus.ffi.new("eventbus_t *")
        slots = self.bus.ffi.new("eventbus_slot_t[]", 4)
        self.bus.alive += [other, slots]
        self.lib.eventbus_open(other, slots, 4)
        self.cores = [self.bus.core, other]
        for core in self.cores:
            self.bus.core = core
            assert self.bus.subscribe(b"p", PYTHON) > 0
        self.bus.core = self.cores[0]
        assert self.bus.subscribe(b"c", TASK, call=self.bus.ffi.NULL) > 0
        self.topic = self.bus.topic(b"p")
        self.delivering: set[int] = set()
        self.paused: set[int] = set()
        self.ended_us = None  # the last delivery
        self.node = False  # MicroPython's scheduler has it
        self.task_due = False  # the task was woken, or asked for later

    def teardown(self):
        if hasattr(self, "bus"):
            self.bus.close()

    def asked(self) -> None:
        """Books what the core asked the platform for."""
        self.task_due |= bool(self.fake.woken or self.fake.later or self.fake.more)
        self.fake.woken = self.fake.later = self.fake.more = 0

    def rings(self, vm: bool, call, *args):
        """A call into the core that may ring, once and at the right moment."""
        self.fake.rung = 0
        result = call(*args)
        if self.fake.rung:
            assert self.fake.rung == 1
            assert not self.delivering, "the bell rings while a delivery runs"
            quiet = self.ended_us is None or self.fake.us - self.ended_us >= QUIET_US
            assert vm or quiet, "the bell rings too early"
            self.node = True
        self.asked()
        return result

    def waiting(self, which: int) -> bool:
        return self.cores[which].lane[PYTHON].waiting > 0

    @rule(us=st.sampled_from([1, 400, 999, 1000, 5000]))
    def time_passes(self, us):
        self.fake.us += us

    @rule(which=st.integers(0, 1), vm=st.booleans())
    def publish(self, which, vm):
        handle = self.lib.eventbus_take(1, NORMAL)
        args = (self.cores[which], self.topic, NORMAL, handle, 1, 0, vm)
        if handle <= 0 or self.rings(vm, self.lib.eventbus_send, *args) != OK:
            self.lib.mempool_give(handle)

    @precondition(lambda self: self.task_due)
    @rule()
    def task(self):
        self.task_due = False
        self.rings(False, self.lib.eventbus_task_run)

    @rule(which=st.integers(0, 1))
    def begin(self, which):
        """process(), or the scheduler's node."""
        got = self.lib.eventbus_deliver_begin(self.cores[which])
        assert got == (which not in self.delivering and which not in self.paused)
        if got:
            self.delivering.add(which)

    @precondition(lambda self: self.delivering)
    @rule(pick=st.integers(0, 1), most=st.integers(0, 5))
    def end(self, pick, most):
        which = sorted(self.delivering)[pick % len(self.delivering)]
        self.bus.core = self.cores[which]
        for _ in range(most):
            if item := self.bus.next(PYTHON):
                self.lib.eventbus_release(item.handle)
        self.bus.core = self.cores[0]
        self.delivering.discard(which)
        self.ended_us = self.fake.us
        self.rings(False, self.lib.eventbus_deliver_end, self.cores[which])
        assert self.fake.rung == 0, "no delivery rings for itself"

    @precondition(lambda self: self.node and not self.delivering)
    @rule(most=st.integers(0, 9))
    def node_runs(self, most):
        self.node = False
        for which in (0, 1):
            if which not in self.paused:
                self.begin(which)
                self.end(0, most)

    @rule(which=st.integers(0, 1), paused=st.booleans(), vm=st.booleans())
    def pause(self, which, paused, vm):
        self.lib.eventbus_set_paused(self.cores[which], paused)
        (self.paused.add if paused else self.paused.discard)(which)
        if not paused:
            self.rings(vm, self.lib.eventbus_ring, self.cores[which], vm)

    @rule(which=st.integers(0, 1))
    def clear(self, which):
        self.lib.eventbus_clear(self.cores[which])

    @invariant()
    def nothing_waits_for_ever(self):
        """What waits is being delivered, rung for, or the task will see to it."""
        if not hasattr(self, "bus"):
            return
        for which in (0, 1):
            if self.waiting(which) and which not in self.paused:
                assert self.delivering or self.node or self.task_due


def test_the_bell():
    run_machine(
        Machine, settings=settings(max_examples=120 * SCALE, stateful_step_count=60, deadline=None)
    )


# -- by hand --


def publish(bus: Bus) -> None:
    assert bus.publish(b"p", NORMAL, b"\x01") == OK


def test_one_ring_for_many_events(bus):
    bus.subscribe(b"p", PYTHON)
    for _ in range(5):
        publish(bus)
    assert bus.lib.fake.woken == 1
    bus.lib.eventbus_task_run()
    assert bus.lib.fake.rung == 1
    bus.lib.eventbus_task_run()
    assert bus.lib.fake.rung == 1


def test_a_producer_that_never_rests_leaves_the_vm_its_millisecond(bus):
    bus.subscribe(b"p", PYTHON)
    rung_us = []
    for _ in range(10_000):
        bus.lib.fake.us += 10
        bus.publish(b"p", NORMAL)  # refused while the queue is full
        before = bus.lib.fake.rung
        bus.lib.eventbus_task_run()
        if bus.lib.fake.rung > before:
            rung_us.append(bus.lib.fake.us)
            assert bus.lib.eventbus_deliver_begin(bus.core)
            bus.lib.fake.us += 2000  # a slow subscriber
            bus.publish(b"p", NORMAL)
            bus.lib.eventbus_task_run()
            assert bus.lib.fake.rung == before + 1
            bus.lib.eventbus_clear(bus.core)
            bus.lib.eventbus_deliver_end(bus.core)
    gaps = [after - before for before, after in zip(rung_us, rung_us[1:], strict=False)]
    assert len(gaps) > 10
    assert min(gaps) >= 2000 + QUIET_US and max(gaps) <= 2000 + QUIET_US + 20


def test_the_task_takes_turns_with_others(bus):
    """A subscriber that publishes what calls it: a turn ends, and the task asks for the next."""
    calls = []

    def call(event, _):
        calls.append(event.seq)
        assert bus.publish(b"c", NORMAL) == OK

    callback = bus.ffi.callback("void(const eventbus_event_t *, void *)", call)
    bus.subscribe(b"c", TASK, call=callback)
    assert bus.publish(b"c", NORMAL) == OK
    for turn in range(1, 4):
        bus.lib.eventbus_task_run()
        assert calls == list(range(1, 8 * turn + 1))
        assert bus.lib.fake.more == turn


def test_no_bell_no_ring_and_none_is_lost(bus):
    bus.lib.eventbus_set_bell(bus.ffi.NULL)
    bus.subscribe(b"p", PYTHON)
    publish(bus)
    bus.lib.eventbus_task_run()
    assert bus.lib.fake.rung == 0
    bus.lib.eventbus_set_bell(bus.lib.fake_bell)
    bus.lib.eventbus_ring(bus.core, True)
    assert bus.lib.fake.rung == 1


def test_a_reset_out_of_the_middle_of_a_delivery(bus):
    """The next life's bell works, and what the last one still calls does no harm."""
    c = bus.subscribe(b"*", TASK, call=bus.ffi.NULL)
    python = bus.subscribe(b"*", PYTHON)
    listener = bus.ffi.new("fake_listener_t *", {"depth": 2})
    push = {"push": bus.lib.fake_push, "ctx": bus.ffi.cast("void *", listener)}
    bus.subscribe(b"*", PYTHON, 3, **push)
    for _ in range(3):
        publish(bus)
    assert bus.lib.eventbus_deliver_begin(bus.core)
    item = bus.next(PYTHON)
    bus.lib.eventbus_set_paused(bus.core, True)
    bus.lib.eventbus_reset_python()
    assert bus.counts(python) == -9
    assert bus.counts(c) == (0, 0)
    assert bus.stats()["dropped"] == [0, 0, 2, 0]
    assert bus.core.lane[PYTHON].waiting == 0
    bus.lib.eventbus_release(item.handle)
    bus.lib.eventbus_deliver_end(bus.core)  # a thread of the last life
    assert [called for _, called in bus.drain(TASK)] == [[c]] * 3
    assert bus.used() == [0] * 5
    bus.lib.eventbus_set_bell(bus.lib.fake_bell)
    bus.subscribe(b"p", PYTHON)
    bus.lib.fake.us += QUIET_US
    bus.lib.fake.rung = 0
    assert bus.publish(b"p", HIGH) == OK
    bus.lib.eventbus_ring(bus.core, True)
    assert bus.lib.fake.rung == 1
