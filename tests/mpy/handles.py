# take, give, write, read: codes for every int, TypeError for what is no int.
import mempool
from mempool import E_EXHAUSTED, E_FOREIGN, E_RANGE, E_SIZE, E_STALE, give, read, take, write


def raises(error, call, *args):
    try:
        call(*args)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error.__name__, call, args))


HUGE = (1 << 30, 1 << 31, 1 << 32, 1 << 63, 1 << 64, 1 << 100)
HUGE = HUGE + tuple(-n for n in HUGE)
codes = (E_EXHAUSTED, E_SIZE, mempool.E_QUOTA, E_STALE, E_FOREIGN, E_RANGE)
assert codes == (-1, -2, -3, -4, -5, -6)
used = mempool.stats().used

# Sizes.
for size in (0, -1, 513, 100000) + HUGE:
    assert take(size) == E_SIZE, size
assert take(False) == E_SIZE
h = take(True)
assert h > 0 and give(h) == 0
for size in (1, 32, 33, 512):
    h = take(size)
    assert 0 < h < 1 << 30
    assert write(h, 0, bytes(size)) == size and write(h, 0, bytes(size + 1)) == E_RANGE
    assert give(h) == 0 and give(h) == E_STALE
for wrong in (None, "1", 1.0, b"1", [], object()):
    raises(TypeError, take, wrong)
    raises(TypeError, give, wrong)
    raises(TypeError, write, wrong, 0, b"")
    raises(TypeError, read, wrong, 0, bytearray(1))
    raises(TypeError, write, 0, wrong, b"")
assert raises(TypeError, take, "1") == "size must be an int, not str"
assert raises(TypeError, give, None) == "handle must be an int, not NoneType"

# Copying.
h = take(100)
assert write(h, 0, b"hello") == 5 and write(h, 95, b"world") == 5 and write(h, 100, b"") == 0
into = bytearray(5)
assert read(h, 0, into) == 5 and into == b"hello"
assert read(h, 95, into) == 5 and into == b"world"
for offset in (96, 100, 101, 128, -1, -100) + HUGE:
    assert write(h, offset, b"world") == E_RANGE, offset
    assert read(h, offset, into) == E_RANGE, offset
    assert into == b"world"
assert write(h, 0, bytes(101)) == E_RANGE
check = bytearray(100)
assert read(h, 0, check) == 100 and check[:5] == b"hello"
raises(TypeError, write, h, 0, 5)
raises(TypeError, write, h, 0, None)
raises(TypeError, read, h, 0, b"read-only")
raises(TypeError, read, h, 0, "text")
assert write(h, 0, "text") == 4
give(h)

# Handles that are none.
assert write(h, 0, b"x") == E_STALE and read(h, 0, into) == E_STALE and give(h) == E_STALE
forged = (0, 1, 1023, 7 << 10, (6 << 10) | 1023, (1 << 10) | 1023, -1, -5, -(1 << 29)) + HUGE
for handle in forged:
    assert give(handle) == E_FOREIGN, handle
    assert write(handle, 0, b"x") == E_FOREIGN, handle
    assert read(handle, 0, into) == E_FOREIGN, handle
    assert write(handle, -1, b"x") == E_FOREIGN, handle
assert give(False) == E_FOREIGN

# A free block, another generation of one in use.
h = take(32)
for generation in (1, 2, 1 << 16):
    other = h ^ generation << 13
    assert give(other) == E_STALE and write(other, 0, b"x") == E_STALE
assert write(h, 0, b"x") == 1 and give(h) == 0

# Exhaustion: no exception, everything comes back, each handle once.
handles = []
while True:
    h = take(512)
    if h < 0:
        break
    handles.append(h)
assert h == E_EXHAUSTED and len(handles) == len(set(handles)) > 0
assert mempool.XLARGE.used <= mempool.XLARGE.count
for n, h in enumerate(handles):
    assert write(h, 0, bytes([n]) * 512) == 512
into = bytearray(512)
for n, h in enumerate(handles):
    assert read(h, 0, into) == 512 and into == bytes([n]) * 512
assert [give(h) for h in handles] == [0] * len(handles)
assert [give(h) for h in handles] == [E_STALE] * len(handles)

# A block is not used again at once: the next ones come first.
first = take(1)
give(first)
second = take(1)
give(second)
assert first & 1023 != second & 1023

refused = mempool.stats().refused
give(first)
give(0)
write(first, 0, b"x")
read(first, 0, into)
write(0, 0, b"x")
read(7 << 10, 0, into)
assert mempool.stats().refused == refused + 6
assert mempool.stats().used == used and mempool.check() == 0
