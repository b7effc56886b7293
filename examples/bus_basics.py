# The event bus: publish and subscribe, patterns, priorities, an event that is kept, one that is
# awaited once, a task of asyncio that listens, and a block that becomes an event without a copy.
#
# Events live in pool blocks. Payloads of ints, strings and bools by keyword cost no GC heap.
import asyncio
import time

import mempool
from eventbus import CRITICAL, LOW, bus

heard = []


def show(event):
    heard.append(event.topic)
    print(" ", event.topic, event.data)


# `*` stands for one level; at the end, for one level or more. Nobody has to ask for delivery: the
# doorbell rings, and MicroPython delivers between two bytecodes.
print("patterns:")
temperatures = bus.subscribe("sensor.*.updated", show)
bus.publish("sensor.temperature.updated", value=4125, unit="mC")
bus.publish("sensor.humidity.updated", value=85, unit="%")
bus.publish("sensor.door.opened", by="Ann")  # does not match, and takes no block
while len(heard) < 2:
    time.sleep_ms(1)
assert heard == ["sensor.temperature.updated", "sensor.humidity.updated"]
temperatures.cancel()

# Higher priorities come first, whatever waits. A loop with a time for everything pauses the bus
# while it works, and delivers when it is done: in one place, for so many milliseconds at most.
print("priorities:")
heard.clear()
with bus.subscribe("*", show):
    bus.pause()
    bus.publish("log.line", "the day began", LOW)
    bus.publish("state.light", {"on": True})
    bus.publish("actuator.emergency_stop", priority=CRITICAL)
    bus.resume()
    bus.process(max_ms=100)
assert heard == ["actuator.emergency_stop", "state.light", "log.line"]

# The object that a callback gets is reused, and over when the callback returns. keep() is a
# reference that outlives it, and is freed as a Block is. once=True: the first, and no other.
print("kept:")
alarms = []
bus.subscribe("alarm.*", lambda event: alarms.append(event.keep()), once=True)
for celsius in (11, 12):
    bus.publish("alarm.high_temperature", celsius=celsius)
    bus.process()
with alarms[0] as alarm:
    print(" ", alarm, alarm["celsius"], alarm.get("since_ms", "unknown"))
    assert alarm["celsius"] == 11 and len(alarms) == 1


# A listener has a queue of its own; when it is full the oldest makes way. `event` is good until
# the next step.
async def count(listener, numbers):
    async for event in listener:
        numbers.append(event["number"])


async def main():
    numbers = []
    listener = bus.listen("counter", depth=4)
    task = asyncio.create_task(count(listener, numbers))
    for number in range(1, 4):
        bus.publish("counter", number=number)
        while len(numbers) < number:
            await asyncio.sleep_ms(1)
    print("listened:", numbers, "delivered", listener.delivered, "dropped", listener.dropped)
    listener.cancel()  # ends the loop of the task
    await task
    assert numbers == [1, 2, 3]


asyncio.run(main())


# Without a copy: the block is filled, handed over, and empty then. Subscribers read it in place.
def record(event):
    print("handed over:", len(event.raw), "bytes, first", event.raw[0], "last", event.raw[-1])


with bus.subscribe("haccp.record", record):
    block = bus.block(46)
    block[0] = 1
    block[45] = 99
    assert bus.publish("haccp.record", block) and not block
    bus.process()

stats = bus.stats()
print("published %d, delivered %d, refused %d" % (stats.published, stats.delivered, stats.refused))
assert mempool.stats().used == 0 and mempool.check() == 0
