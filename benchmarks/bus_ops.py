"""What the event bus costs from Python: from `bus.publish` to the value in a callback's hands,
next to a bus of dicts and tuples and to asyncio with a queue, in one run, without collections.

    .venv/bin/python tools/exec.py --target rv32 --icount benchmarks/bus_ops.py     instructions
    make exec FILE=benchmarks/bus_ops.py                                     microseconds

Least, median and worst of single events; the timer's interrupts of the board are in the worst.
"""

import array
import asyncio
import gc
import sys
import time
from collections import deque

import mempool
from eventbus import bus

EVENTS = 400
TOPIC = "sensor.temperature.updated"

EMULATED = sys.platform == "qemu"
now = time.ticks_cpu if EMULATED else time.ticks_us
ticks_diff = time.ticks_diff
start = 0
spent = array.array("I", [0] * EVENTS)
value = None


def on_event(event):
    global value
    value = event["value"]
    spent[value] = ticks_diff(now(), start)


def on_tuple(event):
    global value
    value = event[1]["value"]
    spent[value] = ticks_diff(now(), start)


def reading():
    """What reading the clock costs, and calling the function that takes it."""
    global start
    for n in range(EVENTS):
        start = now()
        spent[n] = ticks_diff(now(), start)


def by_bell():
    global start
    for n in range(EVENTS):
        start = now()
        bus.publish("a.b", value=n, unit="C")


def long_topic():
    global start
    for n in range(EVENTS):
        start = now()
        bus.publish(TOPIC, value=n, unit="C")


def by_process():
    global start
    bus.pause()
    for n in range(EVENTS):
        start = now()
        bus.publish("a.b", value=n, unit="C")
        bus.resume()
        bus.process()
        bus.pause()
    bus.resume()


queue = deque((), 32)
subscribers = {"a.b": [on_tuple]}


def plain_publish(topic, **fields):
    queue.append((topic, fields))


def plain_process():
    while queue:
        event = queue.popleft()
        for callback in subscribers[event[0]]:
            callback(event)


def plain():
    global start
    for n in range(EVENTS):
        start = now()
        plain_publish("a.b", value=n, unit="C")
        plain_process()


async def through_asyncio():
    global start
    filled = asyncio.Event()

    async def consume():
        while True:
            while not queue:
                filled.clear()
                await filled.wait()
            on_tuple(queue.popleft())

    consumer = asyncio.create_task(consume())
    await asyncio.sleep_ms(0)
    for n in range(EVENTS):
        start = now()
        queue.append(("a.b", {"value": n, "unit": "C"}))
        filled.set()
        while queue:
            await asyncio.sleep_ms(0)
    consumer.cancel()


def with_asyncio():
    asyncio.run(through_asyncio())


MEASURED = (
    (by_bell, "publish to callback"),
    (long_topic, "the same, 26 bytes of topic"),
    (by_process, "publish, process to callback"),
    (plain, "plain Python bus"),
    (with_asyncio, "asyncio with a queue"),
)


def costs(way):
    """Least, median and worst of single events, in ticks."""
    way()
    for n in range(EVENTS):
        spent[n] = 0
    gc.collect()
    gc.disable()
    try:
        way()
    finally:
        gc.enable()
    ordered = sorted(spent)
    return ordered[0], ordered[EVENTS // 2], ordered[-1]


def main():
    clock = costs(reading)[0]
    print(f"{'ticks_cpu' if EMULATED else 'us':30}{'least':>9}{'median':>9}{'worst':>9}")
    with bus.subscribe("a.*", on_event), bus.subscribe("sensor.*.updated", on_event):
        for way, says in MEASURED:
            least, median, worst = (max(n - clock, 0) for n in costs(way))
            print(f"{says:30}{least:9}{median:9}{worst:9}")
    if value != EVENTS - 1 or mempool.stats().used or mempool.check():
        raise SystemExit(f"{value}, {mempool.stats()}, check {mempool.check()}")


main()
