# publish: payloads, priorities, what makes way when the queue is full, statistics that add up.
import time

import boardcfg
import mempool
from eventbus import CRITICAL, HIGH, LOW, NORMAL, EventBus, bus

QUEUE = boardcfg.MEMORY_POOL_EVENT_QUEUE
used_before = mempool.stats().used
seen = []


def drain(which=bus):
    while which.stats().queue_free < (QUEUE if which is bus else 4):
        which.process(max_ms=50)


# Whatever goes in comes out; tuples as lists.
VALUES = [
    None,
    True,
    False,
    0,
    1,
    -1,
    23,
    24,
    -24,
    -25,
    255,
    256,
    -256,
    -257,
    65535,
    65536,
    (1 << 29),
    (1 << 30) - 1,
    1 << 30,
    -(1 << 30),
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 32,
    -(1 << 32) - 1,
    (1 << 62) - 1,
    1 << 62,
    -(1 << 62) - 1,
    (1 << 63) - 1,
    1 << 63,
    -(1 << 63),
    -(1 << 63) - 1,
    (1 << 64) - 1,
    -(1 << 64),
    0.0,
    1.5,
    -0.25,
    float("inf"),
    float("-inf"),
    "",
    "C",
    "never interned before",
    "h\u00e4\u20ac\U0001f600",
    b"",
    b"\x00\xff",
    [],
    [1, "two", [3.0, [None]]],
    (),
    (1, (2,)),
    {},
    {"a": {"b": [1, {}]}, "": 0},
    "x" * 493,
    b"x" * 493,
]


def plain(value):
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


with bus.subscribe("value", lambda event: seen.append(event.data)):
    for value in VALUES:
        assert bus.publish("value", value) is True
        drain()
        got = seen.pop()
        assert got == plain(value) and type(got) is type(plain(value)), (value, got)
        drain()
    assert bus.publish("value", float("nan"))
    drain()
    nan = seen.pop()
    assert nan != nan
    # bytearray is bytes, and what looks like a parameter goes in a dict
    bus.publish("value", bytearray(b"abc"))
    bus.publish("value", {"topic": 1, "data": 2, "priority": 3})
    bus.publish(topic="value", data=5, priority=HIGH)
    drain()
    assert seen[-3:] == [5, b"abc", {"topic": 1, "data": 2, "priority": 3}], seen
    del seen[:]
    # the largest that fits, and one byte more
    largest = {"k": b"x" * 490}
    assert bus.publish("value", largest) is True
    drain()
    assert seen.pop() == largest
    try:
        bus.publish("value", {"k": b"x" * 491})
        raise SystemExit("too large")
    except ValueError as error:
        assert "497" in str(error) and "496" in str(error), error

# Nobody listens: True, and no block.
assert bus.publish("nobody", value=1) is True
assert mempool.stats().used == used_before

# Priorities: higher first, first in first out within one.
bus.pause()
order = []
with bus.subscribe("order.*", lambda event: order.append((event.priority, event["n"]))) as sub:
    for n in range(QUEUE // 4):
        for priority in (LOW, NORMAL, CRITICAL, HIGH):
            assert bus.publish("order.x", {"n": n}, priority)
    assert bus.stats().queue_free == QUEUE % 4
    bus.resume()
    drain()
    assert order == [(p, n) for p in range(4) for n in range(QUEUE // 4)], order
    assert sub.delivered == len(order) and sub.dropped == 0

# Full: the oldest of the lowest priority below makes way; equals do not.
small = EventBus(queue=4)
small.pause()
order = []
sub = small.subscribe("*", lambda event: order.append((event.priority, event["n"])))
for n in range(4):
    assert small.publish("a", {"n": n}, LOW if n < 2 else NORMAL) is True
assert small.publish("a", {"n": 9}, LOW) is False
assert small.publish("a", {"n": 4}, NORMAL) is True  # LOW 0 goes
assert small.publish("a", {"n": 5}, HIGH) is True  # LOW 1
assert small.publish("a", {"n": 6}, NORMAL) is False
assert small.publish("a", {"n": 6}, CRITICAL) is True  # NORMAL 2
assert small.publish("a", {"n": 7}, CRITICAL) is True  # NORMAL 3
assert small.publish("a", {"n": 8}, CRITICAL) is True  # NORMAL 4
assert small.publish("a", {"n": 10}, CRITICAL) is True  # HIGH 5
assert small.publish("a", {"n": 11}, CRITICAL) is False  # all that is queued is CRITICAL
stats = small.stats()
assert stats.dropped == (0, 1, 3, 2), stats
assert (stats.published, stats.refused, stats.queue_free, stats.high_water) == (10, 3, 0, 4), stats
small.resume()
while small.process():
    pass
assert order == [(0, 6), (0, 7), (0, 8), (0, 10)], order
stats = small.stats()
assert stats.published == stats.delivered + sum(stats.dropped)
assert sub.delivered == 4 and sub.dropped == 6
latency_max, latency_mean = stats.latency_us
assert 0 <= latency_mean <= latency_max

# clear gives everything back, and counts it.
small.pause()
for n in range(4):
    small.publish("a", n=n)
small.clear()
small.resume()
assert small.process() == 0 and small.stats().dropped == (0, 1, 7, 2)
sub.cancel()

# For want of a block: False, nobody raises; CRITICAL takes larger classes first.
with bus.subscribe("big", lambda event: seen.append(event.priority)):
    held = []
    while not held or held[-1] > 0:
        held.append(mempool.take(32))
    held.pop()
    spills = mempool.stats().spills
    bus.pause()
    refused = bus.stats().refused
    spill = boardcfg.MEMORY_POOL_SPILL
    assert bus.publish("big", 1) is bool(spill)
    assert bus.stats().refused == refused + (not spill)
    assert bus.publish("big", 1, CRITICAL) is True
    if boardcfg.MEMORY_POOL_DIAGNOSTICS:
        assert mempool.stats().spills > spills
    for handle in held:
        mempool.give(handle)
    bus.resume()
    drain()
    assert CRITICAL in seen

# The filter is asked by publish from Python.
asked = []


def only_high(topic, priority):
    asked.append((topic, priority))
    return priority <= HIGH


bus.filter = only_high
filtered = bus.filtered
published = bus.stats().published
assert bus.publish("f", priority=LOW) is False
assert bus.publish("f", priority=HIGH) is True
assert asked == [("f", LOW), ("f", HIGH)] and bus.filtered == filtered + 1
assert bus.stats().published == published + 1
bus.filter = None
assert bus.filter is None and bus.publish("f", priority=LOW) is True

# The doorbell delivers without anyone asking, also while the program sleeps.
with bus.subscribe("bell", lambda event: seen.append(event["n"])):
    del seen[:]
    bus.publish("bell", n=1)
    for _ in range(100):
        pass
    assert seen == [1], seen
    bus.publish("bell", n=2)
    time.sleep_ms(20)
    assert seen == [1, 2], seen

assert mempool.stats().used == used_before and mempool.check() == 0
