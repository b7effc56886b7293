# The GC heap locked, then full: publishing and delivering an int, a str and a bool needs none of
# it; what needs some fails as MicroPython's own objects do, and no block is lost.
import gc

import mempool
import micropython
from eventbus import HIGH, bus

got = [0] * 4
# Globals that are made below, so that the module's dict does not grow there.
n = before = used = base = published = 0
topic = "heap.test"


def small(event):
    got[0] += event["value"]
    got[1] = event["unit"]
    got[2] = event["ok"]
    got[3] = event.priority + ("value" in event)


errors = []
sub = bus.subscribe("heap.*", small)
bus.on_error = lambda sub, error: errors.append(error)


bus.publish(topic, value=0, unit="C", ok=True)  # its names are known from here on
while bus.process():
    pass
got[0] = 0
micropython.heap_lock()
try:
    for n in range(10):
        bus.publish(topic, value=n, unit="C", ok=True, priority=HIGH)
    bus.process()
finally:
    micropython.heap_unlock()
assert got[0] == 45 and got[1] == "C" and got[2] is True and got[3] == HIGH + 1, got
assert not errors, errors

# To the byte.
gc.collect()
gc.disable()
before = gc.mem_alloc()
for n in range(100):
    bus.publish(topic, value=n, unit="C", ok=True)
    bus.process()
used = gc.mem_alloc() - before
before = gc.mem_alloc()
for n in range(100):
    pass
base = gc.mem_alloc() - before
gc.enable()
assert used == base, (used, base)
sub.cancel()

# What needs heap in a locked one: an error of the callback, reported, and everything goes on.
needy = []
sub = bus.subscribe("needy", lambda event: needy.append(event.data))
micropython.heap_lock()
try:
    published = bus.publish("needy", value=1, big="a str that is nowhere interned")
    bus.process()
finally:
    micropython.heap_unlock()
assert published is True and not needy
while bus.process():
    pass
assert mempool.stats().used == 0
sub.cancel()

# A full heap.
kept = []
sub = bus.subscribe("heap.*", small)
got[0] = 0
ballast = []
ok = False
try:
    while True:
        ballast.append(bytearray(64))
except MemoryError:
    pass
bus.publish(topic, value=7, unit="C", ok=True)
bus.process()
ok = got[0] == 7
ballast = None
gc.collect()
assert ok, got
sub.cancel()

# keep() and listen() that find no memory hold nothing.
sub = bus.subscribe("keep", lambda event: kept.append(event.keep()))
micropython.heap_lock()
bus.publish("keep", 1)
try:
    bus.process()
finally:
    micropython.heap_unlock()
while bus.process():
    pass
sub.cancel()
subscribed = []
micropython.heap_lock()
try:
    for _ in range(3):
        try:
            bus.listen("x")
            subscribed.append(1)
        except MemoryError:
            pass
        try:
            bus.subscribe("x", small)
            subscribed.append(2)
        except MemoryError:
            pass
finally:
    micropython.heap_unlock()
assert not subscribed
assert not kept and mempool.stats().used == 0 and mempool.check() == 0
