# The demo, an hour of it: it proves itself, finds the record that one receiver forgets, and leaves
# the bus as it was, also after Ctrl-C. The whole of it, with all its faults, is
# tests/demo/test_cold_room.py.
# timeout: 300
import gc

import mempool
from eventbus import bus

try:
    import refrigeration.report
    from cold_room import Day, main
except ImportError:  # the ESP32 boards do not freeze the demo
    print("SKIP")
    raise SystemExit

before = mempool.stats().used


def bus_is_as_it_was():
    heard.clear()
    assert bus.filter is own_filter and bus.on_error is own_on_error
    bus.publish("sensor.reading", value=1)  # nobody of the demo hears it, and it is not paused
    assert bus.process() == 1 or heard  # the doorbell may have been faster
    assert heard == ["sensor.reading"]
    assert "waiting=0" in repr(bus), bus
    assert mempool.check() == 0


def own_filter(topic, priority):
    return True


def own_on_error(subscription, fault):
    raise SystemExit(repr(fault))


def hear(event):
    if len(heard) < 4:
        heard.append(event.topic)


heard = []
bus.filter = own_filter
bus.on_error = own_on_error

assert main(hours=1) == 0
assert mempool.stats().used == before
subscription = bus.subscribe("sensor.reading", hear)
bus_is_as_it_was()

# With a block forgotten: found, and its holder known.
assert main(hours=1, forget=True) == 1
leaks = mempool.leaks(0)
assert len(leaks) == 1, leaks
handle, owner, size, age_ms = leaks[0]
assert owner.name == "logger" and size == 46
assert mempool.give(handle) == 0 and mempool.stats().used == before
bus_is_as_it_was()

# A module that leaks is named, and the others go on.
assert main(hours=1, leak=True) == 0
assert mempool.stats().used == before
bus_is_as_it_was()

# A module that fails once is reported by the health check for good, and nobody else is.
day = Day()
door = day.door
door_second = door.second


def fail_once(now):
    door.second = door_second
    raise MemoryError


door.second = fail_once
day.run(1)
day.stop()
assert day.telemetry.troubled > 3600 // 5 // 11 - 3
assert [(m.name, m.faults) for m in day.manager.modules if m.faults] == [("door", 1)]
del day, door, door_second
gc.collect()

for hours in (0, -1, 241):
    try:
        main(hours)
        raise SystemExit("hours %d" % hours)
    except ValueError:
        pass

# Ctrl-C in the middle leaves nothing behind.
show = refrigeration.report.Progress.show


def interrupted(self, day):
    bus.publish("state.door", role="door", on=True, value=1, since_ms=0)  # waits, and nobody comes
    raise KeyboardInterrupt


refrigeration.report.Progress.show = interrupted
assert main(hours=1) == 130
refrigeration.report.Progress.show = show
gc.collect()
assert mempool.stats().used == before
bus_is_as_it_was()
subscription.cancel()
