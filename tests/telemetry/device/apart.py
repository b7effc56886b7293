# The two halves of Telemetry apart: the loop looks, and a thread waits for the network.
#   apart.py PORT RECORDS ERRORS   ends when it has made so many, and so many attempts failed
import _thread
import json
import sys
import time

import mempool
from memdiag import Telemetry
from owntime import OwnTime
from smallmqtt import MQTTClient

client = MQTTClient("apart", "127.0.0.1", int(sys.argv[1]))
telemetry = Telemetry(client, "modesp/v1/acme/apart/memory", 0.1, quota=4096)
running = True
ended = []


def send():
    while running:
        telemetry.pump()
        time.sleep_ms(5)
    ended.append(True)


_thread.start_new_thread(send, ())
step = OwnTime()
longest_us = 0
while telemetry._seq < int(sys.argv[2]) or telemetry.errors < int(sys.argv[3]):
    step.start()
    telemetry.sample()
    time.sleep_ms(1)
    longest_us = max(longest_us, step.took_us())
running = False
while not ended:
    time.sleep_ms(10)
for _ in range(100):  # more than may wait
    telemetry.pump()
made = telemetry._seq
balanced = made == telemetry.sent + telemetry.queued + telemetry.dropped
sent = telemetry.sent
errors = telemetry.errors
telemetry.close()
print(
    json.dumps(
        {
            "longest_ms": longest_us // 1000,
            "made": made,
            "sent": sent,
            "balanced": balanced,
            "errors": errors,
            "used": mempool.stats().used,
            "check": mempool.check(),
        }
    )
)
