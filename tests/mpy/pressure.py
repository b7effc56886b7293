# on_pressure: edges only, with hysteresis, by the scheduler; a bad callback harms nobody.
import time

import boardcfg
import mempool
import micropython
from eventbus import EventBus
from mempool import LEVEL_CRITICAL, LEVEL_LOW, LEVEL_NORMAL


def raises(error, call, *args):
    try:
        call(*args)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error.__name__, call, args))


def percent(part, count):
    return -(-part * count // 100)


assert (LEVEL_NORMAL, LEVEL_LOW, LEVEL_CRITICAL) == (0, 1, 2)
pool = mempool.MEDIUM
reserve = boardcfg.MEMORY_POOL_EMERGENCY_RESERVE
usable = pool.count - reserve
low = percent(boardcfg.MEMORY_POOL_LOW_THRESHOLD, usable)
critical = percent(boardcfg.MEMORY_POOL_CRITICAL_THRESHOLD, usable)
left = -(-low * 3 // 4)
assert low < critical <= usable, "thresholds that this pool cannot tell apart"

told = []


def callback(level, where):
    told.append((level, where, where.used))


def settle():
    for _ in range(3):
        time.sleep_ms(1)


handles = []


def up(to):
    while pool.used < to:
        handles.append(mempool.take(100))
        settle()


def down(to):
    while pool.used > to:
        mempool.give(handles.pop())
        settle()


def take_told():
    seen = told[:]
    told[:] = []
    return seen


for wrong in (1, "f", [], pool):
    raises(TypeError, mempool.on_pressure, wrong)
raises(TypeError, mempool.on_pressure)
assert mempool.on_pressure(callback) is None

# Every edge once, at the block that makes it.
up(low - 1)
assert take_told() == []
up(low)
assert take_told() == [(LEVEL_LOW, pool, low)] and pool.stats().level == LEVEL_LOW
up(critical - 1)
assert take_told() == []
up(critical)
assert take_told() == [(LEVEL_CRITICAL, pool, critical)]
assert mempool.stats().level == pool.stats().level == LEVEL_CRITICAL
up(usable)
assert take_told() == []
down(low)
assert take_told() == []
down(low - 1)
assert take_told() == [(LEVEL_LOW, pool, low - 1)]
up(critical - 1)
assert take_told() == []
down(left)
assert take_told() == []
down(left - 1)
assert take_told() == [(LEVEL_NORMAL, pool, left - 1)]
assert mempool.stats().level == LEVEL_NORMAL
down(0)
assert take_told() == []

# A use of the reserve is CRITICAL at once, whatever the fill.
if reserve:
    up(usable)
    take_told()
    down(0)
    take_told()

# Another pool's edges carry its name; two at once are two calls.
low_small = percent(boardcfg.MEMORY_POOL_LOW_THRESHOLD, mempool.SMALL.count - reserve)
small = [mempool.take(64) for _ in range(low_small)]
up(low)
seen = take_told()
names = sorted((level, where.name) for level, where, _ in seen)
assert names == [(1, "MEDIUM"), (1, "SMALL")], seen
for handle in small:
    mempool.give(handle)
down(0)
settle()
seen = take_told()
names = sorted((level, where.name) for level, where, _ in seen)
assert names == [(0, "MEDIUM"), (0, "SMALL")], seen


# Allocating in the callback makes edges of its own, without end: they are told, too, and the
# program goes on all the same.
calls = 0


def greedy(level, where):
    global calls
    calls += 1
    if level == LEVEL_NORMAL:
        while pool.used < critical:
            handles.append(mempool.take(100))
    else:
        while pool.used > 0:
            mempool.give(handles.pop())


mempool.on_pressure(greedy)
while pool.used < low:
    handles.append(mempool.take(100))
steps = 0
while steps < 40:
    steps += 1
assert calls > 40, calls
mempool.on_pressure(None)
while handles:
    mempool.give(handles.pop())
settle()
told[:] = []


# What a callback raises is printed, and the next edge comes all the same.
def broken(level, where):
    told.append(level)
    raise ValueError("a callback's own mistake, printed and survived")


mempool.on_pressure(broken)
up(low)
down(0)
assert take_told() == [LEVEL_LOW, LEVEL_NORMAL]


# What asks the program to end gets through to it.
def leave(level, where):
    raise SystemExit(7)


mempool.on_pressure(leave)
code = None
try:
    up(low)
except SystemExit as error:
    code = error.args[0]
assert code == 7
mempool.on_pressure(None)
handles[:] = [entry[0] for entry in mempool.leaks(0)]
down(0)


# A callback that rings itself, by an edge that has gone when it returns; and may remove itself.
def ringing(level, where):
    seen.append(level)
    own = [mempool.take(512) for _ in range(mempool.XLARGE.count)]
    for handle in own:
        mempool.give(handle)
    if last:
        mempool.on_pressure(None)


for last in (False, True):
    seen = []
    mempool.on_pressure(ringing)
    up(low)
    settle()
    assert seen == [LEVEL_LOW], seen
    down(0)
    settle()
    assert seen == [LEVEL_LOW] + [LEVEL_NORMAL] * (not last), seen
    mempool.on_pressure(None)


# All pools at once, by events, and a callback that drops those of its pool: two edges a pool in
# one run, and nobody rang for the second.
def fill(_):
    for own, payload in buses.values():
        while own.publish("x", payload):
            pass


def empty(level, where):
    seen.append((level, where.name))
    buses[where.name][0].clear()


buses, seen, subs = {}, [], []
for which in mempool.pools():
    own = EventBus(queue=which.count)
    own.pause()
    subs.append(own.subscribe("x", print))
    buses[which.name] = own, bytes(which.block_size - 19)  # a header of 16 bytes, and CBOR's
mempool.on_pressure(empty)
micropython.schedule(fill, None)
settle()
names = [which.name for which in mempool.pools()]
assert seen == [(level, n) for n in names for level in (LEVEL_CRITICAL, LEVEL_NORMAL)], seen
mempool.on_pressure(None)
for sub in subs:
    sub.cancel()


# Callbacks that always make one edge more: so many are told at a time, and the program goes on
# between them; none is lost.
def seesaw(level, where):
    seen.append(where.name)
    if len(seen) < 25:
        low_one = (mempool.LARGE, mempool.XLARGE)[len(seen) % 2]
        for handle in weights:
            mempool.give(handle)
        weights.clear()
        weights.extend(mempool.take(low_one.block_size) for _ in range(low_one.count))


weights = []
mempool.on_pressure(seesaw)
up(low)
for _ in range(20):
    settle()
assert len(seen) >= 25, seen
mempool.on_pressure(None)
for handle in weights:
    mempool.give(handle)
down(0)

# Removed: nothing comes. Set again: only what happens from then on.
up(critical)
assert take_told() == []
mempool.on_pressure(callback)
settle()
assert take_told() == []
down(0)
assert [level for level, _, _ in take_told()][-1:] == [LEVEL_NORMAL]
mempool.on_pressure(None)
assert mempool.stats().used == 0 and mempool.check() == 0
