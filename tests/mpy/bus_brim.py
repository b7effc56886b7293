# What the bus makes of several objects, where the GC heap is full after some of them: MemoryError,
# and the collector finds nothing half made that it could stumble over.
import gc
import sys

import mempool
from eventbus import EventBus, bus


def cost(make):
    """Bytes of the GC heap that it takes, all objects together."""
    gc.collect()
    before = gc.mem_alloc()
    kept = make()
    after = gc.mem_alloc()
    kept = kept
    return after - before


def bus_of_few():
    return EventBus(queue=4)


def listener():
    return bus.listen("a", 60)


WORD = 8 if sys.maxsize > 1 << 32 else 4
gc.collect()
row = [None] * (gc.mem_free() // 40)
for make in (bus_of_few, listener):
    make()
    whole = cost(make)
    assert whole > 32, (make, whole)
    failed = 0
    for less in range(0, min(whole, 160), 16):
        gc.collect()
        rest = (None,) * ((whole - less) // WORD - 2)  # one piece, its head included
        at = 0
        # Written out: where nothing is left nothing can be called.
        for size in (20000, 400, 60, 1, 1):
            if at:
                gc.collect()  # what the last MemoryError left goes, too
            try:
                while at < len(row):
                    row[at] = bytearray(size) if size > 1 else at + 0.5
                    at += 1
            except MemoryError:
                pass
        assert at < len(row)
        rest = None
        gc.collect()
        try:
            make()
        except MemoryError:
            failed += 1
        for at in range(len(row)):
            row[at] = None
        for _ in range(3):
            gc.collect()
    assert failed > 1, (make, failed)
    assert bus.publish("a", 1) and mempool.check() == 0
row = None
for _ in range(4):
    gc.collect()
    [str(i) for i in range(40)]
assert mempool.stats().used == 0 and mempool.check() == 0
with bus.subscribe("b", print) as sub:
    assert bus.publish("a", 1) and sub.delivered == 0
