# Block: life, indexing, iteration, comparison, context manager, what it says of itself.
import mempool


def raises(error, call, *args, **kw):
    try:
        call(*args, **kw)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error.__name__, call, args))


class Slice:
    def __getitem__(self, index):
        return index


S = Slice()


def store(block, index, value):
    block[index] = value


used = mempool.stats().used
b = mempool.alloc(100)
assert len(b) == 100 and bool(b) and b.capacity == 128 and b.pool is mempool.MEDIUM
assert b.owner is None and b.handle > 0 and b.handle < 1 << 30
index = b.handle & 1023
assert repr(b) == str(b) == "<Block 100 of MEDIUM #%d>" % index

# Bytes.
for i in range(100):
    b[i] = i
assert [b[i] for i in range(100)] == list(range(100)) == list(b)
assert b[-1] == 99 and b[-100] == 0
b[-1] = 255
assert b[99] == 255
assert raises(IndexError, lambda: b[100])
assert raises(IndexError, lambda: b[-101])
raises(IndexError, store, b, 100, 0)
raises(TypeError, lambda: b["x"])
raises(TypeError, store, b, 0, "x")
assert raises(ValueError, store, b, 0, 256) == "value must be 0..255, not 256"
raises(ValueError, store, b, 0, -1)
raises(ValueError, store, b, 0, 1 << 70)
assert b[0] == 0


def delete():
    del b[0]


raises(TypeError, delete)
assert bytes(b)[:5] == b"\0\1\2\3\4" and bytearray(b)[99] == 255
assert b == bytes(b) and bytes(b) == b and b == bytearray(b) and b == memoryview(bytes(b))
assert not (b != bytes(b)) and b != bytes(99) and b != bytes(100) and b != 5 and b != None  # noqa: E711
assert b != "text" and "text" != b
assert 5 in b and 254 not in b and 256 not in b and -1 not in b and 1 << 70 not in b
assert b"\1\2" in b and b"\2\1" not in b and b[3:9] in b
raises(TypeError, lambda: "x" in b)
assert sum(b) == sum(range(99)) + 255
with mempool.alloc(100) as same:
    same[:] = b
    assert same == b and same is not b

# Life.
b.free()
assert not b and repr(b) == "<Block freed>"
refused = mempool.stats().refused
b.free()
b.free()
assert mempool.stats().refused == refused  # not a double free: the Block knows
message = "block is freed"
for use in (
    lambda: len(b),
    lambda: b[0],
    lambda: b[0:1],
    lambda: store(b, 0, 0),
    lambda: store(b, S[0:1], b"x"),
    lambda: list(b),
    lambda: bytes(b),
    lambda: b == b"x",
    lambda: 0 in b,
    lambda: b.capacity,
    lambda: b.pool,
    lambda: b.owner,
    lambda: b.handle,
    lambda: b.detach(),
    lambda: b.__enter__(),
    lambda: memoryview(b),
):
    assert raises(ValueError, use) == message
assert raises(AttributeError, lambda: b.nothing)

e = mempool.Block()
assert not e and repr(e) == "<Block empty>"
assert raises(ValueError, len, e) == message
raises(TypeError, mempool.Block, 1)
mempool.alloc_into(e, 40)
assert len(e) == 40 and e.pool is mempool.SMALL
assert raises(ValueError, mempool.alloc_into, e, 40) == "block is not empty"
assert len(e) == 40
e.free()
mempool.alloc_into(e, 20)  # a freed Block is as good as an empty one
assert len(e) == 20
e.free()

# Context manager.
with mempool.alloc(10) as c:
    assert mempool.TINY.used == 1 and len(c) == 10
assert not c and mempool.TINY.used == 0
try:
    with mempool.alloc(10) as c:
        raise KeyError("out of the middle")
except KeyError:
    pass
assert not c and mempool.TINY.used == 0
with mempool.alloc(10) as c:
    c.free()
with mempool.Block() as c:
    mempool.alloc_into(c, 5)
assert not c

# Ownership as an int.
b = mempool.alloc(100)
b[:4] = b"data"
h = b.detach()
assert not b and repr(b) == "<Block empty>" and mempool.MEDIUM.used == 1
d = mempool.Block()
d.attach(h)
assert d.handle == h and d[:4] == b"data" and len(d) == 100
assert raises(ValueError, b.attach, h) == "handle is held by a Block"
assert raises(ValueError, d.attach, h) == "block is not empty"
raises(TypeError, mempool.Block().attach, "h")
raises(TypeError, mempool.Block().attach, 1.0)
for forged in (0, -1, -5, 1, 1 << 29, (1 << 30) - 1, 1 << 30, 1 << 70, -(1 << 70), True):
    assert "foreign" in raises(ValueError, b.attach, forged), forged
d.free()
assert raises(ValueError, b.attach, h) == "handle is stale"
t = mempool.take(7)
b.attach(t)
assert len(b) == 7 and b.pool is mempool.TINY
b.free()

# give() under a Block: the Block is stale, and its end is not another's.
b = mempool.alloc(100)
assert mempool.give(b.handle) == 0
assert not b and repr(b) == "<Block freed>"
assert raises(ValueError, len, b) == message
mempool.alloc_into(b, 10)
b.free()

raises(AttributeError, setattr, b, "handle", 5)
assert mempool.stats().used == used and mempool.check() == 0
