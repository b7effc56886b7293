"""Each call of the bus's core with another whole call in the middle of it, wherever it has no
lock.

Whatever the two are: no event stays in the queue, and no block is lost.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import cffi
import pytest
from busconfig import SMALL, BusConfig, fake_library
from buslib import CALLBACK, E_TASK, HIGH, NORMAL, OK, PYTHON, TASK, Bus, declarations
from corebuild import HERE
from meets import MEETS, elsewhere, steps

FLAGS = ("-O1", "-include", str(HERE / "meets.h"))


@functools.cache
def meeting_interface(config: BusConfig):
    ffi = cffi.FFI()
    ffi.cdef(declarations(config) + MEETS)
    return ffi


class MeetingBus(Bus):
    """A bus that can be met, with a subscription of each lane."""

    def load(self):
        ffi = meeting_interface(self.config)
        return ffi, ffi.dlopen(str(fake_library(self.config, FLAGS, (HERE / "meets.c",))))

    def ready(self) -> None:
        """One event waits in both lanes, and one was taken out of the task's."""
        self.call = self.ffi.callback("void(const eventbus_event_t *, void *)", lambda *_: None)
        task = self.subscribe(b"*", TASK, call=self.call)
        self.subs = [self.subscribe(b"a", PYTHON), task]
        self.item = None
        for _ in range(2):
            assert self.publish(b"a", NORMAL, b"\x01") == OK
        self.item = self.next(TASK)
        self.opened: list[int] = []

    # -- calls --

    def publish_one(self) -> int:
        return self.publish(b"a", HIGH, b"\x02")

    def publish_new(self) -> int:
        """To a topic that was not there."""
        return self.publish(b"b.%d" % (self.lib.fake.us % 7), NORMAL, b"\x03")

    def deliver(self) -> list[int]:
        item = self.next(PYTHON)
        if item is None:
            return []
        called = list(self.callees(PYTHON, item))
        self.lib.eventbus_release(item.handle)
        return called

    def release(self) -> None:
        item, self.item = self.item, None
        if item is not None:
            self.lib.eventbus_release(item.handle)

    def keep(self) -> None:
        item = self.item
        if item is not None and self.lib.eventbus_keep(item.handle):
            self.lib.eventbus_release(item.handle)

    def open_one(self) -> int:
        number = self.subscribe(b"a", PYTHON)
        if number > 0:
            self.opened.append(number)
        return number

    def close_one(self) -> object:
        return self.unsubscribe(self.subs[0])

    def close_and_open(self) -> None:
        """The place of a subscription that began is another's."""
        for number in self.subs:
            self.unsubscribe(number)
        for _ in range(2):
            self.open_one()

    def clear(self) -> None:
        self.lib.eventbus_clear(self.core)

    def run_task(self) -> None:
        self.lib.eventbus_task_run()

    def reset(self) -> None:
        self.lib.eventbus_reset_python()

    def settle(self) -> None:
        self.release()
        for number in (*self.subs, *self.opened):
            self.unsubscribe(number)
        self.clear()
        self.lib.eventbus_reset_python()
        stats = self.stats()
        assert stats["queue_free"] == self.config.queue
        assert self.used() == [0] * 5, "a block was lost"
        assert self.lib.mempool_check() == 0
        self.lib.fake.us += 1
        self.alive.clear()


CALLS = """publish_one publish_new deliver release keep open_one close_one close_and_open clear
run_task reset stats""".split()


@pytest.fixture
def bus():
    with MeetingBus(SMALL) as made:
        yield made


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("other", CALLS)
def test_any_call_within_another(bus, call, other):
    begun = False

    def ready() -> Callable[[], object]:
        nonlocal begun
        if begun:
            bus.settle()
        begun = True
        bus.ready()
        return getattr(bus, call)

    assert len(list(steps(bus, ready, getattr(bus, other), locks=True))) > 0
    bus.settle()


def test_a_place_that_is_anothers_before_it_begins(bus):
    """Who works out what a subscription matches leaves alone what has ended, and who came next."""
    number = next_one = 0

    def ready() -> Callable[[], object]:
        nonlocal number
        if next_one:
            assert bus.unsubscribe(next_one) == (0, 0)
        number = bus.open(b"other", TASK)
        return lambda: bus.lib.eventbus_sub_begin(bus.core, number, CALLBACK)

    def replace() -> None:
        nonlocal next_one
        assert bus.unsubscribe(number) == (0, 0)
        next_one = bus.subscribe(b"a", TASK)

    bus.topic(b"a"), bus.topic(b"other")
    for _ in steps(bus, ready, replace, locks=True):
        assert bus.publish(b"other", NORMAL) == bus.publish(b"a", NORMAL) == OK
        assert [called for _, called in bus.drain(TASK)] == [[next_one]]
        assert bus.unsubscribe(next_one) == (1, 0)
        next_one = 0


def met_anew(call: Callable[[MeetingBus], object], other: Callable[[MeetingBus], object]):
    """The call with the other in its middle, one step later in each of the buses."""
    for step in range(1, 500):
        with MeetingBus(SMALL) as bus:
            met: list[object] = []
            then = bus.ffi.callback("void(void)", lambda bus=bus, met=met: met.append(other(bus)))
            bus.subs = [bus.subscribe(b"*", TASK)]
            bus.lib.meets_at(step, then, True)
            result = call(bus)
            bus.lib.meets_at(0, bus.ffi.NULL, False)
            if not met:
                assert step > 10
                return
            yield bus, result, met[0]


def test_two_publish_the_first_event_of_a_topic():
    """Both reach who was there before."""
    for bus, *results in met_anew(
        lambda bus: bus.publish(b"new", NORMAL, b"\x01"),
        lambda bus: bus.publish(b"new", NORMAL, b"\x02"),
    ):
        assert results == [OK, OK]
        heard = bus.drain(TASK)
        assert sorted(heard) == [(b"\x01", bus.subs), (b"\x02", bus.subs)]


@pytest.mark.parametrize("first", ["subscribe", "publish"])
def test_a_subscription_meets_a_new_topic(first):
    """Whichever began first: from when both are over, it hears the topic."""
    calls = [lambda bus: bus.subscribe(b"n.*", TASK), lambda bus: bus.publish(b"n.w", NORMAL)]
    for bus, *results in met_anew(*(calls if first == "subscribe" else calls[::-1])):
        number = max(results)
        bus.drain(TASK)
        assert bus.publish(b"n.w", NORMAL, b"\x01") == OK
        assert bus.drain(TASK) == [(b"\x01", [*bus.subs, number])]


def test_what_is_published_into_a_reset_does_not_wait_for_ever(bus):
    """Nobody of Python's is left to take it."""
    assert bus.publish(b"a", NORMAL) == OK

    def ready() -> Callable[[], object]:
        assert bus.subscribe(b"a", PYTHON) > 0
        return bus.lib.eventbus_reset_python

    for _ in steps(bus, ready, lambda: bus.publish(b"a", NORMAL, b"\x01"), locks=True):
        assert bus.stats()["queue_free"] == bus.config.queue
        assert bus.used() == [0] * 5


def test_the_topic_of_an_event_outlives_a_reset(bus):
    """The task takes the event out in the middle of it: the topic is not another's before."""
    bus.subscribe(b"a.*", TASK)
    item = None

    def ready() -> Callable[[], object]:
        nonlocal item
        if item is not None:
            bus.lib.eventbus_release(item.handle)
        bus.drain(TASK)
        bus.lib.eventbus_reset_python()
        topic = bus.lib.eventbus_intern(bus.core, b"a.b", 3, False)
        assert bus.publish(topic, NORMAL) == OK
        item = None
        return bus.lib.eventbus_reset_python

    def take() -> None:
        nonlocal item
        item = bus.next(TASK)

    for _ in steps(bus, ready, take, locks=True):
        assert item is not None and bus.lib.eventbus_topic_is(item.header.topic)
    assert item is None and len(bus.drain(TASK)) == 1


def test_one_more_reference_to_what_has_ended(bus):
    """Between the last reference and the block that goes back, nobody gets another."""
    kept = []

    def ready() -> Callable[[], object]:
        bus.subs = [bus.subscribe(b"a", TASK)]
        assert bus.publish(b"a", NORMAL) == OK
        item = bus.next(TASK)
        handles[:] = [item.handle]
        bus.unsubscribe(bus.subs[0])
        return lambda: bus.lib.eventbus_release(item.handle)

    def keep() -> None:
        kept.append(bus.lib.eventbus_keep(handles[0]))

    handles: list[int] = []
    for _ in steps(bus, ready, keep, locks=True):
        if kept[-1]:
            assert sum(bus.used()) == 1
            bus.lib.eventbus_release(handles[0])
        assert bus.used() == [0] * 5
    assert set(kept) == {True, False}


@pytest.mark.parametrize("no_task", [False, True])
def test_a_start_waits_for_another(no_task):
    """Who comes while another makes the bus ready hears what came of it."""
    heard = set()
    for step in range(1, 500):
        bus = MeetingBus(SMALL, begin=False)
        lib, fake = bus.lib, bus.lib.fake
        fake.no_task = no_task
        lib.mempool_init()
        threads: list = []
        results: list[int] = []

        def other(lib=lib, fake=fake, threads=threads, results=results):
            naps = lambda: fake.paused + lib.meets_naps()  # noqa: E731
            start = elsewhere(naps, lambda: results.append(lib.eventbus_init()))
            threads.append(start)

        then = bus.ffi.callback("void(void)", other)
        lib.meets_at(step, then, True)
        mine = lib.eventbus_init()
        lib.meets_at(0, bus.ffi.NULL, False)
        for thread in threads:
            thread.join()
        over = not threads
        heard.add((mine, *results))
        assert lib.eventbus_init() == (E_TASK if no_task else OK)
        bus.close()
        if over:
            break
    status = E_TASK if no_task else OK
    assert heard == {(status, status), (status,)}
