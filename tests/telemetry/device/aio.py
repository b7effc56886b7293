# Telemetry under asyncio, with a client whose publish() is a coroutine, in a program that connects
# by itself.  aio.py PORT STATES
import asyncio
import json
import sys

import mempool
from memdiag import Telemetry
from smallmqtt import MQTTClient


class Later(MQTTClient):
    async def publish(self, topic, msg, retain=False, qos=0):
        await asyncio.sleep(0.01)
        super().publish(topic, msg, retain, qos)


async def main(port, states):
    client = Later("aio", "127.0.0.1", port)
    client.connect()
    telemetry = Telemetry(client, "modesp/v1/acme/aio/memory", 0.1, managed=False)
    task = asyncio.create_task(telemetry.run(step_ms=10))
    while telemetry.sent < states:
        await asyncio.sleep(0.02)
    client.sock.close()  # the broker is away: what is made meanwhile waits
    while telemetry.queued < 2 or not telemetry.errors:
        await asyncio.sleep(0.02)
    queued = telemetry.queued
    client.connect()
    while telemetry.queued:
        await asyncio.sleep(0.02)
    telemetry.command(b"leaks")
    while not telemetry.answered:
        await asyncio.sleep(0.02)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
    told = {
        "made": telemetry._seq,
        "sent": telemetry.sent,
        "waited": queued,
        "errors": telemetry.errors,
        "left": telemetry.queued,
        "dropped": telemetry.dropped,
    }
    telemetry.close()
    told["used"] = mempool.stats().used
    print(json.dumps(told))


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
