# The two halves of Telemetry apart: the loop looks, and a thread waits for the network.
#   apart.py PORT SECONDS
import _thread
import json
import sys
import time

import mempool
from memdiag import Telemetry
from smallmqtt import MQTTClient

client = MQTTClient("apart", "127.0.0.1", int(sys.argv[1]))
telemetry = Telemetry(client, "modesp/v1/acme/apart/memory", 0.05, quota=512)
running = True
ended = []


def send():
    while running:
        telemetry.pump()
        time.sleep_ms(5)
    ended.append(True)


_thread.start_new_thread(send, ())
begin = before = time.ticks_ms()
longest_ms = 0
while time.ticks_diff(before, begin) < int(sys.argv[2]) * 1000:
    telemetry.sample()
    time.sleep_ms(1)
    now = time.ticks_ms()
    longest_ms = max(longest_ms, time.ticks_diff(now, before))
    before = now
running = False
while not ended:
    time.sleep_ms(10)
for _ in range(50):
    telemetry.pump()
made = telemetry._seq
balanced = made == telemetry.sent + telemetry.queued + telemetry.dropped
sent = telemetry.sent
errors = telemetry.errors
telemetry.close()
print(
    json.dumps(
        {
            "longest_ms": longest_ms,
            "made": made,
            "sent": sent,
            "balanced": balanced,
            "errors": errors,
            "used": mempool.stats().used,
            "check": mempool.check(),
        }
    )
)
