# stats, stats_into, Pool.stats, reset_stats: one order, one arithmetic.
import array

import boardcfg
import mempool


def raises(error, call, *args):
    try:
        call(*args)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error.__name__, call, args))


FIELDS = (
    "capacity used free peak utilization allocs frees failures spills reclaimed refused denied "
    "heap_used requested waste largest_free level"
).split()


def check(s):
    assert s.used + s.free == s.capacity and s.used <= s.peak <= s.capacity, s
    assert s.utilization == s.used * 100 // s.capacity, s
    assert s.waste == s.used - s.requested and s.requested <= s.used, s
    return s


into = array.array("I", [0xFFFFFFFF] * 19)
s = check(mempool.stats())
assert len(s) == 17 and repr(s).startswith("(capacity=") and repr(s).endswith(", level=0)")
assert [getattr(s, name) for name in FIELDS] == list(s)
assert mempool.stats_into(into) is None
assert list(into[:17]) == list(s) and list(into[17:]) == [0xFFFFFFFF] * 2
assert s.capacity == sum(pool.count * pool.block_size for pool in mempool.pools())
assert s.used == 0 and s.requested == 0 and s.level == mempool.LEVEL_NORMAL

# One of each verb.
mempool.reset_stats()
before = mempool.stats()
assert before.peak == before.used == 0 and list(before)[5:12] == [0] * 7
b = mempool.alloc(100)
c = mempool.alloc(33)
s = check(mempool.stats())
assert s.used == 192 and s.requested == 133 and s.waste == 59 and s.peak == 192
assert s.allocs == 2 and s.frees == 0
assert check(mempool.MEDIUM.stats()).used == 128 and mempool.MEDIUM.stats().requested == 100
assert mempool.SMALL.stats().requested == 33 and mempool.TINY.stats().allocs == 0
b.free()
s = check(mempool.stats())
assert s.frees == 1 and s.used == 64 and s.peak == 192
mempool.give(-1)
b = mempool.alloc(1)
h = b.handle
b.free()
mempool.give(h)
assert mempool.stats().refused == 2
for size in (512, 500):
    handles = []
    while True:
        h = mempool.take(size)
        if h < 0:
            break
        handles.append(h)
    s = check(mempool.stats())
    if boardcfg.MEMORY_POOL_EMERGENCY_RESERVE == 0:
        assert mempool.XLARGE.free == 0 and s.largest_free == 256
        assert s.level == mempool.LEVEL_CRITICAL == mempool.XLARGE.stats().level
    assert s.failures == mempool.XLARGE.stats().failures == (1 if size == 512 else 2)
    assert mempool.LARGE.stats().failures == 0
    for h in handles:
        mempool.give(h)
assert mempool.stats().largest_free == 512 and mempool.stats().level == mempool.LEVEL_NORMAL
s = mempool.stats()
assert s.peak == sum(pool.stats().peak for pool in mempool.pools())

mempool.reset_stats()
s = check(mempool.stats())
assert s.used == 64 and s.peak == 64 and list(s)[5:12] == [0] * 7
c.free()
s = check(mempool.stats())
assert s.used == 0 and s.frees == 1 and s.allocs == 0

# Arrays that do not do.
assert raises(ValueError, mempool.stats_into, array.array("I", [0] * 16)) == (
    "array must have 17 items or more, not 16"
)
for wrong in (bytearray(68), array.array("H", [0] * 40), array.array("Q", [0] * 17)):
    assert raises(ValueError, mempool.stats_into, wrong).startswith("array must be an array('I')")
with mempool.alloc(100) as b:
    raises(ValueError, mempool.stats_into, b)
for wrong in (None, 5, "text", bytes(68), [0] * 17, (0,) * 17):
    raises(TypeError, mempool.stats_into, wrong)
words = memoryview(into)
mempool.stats_into(words[2:])
assert into[2] == mempool.stats().capacity
raises(ValueError, mempool.stats_into, words[3:])
raises(TypeError, mempool.stats, 1)
raises(TypeError, mempool.reset_stats, 1)
raises(TypeError, mempool.check, 1)
assert mempool.check() == 0
