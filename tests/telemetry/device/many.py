# Many devices in one process, each with a connection of its own.
#   many.py PORT FIRST COUNT STATES PERIOD_S
# Says "ready" when all are connected, and at the end what was sent, as JSON.
import json
import sys
import time

import mempool
from memdiag import Telemetry
from memdiag.discovery import COUNT
from smallmqtt import MQTTClient

port, first, count, states, period_s = [int(arg) for arg in sys.argv[1:6]]
owner = mempool.Owner("telemetry-buf", 4096)
devices = []
for number in range(first, first + count):
    client = MQTTClient("device-%d" % number, "127.0.0.1", port)
    devices.append(
        Telemetry(
            client,
            "modesp/v1/site-%d/device-%d/memory" % (number % 10, number),
            period_s,
            bus=None,
            owner=owner,
            ready=lambda: going,
            timeout_s=120,  # 1,000 devices, one broker, and whatever else the computer does
        )
    )
going = True
# The blocks are shared: what each says first has to be out before records may wait.
while not all(device.connected and device._hello > COUNT for device in devices):
    for device in devices:
        device.pump()
before = sum(device._link.client.bytes_out for device in devices)
print("ready")
sys.stdin.readline()
while not all(d.sent + d.dropped >= states and d.answered for d in devices):
    for device in devices:
        # One record at a time: 250 devices share the blocks that one would have for itself.
        if device.queued or device._response is not None:
            pass
        elif device._commands:
            device._answer()
        elif device._seq < states:
            device.sample()
        device.pump()
    time.sleep_ms(1)
print(
    json.dumps(
        {
            "sent": sum(device.sent for device in devices),
            "answered": sum(device.answered for device in devices),
            "dropped": sum(device.dropped for device in devices),
            "errors": sum(device.errors for device in devices),
            "bytes": sum(device._link.client.bytes_out for device in devices) - before,
            "used": mempool.stats().used,
        }
    )
)
sys.stdin.readline()
