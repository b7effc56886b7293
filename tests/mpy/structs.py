# Struct: a uctypes layout in a block of its own, checked at every access by name.
import gc

import boardcfg
import mempool
import uctypes
from uctypes import ARRAY, BF_LEN, BF_POS, BFUINT8, FLOAT32, FLOAT64, INT16, UINT8, UINT16, UINT32


def raises(error, call, *args, **kw):
    try:
        call(*args, **kw)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error.__name__, call, args))


layout = {
    "temperature": FLOAT32 | 0,
    "id": UINT32 | 4,
    "delta": INT16 | 8,
    "low": BFUINT8 | 10 | 0 << BF_POS | 4 << BF_LEN,
    "high": BFUINT8 | 10 | 4 << BF_POS | 4 << BF_LEN,
    "raw": (ARRAY | 12, UINT8 | 4),
    "inner": (16, {"a": UINT16 | 0, "b": UINT16 | 2}),
}
T = mempool.Struct(layout)
assert repr(T) == "<Struct of 20 bytes>"
s = T()
assert repr(s) == "<struct 20 of TINY #%d>" % (s.handle & 1023)
assert s.capacity == 32 and s.pool is mempool.TINY and s.owner is None and mempool.TINY.used == 1
assert bytes(s) == bytes(20)  # all zero, as make_pooled<T>() does

s.temperature = 25.5
s.id = 0xDEADBEEF
s.delta = -300
s.low = 5
s.high = 9
s.raw[2] = 7
s.inner.b = 1234
assert (s.temperature, s.id, s.delta, s.low, s.high) == (25.5, 0xDEADBEEF, -300, 5, 9)
assert s.raw[2] == 7 and s.inner.b == 1234 and s.inner.a == 0
same = uctypes.struct(uctypes.addressof(s), layout)
assert same.id == s.id and same.delta == -300
raises(TypeError, setattr, s, "id", "text")
raises(TypeError, setattr, s, "raw", b"1234")
raises(AttributeError, lambda: s.nothing)
raises(AttributeError, setattr, s, "nothing", 1)
raises(AttributeError, setattr, s, "handle", 1)


def write(m):
    m[0] = 1


raises(TypeError, write, memoryview(s))

# Life.
s.free()
s.free()
assert repr(s) == "<struct freed>" and mempool.TINY.used == 0
for use in (
    lambda: s.id,
    lambda: setattr(s, "id", 1),
    lambda: s.raw,
    lambda: s.inner,
    lambda: s.handle,
    lambda: s.capacity,
    lambda: s.detach(),
    lambda: bytes(s),
    lambda: uctypes.addressof(s),
    lambda: s.__enter__(),
):
    assert raises(ValueError, use) == "block is freed"
with T() as s:
    s.id = 1
    t = T()
    t.id = 2
    assert s.id == 1 and t.id == 2 and mempool.TINY.used == 2
assert repr(s) == "<struct freed>" and mempool.TINY.used == 1
h = t.detach()
raises(ValueError, lambda: t.id)
raises(ValueError, t.detach)
t.free()
b = mempool.Block()
b.attach(h)
assert len(b) == 20 and uctypes.struct(uctypes.addressof(b), layout).id == 2
b.free()
u = T()
assert mempool.give(u.handle) == 0
raises(ValueError, lambda: u.id)
raises(ValueError, setattr, u, "id", 5)
u.free()

# Arguments as alloc has them.
o = mempool.Owner("structs", 64)
with T(owner=o, critical=False, spill=False, timeout_ms=0) as s, T(owner=o):
    assert s.owner is o and o.used == 64
    raises(MemoryError, T, owner=o)
assert o.used == 0
raises(TypeError, T, 5)
raises(TypeError, T, size=5)
raises(TypeError, T, owner=5)
raises(ValueError, T, timeout_ms=-1)
taken = []
while taken == [] or taken[-1] > 0:
    taken.append(mempool.take(1))
if boardcfg.MEMORY_POOL_STRICT_MODE:
    assert "TINY exhausted" in raises(MemoryError, T, spill=False)
for h in taken:
    mempool.give(h)

# Names of the layout win over methods.
M = mempool.Struct({"free": UINT8 | 0, "handle": UINT8 | 1, "pool": UINT8 | 2})
with M() as s:
    s.free = 1
    s.handle = 2
    s.pool = 3
    assert (s.free, s.handle, s.pool) == (1, 2, 3) and bytes(s) == b"\1\2\3"
assert mempool.TINY.used == 0

# The layout is the factory's own: it cannot grow under a struct.
grows = {"a": UINT8 | 0, "in": (4, {"x": UINT8 | 0})}
G = mempool.Struct(grows)
with G() as s:
    grows["far"] = UINT32 | 4096
    grows["in"][1]["far"] = UINT32 | 4096
    raises(AttributeError, lambda: s.far)
    raises(KeyError, lambda: getattr(s, "in").far)

# Big-endian, and the largest.
B = mempool.Struct({"v": UINT32 | 0, "d": FLOAT64 | 5}, uctypes.BIG_ENDIAN)
with B() as s:
    s.v = 0x01020304
    s.d = -2.0
    assert bytes(s)[:4] == b"\1\2\3\4" and s.d == -2.0
with mempool.Struct({"end": UINT8 | 511})() as s:
    s.end = 255
    assert s.pool is mempool.XLARGE and bytes(s)[511] == 255

# Askew is for packed layouts only: some machines stop at a native field that is not aligned.
for askew in (UINT32 | 2, UINT16 | 1, FLOAT64 | 6, FLOAT32 | 1, uctypes.UINT64 | 2):
    text = raises(ValueError, mempool.Struct, {"x": askew})
    assert text == "field 'x' is not aligned: see LITTLE_ENDIAN", text
    with mempool.Struct({"x": askew}, uctypes.LITTLE_ENDIAN)() as s:
        s.x = 12
        assert s.x == 12
with mempool.Struct({"x": FLOAT64 | 4, "y": uctypes.INT64 | 12, "z": UINT8 | 21})() as s:
    s.x, s.y, s.z = 0.5, -5, 7
    assert (s.x, s.y, s.z) == (0.5, -5, 7)
    assert len(s) == s.capacity - 8 == 24 and bool(s)
assert not s
raises(ValueError, len, s)

# What is no layout.
for wrong in (5, None, "x", [], (1, 2)):
    raises(TypeError, mempool.Struct, wrong)
raises(TypeError, mempool.Struct)
raises(TypeError, mempool.Struct, layout, uctypes.NATIVE, 3)
raises(TypeError, mempool.Struct, layout, "native")
raises(ValueError, mempool.Struct, layout, 3)
raises(ValueError, mempool.Struct, layout, -1)
raises(ValueError, mempool.Struct, {})
if boardcfg.MEMORY_POOL_STRICT_MODE:
    raises(ValueError, mempool.Struct, {"end": UINT8 | 512})
    raises(ValueError, mempool.Struct, {"a": (ARRAY | 0, UINT32 | 1000)})
raises(TypeError, mempool.Struct, {"a": "UINT8"})
raises(TypeError, mempool.Struct, {"a": (1, 2, 3, 4, 5)})
nested = {}
nested["self"] = (0, nested)
raises(RuntimeError, mempool.Struct, nested)


# A dropped one comes back by the collector.
def drop(n):
    for _ in range(n):
        T().id = 5


drop(10)
gc.collect()
gc.collect()
assert mempool.TINY.used <= 2
assert mempool.check() == 0
