"""The event bus next to what one writes in Python: a bus of dicts and tuples, and asyncio with a
queue. In one run: events a second, and the longest delay from publish to callback while the
program works on a GC heap that is nearly full.

    make exec FILE=benchmarks/bus_python.py                    a few seconds
    BUS_SECONDS=60 make exec HEAP=16m FILE=benchmarks/bus_python.py

Each of the three gets the same events, at the same places of the same work.
"""

import asyncio
import gc
import os
import sys
import time
from collections import deque

import mempool
from eventbus import bus

EMULATED = sys.platform == "qemu"
SECONDS = 1 if EMULATED else int(os.getenv("BUS_SECONDS") or 3)
EVENTS = 500 if EMULATED else 50000
ROUNDS = 3 if EMULATED else 5
QUEUE = 32
BURST = 4  # events a step
TOPIC = "sensor.temperature.updated"
FREE_PERCENT = 6  # of the heap, while the delays are measured

ticks_us = time.ticks_us
ticks_diff = time.ticks_diff


class PlainBus:
    """Subscribers in a dict of lists, events as tuples in a queue; none of another topic."""

    def __init__(self):
        self.subscribers = {}
        self.queue = deque((), QUEUE)

    def subscribe(self, topic, callback):
        self.subscribers.setdefault(topic, []).append(callback)

    def publish(self, topic, **fields):
        if len(self.queue) == QUEUE:
            return False
        self.queue.append((topic, fields))
        return True

    def process(self):
        while self.queue:
            event = self.queue.popleft()
            for callback in self.subscribers[event[0]]:
                callback(event)


class Queue:
    """asyncio.Queue, which MicroPython's asyncio leaves out."""

    def __init__(self, size):
        self.items = deque((), size)
        self.size = size
        self.filled = asyncio.Event()

    def put_nowait(self, item):
        if len(self.items) == self.size:
            return False
        self.items.append(item)
        self.filled.set()
        return True

    async def get(self):
        while not self.items:
            self.filled.clear()
            await self.filled.wait()
        return self.items.popleft()


class Seen:
    """What the callbacks count: events, the longest way of one, and those that took long."""

    def __init__(self):
        self.events = 0
        self.longest = 0
        self.limit = 1 << 29  # us from which on an event is late
        self.late = 0

    def note(self, stamp):
        late = ticks_diff(ticks_us(), stamp)
        if late > self.longest:
            self.longest = late
        if late > self.limit:
            self.late += 1
        self.events += 1


seen = Seen()


def on_event(event):
    seen.note(event["value"])


def on_tuple(event):
    seen.note(event[1]["value"])


# ---- The three, around the same work ------------------------------------------------------------
#
# Each is called as `bus.publish(...)`: for a bound method that is called with fields MicroPython
# puts the arguments on the heap, which slows those that leave garbage there many times.


def with_bus(step, go_on):
    with bus.subscribe("sensor.*.updated", on_event):
        while go_on():
            step()
            for _ in range(BURST):
                bus.publish(TOPIC, value=ticks_us(), unit="C")
            bus.process()


def with_plain(step, go_on):
    plain = PlainBus()
    plain.subscribe(TOPIC, on_tuple)
    while go_on():
        step()
        for _ in range(BURST):
            plain.publish(TOPIC, value=ticks_us(), unit="C")
        plain.process()


async def consume(queue):
    while True:
        on_tuple(await queue.get())


async def produce(step, go_on):
    queue = Queue(QUEUE)
    consumer = asyncio.create_task(consume(queue))
    while go_on():
        step()
        for _ in range(BURST):
            queue.put_nowait((TOPIC, {"value": ticks_us(), "unit": "C"}))
        while queue.items:
            await asyncio.sleep_ms(0)
    consumer.cancel()


def with_asyncio(step, go_on):
    asyncio.run(produce(step, go_on))


WAYS = (
    (with_bus, "eventbus"),
    (with_plain, "plain Python bus"),
    (with_asyncio, "asyncio with a queue"),
)

# ---- Throughput ---------------------------------------------------------------------------------


def nothing():
    pass


def events_a_second(way):
    gc.collect()
    seen.events = 0
    start = ticks_us()
    way(nothing, lambda: seen.events < EVENTS)
    return seen.events * 1000000 // max(ticks_diff(ticks_us(), start), 1)


def throughput():
    """The best of some rounds, which take turns; collections are part of them."""
    best = [0] * len(WAYS)
    for _ in range(ROUNDS):
        for nth, (way, _) in enumerate(WAYS):
            best[nth] = max(best[nth], events_a_second(way))
    return best


# ---- Delays -------------------------------------------------------------------------------------


def fill_heap():
    """Small objects that hold each other, up to FREE_PERCENT of the heap."""
    total = gc.mem_alloc() + gc.mem_free()
    many = max(total // 10000, 10)
    ballast = None
    gc.collect()
    while gc.mem_free() * 100 > total * FREE_PERCENT:
        for n in range(many):
            ballast = [ballast, n]
    gc.collect()
    return ballast


sequence = 1


def work():
    """What a program does: small objects, of the sizes that events have in Python; not the same
    number each time, so that the heap is full at any place."""
    global sequence
    sequence = (sequence * 1103 + 12345) & 0xFFFF
    last = None
    for n in range(8 + sequence % 9):
        last = {"role": n, "value": (n, str(n))}
    return last


class Steps:
    """Work, timed, until the time is over."""

    def __init__(self, seconds):
        self.longest = 0
        self.end = time.ticks_add(time.ticks_ms(), seconds * 1000)

    def step(self):
        start = ticks_us()
        work()
        self.longest = max(self.longest, ticks_diff(ticks_us(), start))

    def go_on(self):
        return ticks_diff(self.end, time.ticks_ms()) > 0


def delays(way):
    """-> longest delay of an event in us, late ones in a million, and the longest step in us."""
    steps = Steps(SECONDS)
    gc.collect()
    seen.events = 0
    seen.longest = 0
    seen.late = 0
    way(steps.step, steps.go_on)
    return seen.longest, seen.late * 1000000 // max(seen.events, 1), steps.longest


def collection():
    """How long one takes, in us: the longest of three."""
    longest = 0
    for _ in range(3):
        start = ticks_us()
        gc.collect()
        longest = max(longest, ticks_diff(ticks_us(), start))
    return longest


def main():
    rates = throughput()
    ballast = fill_heap()
    free = gc.mem_free()
    print(f"GC heap of {(gc.mem_alloc() + free) // 1024} KB, {free // 1024} KB free while delays")
    takes = collection()
    seen.limit = takes // 4
    print(f"are measured, {SECONDS} s each; a collection takes {takes} us; late: {seen.limit} us")
    print(f"{'':22}{'events/s':>10}{'of plain':>10}{'longest us':>12}{'late/million':>14}", end="")
    print(f"{'step us':>10}")
    for nth, (way, says) in enumerate(WAYS):
        delay, late, step = delays(way)
        ratio = rates[nth] / rates[1]
        print(f"{says:22}{rates[nth]:>10}{ratio:>9.2f}x{delay:>12}{late:>14}{step:>10}")
    del ballast
    if mempool.stats().used or mempool.check():
        raise SystemExit(f"blocks left: {mempool.stats()}, check {mempool.check()}")


main()
