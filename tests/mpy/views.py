# Views: windows on a Block, of its own type, good as long as the Block holds what it held.
import array
import gc

import mempool


def raises(error, call, *args):
    try:
        call(*args)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error.__name__, call, args))


class Slice:
    def __getitem__(self, index):
        return index


S = Slice()


def store(block, index, value):
    block[index] = value


b = mempool.alloc(100)
b[:] = bytes(range(100))
v = b[10:20]
assert type(v) is mempool.Block and len(v) == 10 and bool(v)
assert v == bytes(range(10, 20)) == bytes(v) and list(v) == list(range(10, 20))
assert v[0] == 10 and v[-1] == 19
raises(IndexError, lambda: v[10])
place = "100 of MEDIUM #%d" % (b.handle & 1023)
assert repr(v) == "<view 10 of Block %s>" % place

# Writes go to the Block, both ways.
v[0] = 200
assert b[10] == 200
b[11] = 201
assert v[1] == 201
v[2:4] = b"ab"
assert b[12:14] == b"ab"

# Views of views, empty views, all forms of slices.
w = v[5:]
assert len(w) == 5 and w[0] == 15 and repr(w) == "<view 5 of Block %s>" % place
assert w[1:3][0] == 16 and w[-2:] == bytes([18, 19])
w[0] = 77
assert b[15] == 77
assert (
    len(b[:]) == 100 and len(b[50:]) == 50 and len(b[:-90]) == 10 and b[98:200] == bytes([98, 99])
)
empty = b[20:20]
assert len(empty) == 0 and not empty and bytes(empty) == b"" and empty == b"" and list(empty) == []
assert len(b[60:50]) == 0 and len(b[1000:]) == 0
empty[:] = b""
for step in (2, -1, 3):
    raises(NotImplementedError, lambda: b[::step])
    raises(NotImplementedError, store, b, S[0:10:step], b"12345")
assert b[0:10:1] == b[0:10]
raises(ValueError, lambda: b[::0])

# Stores: from any buffer of the same length, overlapping ones too.
b[0:4] = bytearray(b"wxyz")
assert b[0:4] == b"wxyz"
b[0:4] = memoryview(b"memo")
assert b[0:4] == b"memo"
b[0:8] = array.array("I", [1, 2])
assert b[0:8] == array.array("I", [1, 2])
b[20:40] = bytes(range(20))
b[21:40] = b[20:39]
assert b[20:40] == bytes([0] + list(range(19)))
b[20:40] = bytes(range(20))
b[20:39] = b[21:40]
assert b[20:40] == bytes(list(range(1, 20)) + [19])
before = bytes(b)
assert raises(ValueError, store, b, S[0:4], b"12345") == "slice of 4 bytes cannot take 5"
raises(ValueError, store, b, S[0:4], b"")
raises(TypeError, store, b, S[0:4], 5)
raises(TypeError, store, b, S[0:4], [1, 2, 3, 4])
assert b == before

# A view has no life of its own.
for method in (v.free, v.detach, v.__enter__):
    assert raises(ValueError, method) == "a view owns no block"
raises(ValueError, v.attach, b.handle)
raises(ValueError, mempool.alloc_into, v, 10)
assert v.handle == b.handle and v.capacity == 128 and v.pool is mempool.MEDIUM and v.owner is None

# Stale: by free, by detach, by the Block's next content.
iterator = iter(v)
next(iterator)
h = b.detach()
assert not v and repr(v) == "<view freed>"
assert raises(ValueError, lambda: v[0]) == "block is freed"
b.attach(h)
assert v[0] == 200  # the same block in the same Block again
b.free()
for use in (
    lambda: v[0],
    lambda: len(v),
    lambda: bytes(v),
    lambda: w[0],
    lambda: store(v, 0, 1),
    lambda: store(w, S[0:1], b"x"),
    lambda: v[0:1],
    lambda: v == b"",
    lambda: next(iterator),
    lambda: v.handle,
):
    assert raises(ValueError, use) == "block is freed"
mempool.alloc_into(b, 100)
raises(ValueError, lambda: v[0])
b.free()

# A view keeps its Block alive.
b = mempool.alloc(100)
b[50] = 123
v = b[50:60]
reclaimed = mempool.stats().reclaimed
b = None
for _ in range(3):
    [bytes(64) for _ in range(20)]
    gc.collect()
assert v[0] == 123 and mempool.MEDIUM.used == 1 and mempool.stats().reclaimed == reclaimed
mempool.give(v.handle)
raises(ValueError, lambda: v[0])
assert mempool.MEDIUM.used == 0 and mempool.check() == 0
