# timeout_ms: waits, runs what is pending, gets the block that is given meanwhile, and loses none.
import time

import boardcfg
import mempool
import micropython


def raises(error, call, *args, **kw):
    try:
        call(*args, **kw)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error.__name__, call, args))


LONG = 600000  # ms, that nobody waits to the end
WHILE = 60000  # ms: what ends sooner has not waited that long, however busy the computer is


def timed(call, *args, **kw):
    start = time.ticks_ms()
    result = call(*args, **kw)
    return time.ticks_diff(time.ticks_ms(), start), result


def at_once(call, *args, **kw):
    """It takes no time: shown by one of many attempts, since another program may run in some."""
    for _ in range(50):
        elapsed, result = timed(call, *args, **kw)
        if elapsed < 5:
            return result
        if isinstance(result, mempool.Block):
            result.free()
    raise SystemExit("%s waits %d ms" % (call, elapsed))


def within_20_ms(size, arguments):
    """A Block, or None where there is none in 20 ms."""
    try:
        return mempool.alloc(size, timeout_ms=20, **arguments)
    except MemoryError:
        return None


if not boardcfg.MEMORY_POOL_STRICT_MODE:
    raise SystemExit(0)  # nothing is ever out

taken = []
while not taken or taken[-1] > 0:
    taken.append(mempool.take(512))
taken.pop()
mempool.reset_stats()
used = mempool.XLARGE.used
empty = mempool.Block()

# Nobody gives: the whole time, one failure.
elapsed, text = timed(raises, MemoryError, mempool.alloc, 512, timeout_ms=100)
assert 95 <= elapsed < WHILE, elapsed
assert text.startswith("XLARGE exhausted"), text
assert mempool.stats().failures == 1 and mempool.XLARGE.used == used
elapsed, _ = timed(raises, MemoryError, mempool.alloc_into, empty, 512, timeout_ms=50)
assert 45 <= elapsed < WHILE and not empty
at_once(raises, MemoryError, mempool.alloc, 512, timeout_ms=0)

# No wait where there is a block, or where waiting is no use.
at_once(mempool.alloc, 10, timeout_ms=LONG).free()
at_once(raises, ValueError, mempool.alloc, 600, timeout_ms=LONG)
mempool.reset_stats()

# Given by a callback that was pending: it runs within the wait.
given = []


def give(_):
    given.append(mempool.give(taken.pop()))


micropython.schedule(give, None)
elapsed, block = timed(mempool.alloc, 512, timeout_ms=LONG)
assert given == [0] and elapsed < WHILE and len(block) == 512
taken.append(block.detach())
assert mempool.XLARGE.used == used and mempool.stats().failures == 0


# Callbacks go on during the wait, one that arms the next.
count = 0


def tick(_):
    global count
    count += 1
    if count < 5:
        micropython.schedule(tick, None)
    else:
        mempool.give(taken.pop())


micropython.schedule(tick, None)
mempool.alloc_into(empty, 512, timeout_ms=LONG)
assert count == 5 and len(empty) == 512
taken.append(empty.detach())

# Inside a callback it counts as 0.
inside = []


def callback(_):
    start = time.ticks_ms()
    try:
        mempool.alloc(512, timeout_ms=LONG)
    except MemoryError as error:
        inside.append((time.ticks_diff(time.ticks_ms(), start), str(error)))


micropython.schedule(callback, None)
time.sleep_ms(20)
assert len(inside) == 1 and inside[0][0] < WHILE and "XLARGE" in inside[0][1], inside


# A Block that a callback fills while alloc_into waits for it: full, and the block that came is
# given back.
def fill(_):
    handle = taken.pop()
    mempool.give(taken.pop())
    empty.attach(handle)


micropython.schedule(fill, None)
assert raises(ValueError, mempool.alloc_into, empty, 512, timeout_ms=LONG) == "block is not empty"
assert len(empty) == 512 and mempool.XLARGE.used == used - 1
empty.free()
for handle in taken:
    assert mempool.give(handle) == 0

# A quota is waited for as well.
if boardcfg.MEMORY_POOL_OWNERS:
    owner = mempool.Owner("waits", 128)
    held = owner.alloc(100)
    elapsed, text = timed(raises, MemoryError, owner.alloc, 100, timeout_ms=50)
    assert 45 <= elapsed < WHILE and text.startswith("owner 'waits': quota 128"), text
    assert owner.denied == 1
    micropython.schedule(lambda _: held.free(), None)
    block = owner.alloc(100, timeout_ms=LONG)
    assert owner.used == 128
    block.free()

# Nothing is given back: whatever may serve is waited for, the larger classes and the reserve too.
for size in (100, 512):
    taken = []
    while not taken or taken[-1] > 0:
        taken.append(mempool.take(size))
    taken.pop()
    for arguments in ({}, {"spill": True}, {"critical": True}, {"critical": True, "spill": True}):
        elapsed, block = timed(within_20_ms, size, arguments)
        assert elapsed < 1000
        if block:
            block.free()
    for handle in taken:
        assert mempool.give(handle) == 0
if boardcfg.MEMORY_POOL_OWNERS:
    taken = []
    while not taken or taken[-1] > 0:
        taken.append(mempool.take(512))
    taken.pop()
    for quota in (0, 100000, 512):
        owner = mempool.Owner("waits", quota)
        micropython.schedule(lambda _: mempool.give(taken.pop()), None)
        block = owner.alloc(512, timeout_ms=5000)
        assert owner.used == 512
        taken.append(block.detach())
        mempool.give(taken.pop())
        taken.append(mempool.take(512))
    for handle in taken:
        assert mempool.give(handle) == 0

for block in (held, empty):
    block.free()
assert mempool.stats().used == 0 and mempool.check() == 0
