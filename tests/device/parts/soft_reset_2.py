# After it: what Python owned is back, old handles are stale, nobody is called, C goes on.
import time

import boardcfg
import mempool

for handle in HANDLES:  # given by who runs it
    assert mempool.give(handle) == mempool.E_STALE, handle
deadline = time.ticks_add(time.ticks_ms(), 60000)
while mempool.stats().used and time.ticks_diff(deadline, time.ticks_ms()) > 0:
    time.sleep_ms(5)
assert mempool.stats().used == 0, mempool.leaks(0)
assert mempool.check() == 0
if boardcfg.MEMORY_POOL_GROW_BLOCKS:  # a thread was in the middle of it
    assert mempool.grow(mempool.TINY, 1) == 1 and mempool.shrink(mempool.TINY) == 1
    while mempool.shrink(mempool.XLARGE):
        pass
from eventbus import bus  # noqa: E402 - what is there before the bus is imported counts

heard = []
sub = bus.subscribe("after.*", lambda event: heard.append(event.topic))
assert bus.publish("after.it", n=1)
while "after.it" not in heard and time.ticks_diff(deadline, time.ticks_ms()) > 0:
    time.sleep_ms(5)
# A timer of the old program's may tick on: its events are C's.
assert [topic for topic in heard if topic != "after.tick"] == ["after.it"], heard
sub.cancel()
try:
    import _platform

    _platform.source_stop()
except (ImportError, AttributeError):
    pass
if hasattr(mempool, "noinit"):
    assert mempool.noinit.valid and bytes(mempool.noinit[0:8]) == b"softly!!"
assert mempool.stats().used == 0 and mempool.check() == 0
