"""Who comes while something is under way waits for its end, and no longer."""

from __future__ import annotations

import threading
import time

import pytest
from busconfig import SMALL
from buslib import NORMAL, OK, Bus


class Second(threading.Thread):
    """Another thread, in a call that is to wait for what this one does."""

    def __init__(self, bus: Bus, call):
        super().__init__(daemon=True)
        self.bus, self.call = bus, call
        self.result: int | None = None

    def run(self) -> None:
        self.result = self.call()

    def waits(self) -> bool:
        """Starts it; -> whether it came to wait, and does."""
        self.start()
        end = time.monotonic() + 60
        while self.is_alive() and self.bus.lib.fake.paused == 0 and time.monotonic() < end:
            time.sleep(0.001)
        return self.is_alive() and self.bus.lib.fake.paused > 0

    def ends_with(self, result: int) -> bool:
        self.join(60)
        return not self.is_alive() and self.result == result


@pytest.mark.parametrize("started", [True, False])
def test_init_while_another_makes_the_task(started):
    with Bus(SMALL, no_task=True) as bus:
        assert bus.begun == bus.lib.EVENTBUS_E_TASK
        second = Second(bus, bus.lib.eventbus_init)
        waited = []

        @bus.ffi.callback("bool(void)")
        def start():
            waited.append(second.waits())
            return started

        bus.lib.fake.start = start
        result = OK if started else bus.lib.EVENTBUS_E_TASK
        assert bus.lib.eventbus_init() == result
        assert second.ends_with(result)
        assert waited == [True]


def test_unsubscribe_while_the_callback_runs():
    """When it returns, the callback does not run."""
    with Bus(SMALL) as bus:
        waited = []

        @bus.ffi.callback("void(const eventbus_event_t *, void *)")
        def call(event, ctx):
            waited.append(second.waits())

        number = bus.lib.eventbus_subscribe(b"a", call, bus.ffi.NULL)
        assert number > 0
        second = Second(bus, lambda: bus.lib.eventbus_unsubscribe(number))
        assert bus.publish(b"a", NORMAL) == OK
        bus.lib.eventbus_task_run()
        assert second.ends_with(OK)
        assert waited == [True]
        paused = bus.lib.fake.paused
        assert bus.lib.eventbus_unsubscribe(number) == bus.lib.EVENTBUS_E_STALE
        assert bus.lib.fake.paused == paused, "nothing was under way"


def test_unsubscribe_in_the_callback_waits_for_nothing():
    with Bus(SMALL) as bus:
        results = []

        @bus.ffi.callback("void(const eventbus_event_t *, void *)")
        def call(event, ctx):
            results.append(bus.lib.eventbus_unsubscribe(number))

        number = bus.lib.eventbus_subscribe(b"a", call, bus.ffi.NULL)
        assert bus.publish(b"a", NORMAL) == OK
        bus.lib.fake.in_task = True
        bus.lib.eventbus_task_run()
        assert results == [OK]
        assert bus.lib.fake.paused == 0
