# leaks and leaks_into: who holds what, for how long, oldest first. trace, where it is built in.
import array
import time

import boardcfg
import mempool


def raises(error, call, *args, **kw):
    try:
        call(*args, **kw)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error.__name__, call, args))


words = array.array("I", [0] * 40)
if not boardcfg.MEMORY_POOL_DIAGNOSTICS:
    raises(NotImplementedError, mempool.leaks)
    raises(NotImplementedError, mempool.leaks_into, words)
    raises(NotImplementedError, mempool.trace)
    raise SystemExit(0)

assert mempool.leaks(0) == [] and mempool.leaks() == []
assert mempool.leaks_into(words, 0) == 0 and words[0] == 0
owner = mempool.Owner("leaks") if boardcfg.MEMORY_POOL_OWNERS else None
start = time.ticks_ms()
a = mempool.alloc(100, owner=owner)
time.sleep_ms(120)
b = mempool.alloc(10)
time.sleep_ms(60)
h = mempool.take(500)

leaks = mempool.leaks(0)
elapsed = time.ticks_diff(time.ticks_ms(), start)
found = [entry[:3] for entry in leaks]
assert found == [(a.handle, owner, 100), (b.handle, None, 10), (h, None, 500)], found
ages = [entry[3] for entry in leaks]
assert ages == sorted(ages, reverse=True), ages
assert 160 <= ages[0] <= elapsed + 20, (ages, elapsed)
assert 40 <= ages[1] <= ages[0] - 100 and ages[2] <= ages[1], ages


def between():
    """An age that a has and b has not: 50 ms away from both, now."""
    return mempool.leaks(0)[1][3] + 50


def only_a(look):
    """Whether one look finds a alone. Others may run for longer than 50 ms between two lines."""
    return any(look(between()) for _ in range(100))


assert only_a(lambda age: [entry[0] for entry in mempool.leaks(age)] == [a.handle])
assert only_a(lambda age: [entry[0] for entry in mempool.leaks(min_age_ms=age)] == [a.handle])
assert mempool.leaks() == [] and mempool.leaks(60000) == [] and mempool.leaks(0x3FFFFFFF) == []

# The same as words.
number = 0 if owner is None else mempool.owners().index(owner) + 1
assert mempool.leaks_into(words, 0) == 3
assert list(words[0:3]) == [a.handle, number, 100] and list(words[4:7]) == [b.handle, 0, 10]
assert list(words[8:11]) == [h, 0, 500] and words[3] >= words[7] >= words[11] and words[12] == 0
assert only_a(lambda age: mempool.leaks_into(words, min_age_ms=age) == 1)
few = array.array("I", [0] * 9)
assert mempool.leaks_into(few, 0) == 2 and few[8] == 0
assert list(few[0:3]) == [a.handle, number, 100]
assert mempool.leaks_into(array.array("I", [0] * 3), 0) == 0
assert mempool.leaks_into(array.array("I"), 0) == 0

for wrong in (None, "1", 1.0):
    raises(TypeError, mempool.leaks, wrong)
    raises(TypeError, mempool.leaks_into, words, wrong)
for wrong in (-1, 1 << 30, 1 << 64, -(1 << 64)):
    raises(ValueError, mempool.leaks, wrong)
    raises(ValueError, mempool.leaks_into, words, wrong)
raises(TypeError, mempool.leaks_into)
raises(TypeError, mempool.leaks_into, bytes(16))
raises(ValueError, mempool.leaks_into, bytearray(16))
raises(TypeError, mempool.leaks, 0, 0)

# Many at once, more than the list's first guess holds.
room = mempool.TINY.free - boardcfg.MEMORY_POOL_EMERGENCY_RESERVE
handles = [mempool.take(1) for _ in range(room)]
listed = mempool.leaks(0)
assert len(listed) == len(handles) + 3
assert set(entry[0] for entry in listed) == set(handles + [a.handle, b.handle, h])
for handle in handles:
    mempool.give(handle)
a.free()
b.free()
mempool.give(h)
assert mempool.leaks(0) == [] and mempool.check() == 0

# The trace.
if not boardcfg.MEMORY_POOL_TRACE_ALLOCATIONS:
    text = raises(NotImplementedError, mempool.trace)
    assert text == "CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS is off"
    raise SystemExit(0)
b = mempool.alloc(77, owner=owner)
h = b.handle
b.free()
mempool.give(h)
last = mempool.trace(3)
assert [entry[:2] for entry in last] == [("take", h), ("give", h), ("refuse", h)], last
assert last[0][2:4] == (77, owner) and last[0][4] <= last[1][4]
assert mempool.trace(0) == [] and mempool.trace(1) == last[2:]
assert len(mempool.trace()) == boardcfg.MEMORY_POOL_TRACE_DEPTH
assert mempool.trace(1 << 20) == mempool.trace() and mempool.trace(n=3) == last
raises(TypeError, mempool.trace, "1")
raises(ValueError, mempool.trace, -1)
raises(ValueError, mempool.trace, 1 << 64)
