# What the diagnostics read without a byte of the GC heap: mempool.owners_into, mempool.trace_into
# and the bus's stats_into, against what their likes with objects say.
import array
import gc
import struct

import boardcfg
import mempool
from eventbus import EventBus

NUMBERS = 1 + boardcfg.MEMORY_POOL_OWNERS


def raises(error, call, *arguments):
    try:
        call(*arguments)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s" % (error.__name__, arguments))


def words(count):
    return array.array("I", [7] * count)


# ---- Owners


def entries(array):
    for at in range(0, 4 * len(array), 32):
        used, quota, peak, denied, name = struct.unpack_from("<IIII16s", array, at)
        yield used, quota, peak, denied, name.rstrip(b"\0").decode()


a = mempool.Owner("a", 96)
longest = mempool.Owner("fifteen letters")
held = [a.take(30), a.take(64), longest.take(500), mempool.take(1)]
assert a.take(30) == mempool.E_QUOTA
found = words(8 * NUMBERS)
assert mempool.owners_into(found) == NUMBERS
found = list(entries(found))
assert found[0] == (32, 0, 0, 0, ""), found[0]
live = [entry for entry in found[1:] if entry[4]]
expected = [(o.used, o.quota, o.peak, o.denied, o.name) for o in mempool.owners()]
assert live == expected, (live, expected)
assert (96, 96, 96, 1, "a") in live, live
assert sum([entry[0] for entry in found]) == mempool.stats().used
assert [entry for entry in found[1:] if not entry[4] and entry != (0, 0, 0, 0, "")] == []
# As many as fit.
some = words(8 * 2 + 7)
assert mempool.owners_into(some) == 2 and list(some[16:]) == [7] * 7
assert mempool.owners_into(words(8 * NUMBERS + 50)) == NUMBERS
assert "8 items or more, not 7" in raises(ValueError, mempool.owners_into, words(7))
raises(ValueError, mempool.owners_into, array.array("H", [0] * 100))
raises(TypeError, mempool.owners_into, 5)
for handle in held:
    mempool.give(handle)

# ---- Trace
if boardcfg.MEMORY_POOL_TRACE_ALLOCATIONS:
    for _ in range(20):
        mempool.give(mempool.take(1))
    handles = [a.take(20 + nth) for nth in range(3)]
    mempool.give(handles[1])
    mempool.give(handles[1])
    mempool.take(513)
    WHAT = ("", "take", "give", "reclaim", "fail", "refuse", "poison")
    expected = mempool.trace(20)
    raw = words(2 * 20 + 1)
    assert mempool.trace_into(raw) == len(expected) and raw[-1] == 7
    ages = []
    for nth in range(len(expected)):
        handle, packed = struct.unpack_from("<iI", raw, 8 * nth)
        what, same_handle, size, owner, ticks = expected[nth]
        assert (WHAT[packed >> 29], handle) == (what, same_handle), (nth, expected[nth])
        assert packed >> 14 & 1023 == size and (packed >> 24 & 31 != 0) == (owner is not None)
        ages.append(packed & 16383)
    assert ages == sorted(ages, reverse=True) and ages[-1] < 6000, ages
    assert mempool.trace_into(words(6)) == 3 and mempool.trace_into(words(1)) == 0
    assert mempool.trace_into(words(2 * 100)) == min(32, boardcfg.MEMORY_POOL_TRACE_DEPTH)
    raises(ValueError, mempool.trace_into, bytearray(64))
    mempool.give(handles[0])
    mempool.give(handles[2])
else:
    assert "TRACE_ALLOCATIONS is off" in raises(NotImplementedError, mempool.trace_into, words(6))

# ---- A bus
bus = EventBus(queue=4)
bus.pause()
sub = bus.subscribe("a.*", lambda event: None)
for nth in range(6):
    bus.publish("a.b", nth, nth % 2 + 2)


def same():
    raw = words(13)
    bus.stats_into(raw)
    stats = bus.stats()
    flat = [stats.published, stats.delivered] + list(stats.dropped) + [stats.refused]
    flat += [stats.high_water, stats.queue_free] + list(stats.latency_us)
    assert list(raw) == flat + [4 - stats.queue_free, 7], (list(raw), stats)
    return raw


assert same()[11] == 4
bus.resume()
while bus.process():
    pass
assert same()[11] == 0 and same()[1] == 4
assert "12 items or more, not 11" in raises(ValueError, bus.stats_into, words(11))
sub.cancel()

# ---- The heap
owners, trace, counts = words(8 * NUMBERS), words(64), words(12)


def all_of_it(count):
    for _ in range(count):
        mempool.owners_into(owners)
        bus.stats_into(counts)
        if boardcfg.MEMORY_POOL_TRACE_ALLOCATIONS:
            mempool.trace_into(trace)


mem_alloc = gc.mem_alloc
all_of_it(2)
gc.collect()
gc.disable()
before = mem_alloc()
all_of_it(50)
after = mem_alloc()
gc.enable()
assert after == before, after - before
assert mempool.stats().used == 0 and mempool.check() == 0
