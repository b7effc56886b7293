# stats_into of one pool, map_into, heaps_into, uptime_s, Owner.number: for who must not allocate.
from array import array

import mempool
import micropython


def raises(error, call, *args):
    try:
        call(*args)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error.__name__, call, args))


def none_allocated(call):
    micropython.heap_lock()
    try:
        return call()
    finally:
        micropython.heap_unlock()


one = mempool.Owner("one")
two = mempool.Owner("two")
assert one.number != two.number and 1 <= one.number <= 31
words = array("I", [7] * 18)
handles = [one.take(100), mempool.take(100), two.take(128)]
none_allocated(lambda: mempool.stats_into(words, mempool.MEDIUM))
assert tuple(words[:17]) == tuple(mempool.MEDIUM.stats()) and words[17] == 7
assert words[1] == 3 * 128
none_allocated(lambda: mempool.stats_into(words, None))
assert tuple(words[:17]) == tuple(mempool.stats())
assert "pool must be a Pool, not int" in raises(TypeError, mempool.stats_into, words, 3)

marks = bytearray(mempool.MEDIUM.count + 3)
for at in range(len(marks)):
    marks[at] = 99
assert none_allocated(lambda: mempool.map_into(mempool.MEDIUM, marks)) == mempool.MEDIUM.count
assert sorted(m for m in marks if m) == sorted((1, 1 + one.number, 1 + two.number, 99, 99, 99))
index = handles[0] & 1023
assert marks[index] == 1 + one.number
short = bytearray(2)
assert mempool.map_into(mempool.MEDIUM, short) == 2
assert mempool.map_into(mempool.MEDIUM, bytearray(0)) == 0
raises(TypeError, mempool.map_into, mempool.MEDIUM, b"1234")
raises(TypeError, mempool.map_into, "MEDIUM", short)
leaks = array("I", [0] * 12)
assert mempool.leaks_into(leaks, 0) == 3
assert sorted(leaks[at] for at in (1, 5, 9)) == sorted((0, one.number, two.number))
for handle in handles:
    assert mempool.give(handle) == 0
assert mempool.map_into(mempool.MEDIUM, marks) and not any(marks[: mempool.MEDIUM.count])

heaps = mempool.heaps()
words = array("I", [0] * (4 * len(heaps)))
assert none_allocated(lambda: mempool.heaps_into(words)) == len(heaps)
total, free, largest, least = words[-4:]
assert total == heaps[-1].total and largest <= free <= total and least <= free
assert "items" in raises(ValueError, mempool.heaps_into, array("I", [0] * 3))
raises(ValueError, mempool.heaps_into, bytearray(64))

assert mempool.pools() is mempool.pools()
first = none_allocated(mempool.uptime_s)
assert 0 <= first <= mempool.uptime_s() < 1000000
raises(TypeError, mempool.uptime_s, 1)
