# A controller's loop with telemetry, on the unix port, told what to do by lines on stdin:
#   stats | event TOPIC POOL | hold | go | period SECONDS | close | quit
# On hold it makes no step. It answers each by a line of JSON.
#   room.py CLIENT PORT DEVICE PERIOD_S QUOTA [KEEPALIVE_S]
import json
import select
import sys
import time

import mempool
from eventbus import bus
from memdiag import Telemetry
from owntime import OwnTime

kind, port, device, period_s, quota = sys.argv[1:6]
keepalive_s = int(sys.argv[6]) if len(sys.argv) > 6 else 0
if kind == "small":
    from smallmqtt import MQTTClient
elif kind == "robust":
    from umqtt.robust import MQTTClient
else:
    from umqtt.simple import MQTTClient

client = MQTTClient(device, "127.0.0.1", int(port), keepalive=keepalive_s)
telemetry = Telemetry(
    client, "modesp/v1/acme/%s/memory" % device, float(period_s), quota=int(quota)
)
poller = select.poll()
poller.register(sys.stdin, select.POLLIN)
step = OwnTime()
longest_us = 0
ticks = 0
held = False


def stats():
    return {
        "made": telemetry._seq,
        "sent": telemetry.sent,
        "queued": telemetry.queued,
        "dropped": telemetry.dropped,
        "answered": telemetry.answered,
        "refused": telemetry.refused,
        "reconnects": telemetry.reconnects,
        "errors": telemetry.errors,
        "error": repr(telemetry.last_error),
        "connected": telemetry.connected,
        "longest_us": longest_us,
        "ticks": ticks,
        "used": mempool.stats().used,
        "check": mempool.check(),
    }


while True:
    if not held:
        step.start()
        telemetry.tick()
        longest_us = max(longest_us, step.took_us())
        ticks += 1
    if not poller.poll(1):
        continue
    words = sys.stdin.readline().split()
    if not words or words[0] == "quit":
        break
    if words[0] == "event":
        done = bus.publish(words[1], pool=words[2], utilization=83)
        print(json.dumps({"event": done}))
    else:
        if words[0] in ("hold", "go"):
            held = words[0] == "hold"
        elif words[0] == "period":
            telemetry._period_ms = int(float(words[1]) * 1000)
            telemetry._due = time.ticks_add(time.ticks_ms(), telemetry._period_ms)
        elif words[0] == "close":
            telemetry.close()
        print(json.dumps(stats()))
telemetry.close()
