# Events of a hardware timer and of a line, published in interrupts: each arrives or is counted.
import time

import mempool

try:
    import _platform

    for name in ("sink", "source_timer", "source_edge", "edge", "source_stop"):
        getattr(_platform, name)
except (ImportError, AttributeError):
    print("NOT HERE: the firmware has no sources of events (_platform.source_timer)")
    raise SystemExit
from eventbus import HIGH, bus

EDGES = 50
heard = []
_platform.sink("*")
sub = bus.subscribe("line", lambda event: heard.append(event["sequence"]))
_platform.source_timer("tick", 1000)
_platform.source_edge("line", HIGH)
start = time.ticks_ms()
for _ in range(EDGES):
    _platform.edge()
    time.sleep_ms(20)
# An emulated board on a busy computer needs longer.
while time.ticks_diff(time.ticks_ms(), start) < (
    2000 if _platform.sink_read()[0] > 300 else 60000
):
    time.sleep_ms(10)
elapsed_ms = time.ticks_diff(time.ticks_ms(), start)
timer, line = _platform.source_stop()[:2]
deadline = time.ticks_add(time.ticks_ms(), 60000)
while mempool.stats().used and time.ticks_diff(deadline, time.ticks_ms()) > 0:
    time.sleep_ms(5)
count, missing, longest_us, bins = _platform.sink_read()
made_way = _platform.sink_stop()
sub.cancel()
print("FIGURE sources: events of the timer in %d ms (1 a ms) =" % elapsed_ms, timer[0])
print("FIGURE sources: longest from interrupt to C subscriber, us =", longest_us)
print("timer %s, line %s, delivered %d, made way %d" % (timer, line, count, made_way))
assert line == (EDGES, EDGES, 0), line
assert timer[0] >= 200 and timer[0] == timer[1] + timer[2], timer
assert count == timer[1] + line[1] - made_way, (count, timer, line, made_way)
assert heard == sorted(set(heard)) and len(heard) == EDGES, heard
assert mempool.stats().used == 0 and mempool.check() == 0
