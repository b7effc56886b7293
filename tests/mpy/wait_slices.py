# A wait looks again every 10 ms at most: a block that another thread gives back is had soon after,
# however long the waiter has waited already. Two thirds of many tries must see that: a busy
# computer is late now and then.
# targets: unix unix32
# timeout: 120
import _thread
import time

import boardcfg
import mempool

TRIES = 15
LATE_MS = 18  # a slice of 10 ms, and what the thread and the VM need to wake up

if not boardcfg.MEMORY_POOL_STRICT_MODE:
    raise SystemExit(0)  # nothing is ever out

taken = []
while not taken or taken[-1] > 0:
    taken.append(mempool.take(512))
taken.pop()
given_ms = 0
ended = 0


def give(after_ms):
    global given_ms, ended
    time.sleep_ms(after_ms)
    given_ms = time.ticks_ms()
    mempool.give(taken.pop())
    ended += 1


def late(after_ms):
    """How long after the give the waiter had its block."""
    before = ended
    _thread.start_new_thread(give, (after_ms,))
    block = mempool.alloc(512, timeout_ms=20000)
    now_ms = time.ticks_ms()
    while ended == before:
        time.sleep_ms(1)
    taken.append(block.detach())
    return time.ticks_diff(now_ms, given_ms)


def most():
    """What two thirds of the tries were late by, or less."""
    return sorted(late(300 + 17 * n) for n in range(TRIES))[TRIES * 2 // 3]


start = time.ticks_ms()
seen = most()
while seen > LATE_MS and time.ticks_diff(time.ticks_ms(), start) < 40000:
    seen = most()
assert seen <= LATE_MS, seen
for handle in taken:
    assert mempool.give(handle) == 0
assert mempool.stats().used == 0 and mempool.check() == 0
