# Subscribers that misbehave, and subscriptions that change while events are delivered.
import time

import mempool
from eventbus import CRITICAL, LOW, EventBus, bus

calls = []
errors = []
bus.on_error = lambda sub, error: errors.append((sub, type(error)))


def deliver(which=bus):
    while which.process():
        pass


# Patterns: who gets what.
TOPICS = ("a", "a.b", "a.c", "a.b.c", "a.b.d", "b", "b.a.c", "a.x.y.z")
PATTERNS = {
    "a": ("a",),
    "a.b": ("a.b",),
    "*": TOPICS,
    "a.*": ("a.b", "a.c", "a.b.c", "a.b.d", "a.x.y.z"),
    "*.b": ("a.b",),
    "a.*.c": ("a.b.c",),
    "*.*.c": ("a.b.c", "b.a.c"),
    "*.*": ("a.b", "a.c", "a.b.c", "a.b.d", "b.a.c", "a.x.y.z"),
    "b.*": ("b.a.c",),
    "c": (),
}
subs = []
got = {}
for nth, pattern in enumerate(sorted(PATTERNS)):
    got[pattern] = []
    if nth == len(PATTERNS) // 2:
        for topic in TOPICS:  # known before half of the patterns
            bus.publish(topic)
        deliver()
        for lst in got.values():
            del lst[:]
    subs.append(bus.subscribe(pattern, lambda event, p=pattern: got[p].append(event.topic)))
for topic in TOPICS:
    bus.publish(topic)
    deliver()
for pattern, topics in PATTERNS.items():
    assert got[pattern] == list(topics), (pattern, got[pattern])
for one in subs:
    one.cancel()


# One that raises does not stop the others.
def fails(event):
    raise ZeroDivisionError


a = bus.subscribe("x", lambda event: calls.append("a"))
b = bus.subscribe("x", fails)
c = bus.subscribe("x", lambda event: calls.append("c"))
bus.publish("x")
deliver()
assert calls == ["a", "c"] and errors == [(b, ZeroDivisionError)], (calls, errors)
assert (a.delivered, b.delivered, c.delivered) == (1, 1, 1)


def on_error_fails(sub, error):
    raise OSError


bus.on_error = on_error_fails  # printed, both; and life goes on
bus.publish("x")
deliver()
assert calls == ["a", "c", "a", "c"]
bus.on_error = lambda sub, error: errors.append((sub, type(error)))
for one in (a, b, c):
    one.cancel()
del calls[:]


# once: spent before it runs, so that what it publishes does not come back.
def again(event):
    calls.append(event["n"])
    bus.publish("once", n=event["n"] + 1)


once = bus.subscribe("once", again, once=True)
bus.publish("once", n=1)
bus.publish("once", n=5)
deliver()
assert calls == [1] and once.delivered == 1, calls
del calls[:]


# Unsubscribing and subscribing within a callback.
def unsubscribes(event):
    calls.append("self")
    me.cancel()
    other.cancel()  # not yet called for this event, so it is not


def subscribes(event):
    calls.append("sub")
    late.append(bus.subscribe("y", lambda event: calls.append("late")))


late = []
me = bus.subscribe("y", unsubscribes)
other = bus.subscribe("y", lambda event: calls.append("other"))
third = bus.subscribe("y", subscribes, once=True)
bus.publish("y")
bus.publish("y")  # queued already: not for who subscribes now
deliver()
assert calls == ["self", "sub"], calls
bus.publish("y")
deliver()
assert calls == ["self", "sub", "late"], calls
late[0].cancel()
del calls[:]

# Subscribed after the publish: not for it, whatever place it got.
bus.pause()
gone = bus.subscribe("z", lambda event: calls.append("gone"))
bus.publish("z")
gone.cancel()
new = bus.subscribe("z", lambda event: calls.append("new"))
bus.resume()
deliver()
assert calls == [] and new.delivered == 0
bus.publish("z")
deliver()
assert calls == ["new"]
new.cancel()
del calls[:]


# One that publishes without end: the VM goes on, and so do the others.
def endless(event):
    bus.publish("endless", n=event["n"] + 1, priority=CRITICAL)


end = bus.subscribe("endless", endless)
low = bus.subscribe("low", lambda event: calls.append("low"))
bus.publish("endless", n=0)
start = time.ticks_ms()
steps = 0
while time.ticks_diff(time.ticks_ms(), start) < (50 if end.delivered > 10 else 60000):
    steps += 1
assert end.delivered > 10 and steps > 10, (end.delivered, steps)
end.cancel()
bus.publish("low", priority=LOW)
start = time.ticks_ms()
while not calls and time.ticks_diff(time.ticks_ms(), start) < 60000:
    time.sleep_ms(1)
time.sleep_ms(50)
assert calls == ["low"]
low.cancel()
del calls[:]

# Delivery does not nest.
nested = bus.subscribe("nest", lambda event: calls.append(bus.process()))
bus.publish("nest")
bus.publish("nest")
deliver()
assert calls == [0, 0]
nested.cancel()
del calls[:]

# But one bus within another's callback is another bus.
second = EventBus(queue=4)
inner = second.subscribe("inner", lambda event: calls.append("inner"))


def outer(event):
    second.publish("inner")
    calls.append(second.process())


with bus.subscribe("outer", outer):
    bus.publish("outer")
    deliver()
assert calls == ["inner", 1], calls
inner.cancel()
del calls[:]


# KeyboardInterrupt and SystemExit are the program's; the bus survives them, and nothing is lost.
def interrupts(event):
    calls.append(event["n"])
    if event["n"] == 1:
        raise KeyboardInterrupt
    if event["n"] == 2:
        raise SystemExit(3)


sub = bus.subscribe("int", interrupts)
beside = bus.subscribe("int", lambda event: calls.append("beside"))
caught = []


def wait(calls_wanted):
    deadline = time.ticks_add(time.ticks_ms(), 60000)
    while len(calls) < calls_wanted and time.ticks_diff(deadline, time.ticks_ms()) > 0:
        time.sleep_ms(1)
    time.sleep_ms(5)


for n in (1, 2, 3):
    try:
        bus.publish("int", n=n)
        wait(2 * n)
    except KeyboardInterrupt:
        caught.append("interrupt")
    except SystemExit as error:
        caught.append(error.args[0])
assert calls == [1, "beside", 2, "beside", 3, "beside"], calls
assert caught == ["interrupt", 3], caught
# What waits behind the one that interrupts comes later.
bus.pause()
bus.publish("int", n=1)
bus.publish("int", n=4)
try:
    bus.resume()
    wait(8)
except KeyboardInterrupt:
    caught.append("interrupt")
wait(10)
assert calls[6:] == [1, "beside", 4, "beside"] and len(caught) == 3, (calls, caught)
# out of process() it comes directly
direct = second.subscribe("int", interrupts)
second.pause()
second.publish("int", n=1)
try:
    second.resume()  # rings, and the bell may be quicker than the next line
    second.process()
    time.sleep_ms(20)
    raise AssertionError("not interrupted")
except KeyboardInterrupt:
    pass
direct.cancel()
sub.cancel()
beside.cancel()

# paused: nothing is delivered, process() answers 0, what waits comes after.
del calls[:]
sub = bus.subscribe("p", lambda event: calls.append(event["n"]))
bus.pause()
bus.publish("p", n=1)
time.sleep_ms(20)
assert calls == [] and bus.process() == 0
bus.resume()
time.sleep_ms(20)
assert calls == [1]
sub.cancel()

# A callback that blocks: what comes meanwhile waits, within the queue.
seen = []


def blocks(event):
    seen.append(event["n"])
    time.sleep_ms(30)


slow = bus.subscribe("slow", blocks)
for n in range(3):
    bus.publish("slow", n=n)
deadline = time.ticks_add(time.ticks_ms(), 60000)
while len(seen) < 3 and time.ticks_diff(deadline, time.ticks_ms()) > 0:
    time.sleep_ms(1)
assert seen == [0, 1, 2], seen
slow.cancel()

assert errors == [(b, ZeroDivisionError)], errors
assert mempool.stats().used == 0 and mempool.check() == 0
