# Thousands of random calls of the whole bus, from the program and from within callbacks, filters
# and on_error: whatever comes, no crash, no block lost, and each published event delivered or
# dropped. The seed is printed where it fails.
# timeout: 240
import gc
import sys

import mempool
from eventbus import CRITICAL, DROP_NEWEST, LATEST, LOW, EventBus, bus

ROUNDS = 150000 if sys.platform == "linux" else 1200
SEEDS = (1, 77, 4242)
TOPICS = ("a", "a.b", "a.b.c", "x.y", "x")
PATTERNS = ("*", "a.*", "a.b", "*.y", "a.*.c", "x", "a")
VALUES = (None, True, -1, 1 << 40, "", "text", b"\0" * 40, [], {"k": [1, {"l": ()}]}, "m" * 470)
BAD = ({1: 2}, object(), [[[[[]]]]], 1 << 64, "\ud800", b"\0" * 500, {1, 2})
EXPECTED = (ValueError, TypeError, MemoryError, RuntimeError, KeyError)
state = 0


def rnd(n):
    # xorshift32: the same on every machine
    global state
    state ^= state << 13 & 0xFFFFFFFF
    state ^= state >> 17
    state ^= state << 5 & 0xFFFFFFFF
    return state % n


def pick(items):
    return items[rnd(len(items))]


class Evil(Exception):
    def __str__(self):
        act()
        raise ValueError("no text")


class Kit:
    buses = [bus]
    subs = []
    listeners = []
    kept = []
    blocks = []
    depth = 0
    calls = 0
    errors = 0


def forget(items, most):
    while len(items) > most:
        thing = items.pop(rnd(len(items)))
        if items is Kit.subs or items is Kit.listeners and rnd(8):
            thing.cancel()
        elif items is not Kit.listeners and rnd(8):  # else the collector finds it
            thing.free()


def callback(event):
    Kit.calls += 1
    what = rnd(8)
    if what == 0:
        Kit.kept.append(event.keep())
    elif what == 1:
        repr(event.data)
        bytes(event.raw[1:3])
    elif what == 2:
        event["k"]  # KeyError, TypeError
    elif what == 3:
        raise pick((Evil, ZeroDivisionError, StopIteration, GeneratorExit, MemoryError))
    else:
        act()


def filter_(topic, priority):
    act()
    if rnd(20) == 0:
        raise Evil
    return rnd(10)


def on_error(sub, error):
    if rnd(4) == 0:
        sub.cancel()
    Kit.errors += 1
    act()
    if rnd(1000) == 0:
        raise ZeroDivisionError


def publish():
    which = pick(Kit.buses)
    what = rnd(12)
    if what == 0:
        which.publish(pick(TOPICS), pick(BAD), rnd(4))
    elif what == 1:
        which.publish(pick(("", "a..b", "*", "a" * 64)))
    elif what == 2:
        which.publish(pick(TOPICS), k=rnd(100), l=pick(VALUES))
    elif what < 5 and Kit.blocks:
        block = pick(Kit.blocks)
        which.publish(pick(TOPICS), block, rnd(4))
    else:
        which.publish(pick(TOPICS), pick(VALUES), rnd(4))


def subscribe():
    which = pick(Kit.buses)
    if rnd(2):
        sub = which.subscribe(pick(PATTERNS), callback, once=rnd(3) == 0)
        if rnd(6):
            Kit.subs.append(sub)
        else:
            with sub:
                which.publish("a.b", 1)
    else:
        listener = which.listen(pick(PATTERNS), 1 + rnd(5), pick((DROP_NEWEST, 1, LATEST)))
        if rnd(6):
            Kit.listeners.append(listener)
    forget(Kit.subs, 12)
    forget(Kit.listeners, 6)


def listen():
    if not Kit.listeners:
        return
    event = pick(Kit.listeners).get()
    if event is not None:
        repr(event)
        if rnd(2):
            Kit.kept.append(event.keep())
        act()
        repr(event)


def kept():
    if Kit.kept:
        event = pick(Kit.kept)
        what = rnd(4)
        if what == 0:
            event.free()
        elif what == 1:
            event.data
        elif what == 2:
            assert event.raw == bytes(event.raw)
        else:
            Kit.kept.append(event.keep())
    forget(Kit.kept, 8)


def blocks():
    what = rnd(5)
    if what == 0:
        Kit.blocks.append(bus.block(pick((1, 15, 16, 17, 48, 112, 240, 496))))
    elif what == 1:
        Kit.blocks.append(mempool.alloc(pick((1, 16, 17, 32, 113, 512))))
    elif what == 2 and Kit.blocks:
        block = pick(Kit.blocks)
        handle = block.detach()
        if rnd(2):
            block.attach(handle)
        else:
            assert mempool.give(handle) == 0
    elif Kit.blocks:
        block = pick(Kit.blocks)
        mempool.alloc_into(block, 1 + rnd(100))
        block[0] = 1
    forget(Kit.blocks, 8)


def buses():
    if len(Kit.buses) < 3:
        Kit.buses.append(EventBus(1 + rnd(6)))
        Kit.buses[-1].on_error = on_error
    elif rnd(4) == 0:
        Kit.buses.pop(1 + rnd(2))  # its subscriptions may live on, or it dies with what waits


def control():
    which = pick(Kit.buses)
    what = rnd(10)
    if what == 0:
        which.pause()
    elif what < 3:
        which.resume()
    elif what == 3:
        which.clear()
    elif what == 4:
        which.filter = filter_ if rnd(2) else None
    elif what == 5:
        which.on_error = on_error
    elif what == 6:
        which.stats()
        repr(which)
    elif what == 7 and rnd(8) == 0:
        gc.collect()
    else:
        which.process(rnd(3))


ACTIONS = (publish, publish, publish, subscribe, listen, kept, blocks, buses, control, control)


def act():
    if Kit.depth > 3:
        return
    Kit.depth += 1
    try:
        pick(ACTIONS)()
    except EXPECTED + (Evil,):
        pass
    finally:
        Kit.depth -= 1


def end():
    for which in Kit.buses:
        which.filter = None
        which.resume()
        which.clear()
    for lst in (Kit.subs, Kit.listeners, Kit.kept, Kit.blocks):
        while lst:
            forget(lst, 0)
    del Kit.buses[1:]


def balance(which):
    """One subscriber: what was published comes to it, or is counted."""
    got = []
    which.resume()
    before = which.stats()
    sub = which.subscribe("bal", got.append)
    for _ in range(500):
        which.publish("bal", rnd(100), pick((CRITICAL, 1, 2, LOW)))
        if rnd(20) == 0:
            which.process()
    while which.process():
        pass
    after = which.stats()
    dropped = sum(after.dropped) - sum(before.dropped)
    assert after.published - before.published == len(got) + dropped, (after, len(got))
    assert sub.delivered == len(got) and sub.dropped == dropped
    sub.cancel()


def settle():
    # The collector is conservative, and some of what was forgotten may look as if someone had it.
    for _ in range(4):
        gc.collect()
        [str(i) for i in range(30)]


bus.on_error = on_error
try:
    for seed in SEEDS:
        state = seed
        for _ in range(ROUNDS):
            act()
        assert mempool.check() == 0
        end()
        assert Kit.depth == 0 and Kit.calls > ROUNDS // 20, (Kit.depth, Kit.calls)
        balance(bus)
        settle()
        assert mempool.check() == 0
        Kit.calls = 0
except BaseException:
    print("seed", seed)
    raise
settle()
left = mempool.stats().used
assert left <= 16 * 512, (left, mempool.leaks(0))
