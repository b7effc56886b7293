# A steady state of events: not one byte of the GC heap from publish to callback, and no block is
# left. A million events on a PC, ten thousand on a board.
# timeout: 120
import gc
import sys

import mempool
import micropython
from eventbus import bus

EVENTS = 1000000 if sys.platform == "linux" else 10000
TOPIC = "sensor.temperature.updated"

seen = [0, 0]  # delivered, of which wrong


def on_temperature(event):
    if event["value"] != seen[0] or event["unit"] != "C":
        seen[1] += 1
    seen[0] += 1


def steady(count):
    """-> events that were not queued, and bytes of the GC heap that `count` events took."""
    mem_alloc = gc.mem_alloc
    refused = 0
    seen[0] = 0
    gc.collect()
    gc.disable()
    before = mem_alloc()
    for n in range(count):
        if not bus.publish(TOPIC, value=n, unit="C"):
            refused += 1
    while bus.process():
        pass
    after = mem_alloc()
    gc.enable()
    return refused, after - before


with bus.subscribe("sensor.*.updated", on_temperature) as sub:
    steady(10)
    stats = bus.stats()
    refused, grown = steady(EVENTS)
    after = bus.stats()
    assert refused == 0, refused
    assert grown == 0, grown
    assert seen == [EVENTS, 0], seen
    assert sub.delivered == EVENTS + 10 and sub.dropped == 0, sub
    assert after.published - stats.published == EVENTS
    assert after.delivered - stats.delivered == EVENTS
    assert after.dropped == stats.dropped
    # All events have ended, though the subscription has not.
    outstanding = mempool.stats().used
    assert outstanding == 0, mempool.leaks(0)
    print(
        EVENTS, "events:", grown, "bytes of GC heap,", outstanding, "bytes of blocks outstanding"
    )


# And with the heap locked, where any allocation would raise: in callbacks, too.
def locked(count):
    seen[0] = 0
    micropython.heap_lock()
    try:
        for n in range(count):
            bus.publish(TOPIC, value=n, unit="C")
        while bus.process():
            pass
    finally:
        micropython.heap_unlock()


errors = []
bus.on_error = lambda sub, error: errors.append(error)
with bus.subscribe("sensor.*.updated", on_temperature):
    locked(1000)
    assert seen == [1000, 0] and not errors, (seen, errors)
assert mempool.stats().used == 0 and mempool.check() == 0
