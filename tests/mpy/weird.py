# What nobody should do: each has an answer, and the pools stay whole.
import gc

import mempool
import uctypes


def raises(error, call, *args, **kw):
    try:
        call(*args, **kw)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error, call, args))


b = mempool.alloc(32)
b[:] = bytes(range(32))

# Hashing: content changes, so as bytearray none. Owners and pools are what they are.
raises(TypeError, hash, b)
raises(TypeError, lambda: {b: 1})
raises(TypeError, lambda: {b[1:2]})
assert len({mempool.TINY, mempool.SMALL, mempool.TINY}) == 2

# Operators that are not there.
for operation in (
    lambda: b + b,
    lambda: b * 2,
    lambda: b + b"x",
    lambda: -b,
    lambda: b < b[:],
    lambda: b > b"x",
    lambda: int(b[0:1][:]),
    lambda: b(),
    lambda: b.append(1),
):
    raises((TypeError, AttributeError, ValueError), operation)
assert b == b and b[:] == b and not b != b[:]
assert [b] == [b] and b in [b] and b[0:4] in [b"\0\1\2\3"]

# Methods on the wrong self.
B = mempool.Block
for method in (B.free, B.detach, B.__enter__, B.__del__):
    for wrong in (5, None, "x", b"bytes", [], mempool.TINY):
        raises(TypeError, method, wrong)
raises(TypeError, mempool.Block.attach, 5, 5)
raises(TypeError, mempool.Owner.take, 5, 5)
mempool.Block.free(mempool.alloc(5))
raises(TypeError, type(mempool.TINY))
raises(TypeError, type(mempool.TINY).alloc, b)

# A class of one's own above Block.
try:

    class Mine(mempool.Block):
        def first(self):
            return self[0]

    mine = Mine()
    raises((TypeError, ValueError), mempool.alloc_into, mine, 10)
    raises((TypeError, ValueError), mine.first)
    mine = None
except TypeError:
    pass

# The finaliser by hand is a give, counted reclaimed; the collector does not give again.
reclaimed = mempool.stats().reclaimed
c = mempool.alloc(10)
c.__del__()
c.__del__()
assert not c and mempool.stats().reclaimed == reclaimed + 1
b[:].__del__()
assert b[3] == 3

# Freed, detached and filled while it is iterated over, compared, copied to.
c = mempool.alloc(10)
try:
    for n, _ in enumerate(c):
        if n == 3:
            c.free()
except ValueError as error:
    assert str(error) == "block is freed" and n == 3
mempool.alloc_into(c, 10)
iterator = iter(c)
next(iterator)
c.free()
mempool.alloc_into(c, 2)
next(iterator)
raises(StopIteration, next, iterator)
c.free()
with mempool.alloc(10) as c:
    handle = c.detach()
    with mempool.Block() as d:
        d.attach(handle)
        assert len(d) == 10
assert not c and not d
with mempool.alloc(10) as c:
    with c:
        pass
    assert not c
    raises(ValueError, c.__enter__)
c.__exit__(None, None, None)
raises(TypeError, c.__exit__)


# Names: what is not there, deleting, dir() of what is alive.
raises(AttributeError, lambda: b.nothing)
raises(AttributeError, lambda: mempool.TINY.nothing)
raises(AttributeError, setattr, mempool, "TINY", 5)
for name in ("free", "attach", "detach"):
    assert name in dir(b)
assert "alloc" in dir(mempool.TINY) and "stats" in dir(mempool)


def delete_name():
    del b.handle


def delete_item():
    del b[0]


raises(AttributeError, delete_name)
raises(TypeError, delete_item)
raises(TypeError, lambda: b[0, 1])


# A Block within reach of itself, and cycles: the collector gets them.
def cycle():
    block = mempool.alloc(64)
    loop = [block, block[1:2]]
    loop.append(loop)


for _ in range(10):
    cycle()
for _ in range(3):
    gc.collect()
assert mempool.SMALL.used <= 1

# The deep end of views: one Block, however many cuts.
v = b
for _ in range(31):
    v = v[1:]
assert len(v) == 1 and v[0] == 31 and v[1:] == b""
for _ in range(500):
    v = v[:]
assert v[0] == 31 and repr(v).startswith("<view 1 of Block 32 of TINY")
raises(ValueError, v.free)
b.free()
raises(ValueError, lambda: v[0])

# help() and print() of everything.
for name in dir(mempool):
    assert str(getattr(mempool, name))
help(mempool.Block)
T = mempool.Struct({"a": uctypes.UINT8 | 0})
with T() as s:
    print(T, s, mempool.Owner("weird"), mempool.TINY, mempool.Block(), end="\n")
gc.collect()
assert mempool.check() == 0
