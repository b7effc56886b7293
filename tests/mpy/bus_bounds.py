# What bounds the bus: how long process() delivers, how many slots it has, whose events C's are,
# and that a publish which is refused leaves nothing behind.
import time

import _platform
import boardcfg
import mempool
import micropython
from eventbus import HIGH, LOW, EventBus, bus


def raises(error, call, *args, **fields):
    try:
        call(*args, **fields)
    except error:
        return
    raise SystemExit("no %s from %s%s%s" % (error.__name__, call, args, fields))


def settle(which=bus):
    while which.process():
        pass


# An idle bus holds no block, whoever is subscribed.
before = mempool.stats().used
subs = [bus.subscribe("*", lambda event: None), bus.listen("*"), EventBus(queue=8)]
assert mempool.stats().used == before == 0
for sub in subs[:2]:
    sub.cancel()

# The queue is as long as the configuration, or EventBus(queue=), says.
assert bus.stats().queue_free == boardcfg.MEMORY_POOL_EVENT_QUEUE
for queue in (1, 2, 31, 32, 256):
    assert EventBus(queue=queue).stats().queue_free == queue
assert EventBus().stats().queue_free == 32

# process() ends with the event that uses its time up; one at least is delivered. Within a
# scheduled function, where no bell comes between.
own = EventBus(queue=8)
calls = []
results = []


def slow(event):
    calls.append(event["n"])
    time.sleep_ms(6)


def bounded(unused):
    for n in range(4):
        own.publish("slow", n=n)
    for max_ms in (0, 2, 60000, 2):
        results.append(own.process(max_ms=max_ms))


with own.subscribe("slow", slow):
    micropython.schedule(bounded, None)
    deadline = time.ticks_add(time.ticks_ms(), 20000)
    while len(results) < 4 and time.ticks_diff(deadline, time.ticks_ms()) > 0:
        time.sleep_ms(1)
assert results == [1, 1, 2, 0] and calls == [0, 1, 2, 3], (results, calls)

# One block for an event, whoever gets it; it is back when the last is done with it.
kept = []
subs = [bus.subscribe("one", lambda event: kept.append(event.keep())) for _ in range(3)]
listeners = [bus.listen("one") for _ in range(2)]
assert bus.publish("one", text="x" * 40)
settle()
assert len(kept) == 3 and mempool.stats().used == 64, (kept, mempool.stats().used)
for event in kept:
    assert event["text"] == "x" * 40
    event.free()
assert mempool.stats().used == 64
for listener in listeners:
    assert listener.get()["text"] == "x" * 40
    assert mempool.stats().used == 64
    listener.cancel()
assert mempool.stats().used == 0
for sub in subs:
    sub.cancel()

# What is refused for what it is: no event, no block, no place for its topic, no count.
heard = []
with bus.subscribe("*", lambda event: heard.append(event.topic)):
    stats = bus.stats()
    for error, args, fields in (
        (ValueError, ("a..b", 1), {}),
        (ValueError, ("a.*", 1), {}),
        (TypeError, (b"a", 1), {}),
        (TypeError, ("a", object()), {}),
        (TypeError, ("a", {1: 2}), {}),
        (TypeError, ("a", 1), {"b": 2}),
        (ValueError, ("a", 1 << 64), {}),
        (ValueError, ("a", [[[[[]]]]]), {}),
        (ValueError, ("a", "x" * 600), {}),
        (ValueError, ("a", 1, 4), {}),
    ):
        raises(error, bus.publish, *args, **fields)
        assert mempool.stats().used == 0, args
        settle()
    assert heard == [] and bus.stats() == stats, (heard, stats, bus.stats())

# C's events are the default bus's, and no filter of Python's is asked for them.
asked = []
other = own.subscribe("c.*", lambda event: heard.append("own"))
with bus.subscribe("c.*", lambda event: heard.append(event.data)):
    bus.filter = lambda topic, priority: asked.append(topic)
    assert _platform.publish("c.x", HIGH, b"\x05") == 0
    deadline = time.ticks_add(time.ticks_ms(), 10000)
    while not heard and time.ticks_diff(deadline, time.ticks_ms()) > 0:
        time.sleep_ms(1)
    assert bus.publish("c.y", 6, LOW) is False
    bus.filter = None
    settle(own)
assert heard == [5] and asked == ["c.y"], (heard, asked)
other.cancel()
assert mempool.stats().used == 0 and mempool.check() == 0
