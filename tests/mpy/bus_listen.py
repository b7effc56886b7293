# Listeners: asyncio and select, their own queue and its policies, cancelled, forgotten, never
# read.
import asyncio
import gc
import select

import boardcfg
import mempool
from eventbus import DROP_NEWEST, DROP_OLDEST, LATEST, EventBus, bus


def deliver(which=bus):
    while which.process():
        pass


def numbers(listener):
    got = []
    event = listener.get()
    while event is not None:
        got.append(event["n"])
        event = listener.get()
    return got


# Policies.
for policy, expected in ((DROP_NEWEST, [0, 1, 2]), (DROP_OLDEST, [3, 4, 5]), (LATEST, [5])):
    with bus.listen("p.*", 3, policy) as listener:
        for n in range(6):
            bus.publish("p.x", n=n)
            deliver()
        got = numbers(listener)
        assert got == expected, (policy, got)
        assert listener.delivered == len(expected) and listener.dropped == 6 - len(expected)
        assert mempool.stats().used == 0
    bus.publish("p.x", n=9)
    deliver()
    assert listener.get() is None and mempool.stats().used == 0

# An event is good until the next step.
with bus.listen("s") as listener:
    for n in range(3):
        bus.publish("s", n=n)
    deliver()
    first = listener.get()
    assert first["n"] == 0
    kept = first.keep()
    second = listener.get()
    assert second["n"] == 1 and first is second and kept["n"] == 0
    kept.free()
try:
    second["n"]
    raise SystemExit("after its time")
except ValueError:
    pass

# select
poller = select.poll()
listener = bus.listen("poll")
poller.register(listener, select.POLLIN)
assert poller.poll(0) == []
bus.publish("poll", n=1)
ready = poller.poll(1000)
assert len(ready) == 1 and ready[0][0] is listener and ready[0][1] == select.POLLIN
assert numbers(listener) == [1] and poller.poll(0) == []
listener.cancel()
assert len(poller.poll(0)) == 1  # ended: who waits shall look
poller.unregister(listener)


# asyncio
async def consume(listener, into, limit):
    async for event in listener:
        into.append(event["n"])
        if len(into) == limit:
            break


async def many():
    a, b = [], []
    deep = bus.listen("m.*", depth=16)
    shallow = bus.listen("m.b", depth=2, policy=DROP_NEWEST)
    task_a = asyncio.create_task(consume(deep, a, 20))
    task_b = asyncio.create_task(consume(shallow, b, 5))
    await asyncio.sleep_ms(0)
    for n in range(10):
        bus.publish("m.a", n=n)
        bus.publish("m.b", n=n)
        await asyncio.sleep_ms(2)
    await asyncio.wait_for(task_a, 10)
    await asyncio.wait_for(task_b, 10)
    assert sorted(a) == sorted(list(range(10)) * 2), a
    assert b == [0, 1, 2, 3, 4], b
    deep.cancel()
    shallow.cancel()
    # await gives one event
    listener = bus.listen("one")
    bus.publish("one", n=7)
    event = await listener
    assert event["n"] == 7
    # a time-out, or the task's end, leaves the listener whole
    try:
        await asyncio.wait_for_ms(listener, 20)
        raise SystemExit("no time-out")
    except asyncio.TimeoutError:
        pass
    bus.publish("one", n=8)
    assert (await listener)["n"] == 8

    # ended by another task
    async def end():
        await asyncio.sleep_ms(10)
        listener.cancel()

    asyncio.create_task(end())
    async for event in listener:
        raise SystemExit("an event of nobody")


asyncio.run(many())

# Awaited by nobody: an error that says so.
listener = bus.listen("alone")
try:
    next(listener)
    raise SystemExit("outside of asyncio")
except RuntimeError as error:
    assert "asyncio" in str(error)
listener.cancel()

assert mempool.stats().used == 0, mempool.leaks(0)

# One that never reads has its own bound; everyone else is served.
sluggard = bus.listen("n.*", depth=4)
counted = []
with bus.subscribe("n.*", lambda event: counted.append(1)):
    for n in range(100):
        bus.publish("n.x", n=n)
        deliver()
assert len(counted) == 100 and sluggard.dropped == 96 and mempool.stats().used == 4 * 32
sluggard.cancel()
sluggard.cancel()
assert mempool.stats().used == 0


# Forgotten: the collector ends it, and gives its events back. It is conservative: one of them may
# look as if someone still had it.
FORGOTTEN = 6


def forget():
    lost = bus.listen("f.*")
    bus.publish("f.x", n=2)
    deliver()
    assert lost.get()["n"] == 2
    bus.publish("f.x", n=3)
    deliver()


for _ in range(FORGOTTEN):
    forget()
for _ in range(3):
    gc.collect()
    [str(i) for i in range(20)]
left = mempool.stats().used
assert left <= FORGOTTEN * 32, left  # it gets what the later ones get, too
subs = []
try:
    while len(subs) < 200:
        subs.append(bus.subscribe("count", print))
except MemoryError:
    pass
assert len(subs) >= boardcfg.MEMORY_POOL_EVENT_SUBSCRIBERS - 1, len(subs)
for one in subs:
    one.cancel()

# A bus of one's own.
own = EventBus(queue=4)
listener = own.listen("*")
for n in range(3):
    own.publish("o", n=n)
own.process()
bus.publish("o", n=9)
deliver()
assert numbers(listener) == [0, 1, 2]
listener.cancel()
assert mempool.stats().used == left and mempool.check() == 0


# One task awaits a listener: a second one is told so, and the first goes on.
async def two():
    shared = bus.listen("two")
    first = []

    async def one():
        first.append((await shared)["n"])

    task = asyncio.create_task(one())
    await asyncio.sleep_ms(1)
    try:
        await shared
        raise SystemExit("two at once")
    except RuntimeError as error:
        assert "another task" in str(error), error
    bus.publish("two", n=3)
    await asyncio.wait_for(task, 5)
    assert first == [3], first
    shared.cancel()


asyncio.run(two())
assert mempool.stats().used == left and mempool.check() == 0
