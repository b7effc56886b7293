# Arguments of every type MicroPython has objects of, where the pools look at one: a wrong one is a
# TypeError or a ValueError that says so, changes nothing and loses no block.
import sys
from array import array

import boardcfg
import mempool
import uctypes
from mempool import Block, Owner, Struct


def raises(error, call, *args, **kw):
    try:
        call(*args, **kw)
    except error as caught:
        return str(caught)
    raise AssertionError("no %s from %s%s" % (error.__name__, call, args))


class Instance:
    pass


TEXT = "".join(["x", "y" * 20, "z"])  # no name of the program: a str of its own
LONG = 1 << 70
OBJECTS = [
    None,
    True,
    0,
    7,
    LONG,
    1.5,
    "x",
    TEXT,
    b"x",
    (),
    [],
    {},
    Instance,
    Instance(),
    len,
    array,
]


def others(*types):
    return [item for item in OBJECTS if not isinstance(item, types)]


# ---- A Block compares with what has bytes, and has bytes in it.
b = mempool.alloc(4)
b[:] = b"abcd"
for item in others(bytes, bytearray):
    assert not (b == item) and b != item
assert b == b"abcd" and b == bytearray(b"abcd") and not (b == b"abc")
assert 97 in b and b"bc" in b and 300 not in b and -1 not in b and LONG not in b and -LONG not in b
for item in others(int, bytes, bool):
    raises(TypeError, lambda: item in b)
# Its indexes, slices and bytes.
for item in others(int, bool):
    raises(TypeError, lambda: b[item])
for item in (LONG, -LONG, 4, -5):
    raises((IndexError, OverflowError), lambda: b[item])


def store(where, index, value):
    where[index] = value


for item in others(int, bool):
    raises(TypeError, store, b, 0, item)
for item in (LONG, -LONG, 256, -1):
    raises(ValueError, store, b, 0, item)
assert b == b"abcd"


# An index that gives the Block away while it is asked for its number: it is looked at behind that.
class Evil:
    def __init__(self, number, size):
        self.number = number
        self.size = size

    def __int__(self):
        b.free()
        mempool.alloc_into(b, self.size)
        return self.number


def refill():
    b.free()
    mempool.alloc_into(b, 10)


for action in (lambda: b[Evil(5, 2)], lambda: b[Evil(0, 2) : 8], lambda: store(b, Evil(5, 2), 1)):
    refill()
    try:
        action()
    except (ValueError, TypeError, IndexError):
        pass  # TypeError: this MicroPython asks no instance
    else:
        raise AssertionError(action)
b.free()

# ---- Numbers of bytes and blocks, pools, owners.
for item in others(int, bool):
    raises(TypeError, mempool.alloc, item)
    raises(TypeError, mempool.take, item)
    raises(TypeError, mempool.give, item)
    raises(TypeError, mempool.grow, item, 1)
    raises(TypeError, mempool.alloc, 1, timeout_ms=item)
    raises(TypeError, mempool.alloc_into, item, 1)
for item in OBJECTS:
    raises(TypeError, mempool.shrink, item)
    if item is not None:
        raises(TypeError, mempool.alloc, 1, owner=item)
    if not isinstance(item, str):
        raises(TypeError, Owner, item)
for item in (
    b"abcd",
    bytearray(8),
    array("H", [0] * 20),
    array("i", [0] * 20),
    array("f", [0.0] * 20),
):
    raises((TypeError, ValueError), mempool.stats_into, item)
words = array("L", [0] * 20)
if len(bytes(words)) == 80:
    mempool.stats_into(words)
    assert words[0] == mempool.stats().capacity
else:
    assert "4-byte" in raises(ValueError, mempool.stats_into, words)
# More bytes than an int of C counts: none of them is touched.
handle = mempool.take(32)
if sys.maxsize > 1 << 40:
    assert mempool.write(handle, 0, uctypes.bytearray_at(0, (1 << 31) + 5)) == mempool.E_RANGE
mempool.give(handle)

# ---- Layouts.
for item in others(dict):
    raises(TypeError, Struct, item)
for item in (None, 1.5, "x", TEXT, b"x", [], (), (1,), ("x", 1), (1.5, {}), Instance(), LONG):
    raises((TypeError, ValueError, OverflowError), Struct, {"a": item})
PTR, ARRAY = uctypes.PTR, uctypes.ARRAY
for item in (
    (ARRAY, "x"),
    (ARRAY, None),
    (ARRAY | 0, "x", {}),
    (3 << 29, 1),
    (0, 5),
    (ARRAY, 2, 5),
):
    raises((TypeError, ValueError, OverflowError), Struct, {"a": item})
# A dict that names were taken out of has holes.
layout = {"a%d" % i: uctypes.UINT32 | 4 * i for i in range(9)}
for i in range(0, 9, 2):
    del layout["a%d" % i]
layout["p"] = (PTR | 40, uctypes.UINT8)
layout["n"] = (48, {"x": uctypes.UINT16 | 0})
layout["r"] = (ARRAY | 56, 2, {"x": uctypes.UINT32 | 0})
T = Struct(layout)
with T() as s:
    s.a1 = 5
    s.a3 = True
    s.a5 = (1 << 32) - 1
    assert s.a1 == 5 and s.a3 == 1
    s.a3 = False
    assert s.a3 == 0 and s.a5 == (1 << 32) - 1 and s.r[1].x == 0
    for item in others(int, bool, float):
        raises(TypeError, setattr, s, "a1", item)
    raises(AttributeError, lambda: s.a0)
    raises(AttributeError, delattr, s, "a1")
    raises(AttributeError, setattr, s, "other", 1)
assert "freed" in repr(s)
with Struct({"u": uctypes.UINT64 | 0, "f": uctypes.FLOAT32 | 8})() as s:
    s.u = (1 << 63) + 1
    s.f = 0.5
    assert s.u == (1 << 63) + 1 and s.f == 0.5
# A field that lies askew is named.
assert "'askew'" in raises(ValueError, Struct, {"askew": uctypes.UINT32 | 1})
assert TEXT in raises(ValueError, Struct, {TEXT: uctypes.UINT16 | 1})
for item in (
    (PTR | 1, uctypes.UINT8),
    (1, {"x": uctypes.UINT32 | 0}),
    (ARRAY | 1, uctypes.UINT16 | 2),
    (ARRAY | 2, 2, {"x": uctypes.UINT32 | 0}),
):
    assert "aligned" in raises(ValueError, Struct, {"a": item}), item
for key in (5, LONG, (1, 2), b"x", None, 1.5):
    assert "'?'" in raises(ValueError, Struct, {key: uctypes.UINT32 | 1})

# ---- An empty Block, and one whose making is all there was of it.
e = Block()
raises(TypeError, Block, 1)
raises(AttributeError, setattr, e, "pool", 1)
assert repr(e) == "<Block empty>" and not e
assert boardcfg.MEMORY_POOL_ENABLE and mempool.stats().used == 0 and mempool.check() == 0
