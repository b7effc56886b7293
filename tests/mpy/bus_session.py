# The calls at the head of the contract's section 5, as a user types them.
# fresh: after a start, not a soft reset
import asyncio
import time

import mempool
from eventbus import HIGH, NORMAL, bus


def on_temp(event):
    print(event.topic, event["value"], event["unit"], event.priority == NORMAL)


print(bus.publish("sensor.temperature.updated", value=25.5, unit="C"))
sub = bus.subscribe("sensor.*.updated", on_temp)
print(sub)
print(bus.publish("sensor.temperature.updated", value=25.5, unit="C"))
time.sleep_ms(50)
print(bus.publish("system.status", {"status": "ready"}, HIGH))
print(sub)
print(bus.process(max_ms=2))


async def alarms():
    seen = 0
    async for event in bus.listen("alarm.*", depth=8):
        print(event.topic, event.data)
        seen += 1
        if seen == 2:
            break


async def main():
    task = asyncio.create_task(alarms())
    await asyncio.sleep_ms(1)
    bus.publish("alarm.door", open=True)
    bus.publish("alarm.temperature.high", value=11, since=None)
    await asyncio.wait_for(task, 5)


asyncio.run(main())

b = bus.block(100)
print(len(b))
b[:5] = b"hello"
with bus.subscribe("frame.raw", lambda event: print(event, bytes(event.raw[:5]))):
    print(bus.publish("frame.raw", b), b)
    time.sleep_ms(50)
print(bus)
print(bus.stats()[:4])
with bus.subscribe("*", lambda event: print("any", event.topic), once=True):
    bus.publish("x")
    bus.publish("y")
    time.sleep_ms(50)
sub.cancel()
print(sub, mempool.check())
