# Owner: names, quotas, what is counted, the table that can be full.
# fresh: after a start, not a soft reset
import boardcfg
import mempool


def raises(error, call, *args, **kw):
    try:
        call(*args, **kw)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error.__name__, call, args))


Owner = mempool.Owner
LIMIT = boardcfg.MEMORY_POOL_OWNERS

# Bad names and quotas make no owner.
assert mempool.owners() == ()
raises(TypeError, Owner)
raises(TypeError, Owner, 5)
raises(TypeError, Owner, b"bytes")
raises(TypeError, Owner, None)
raises(TypeError, Owner, "a", 1, 2)
raises(TypeError, Owner, "a", "1")
raises(TypeError, Owner, "a", 1.5)
raises(TypeError, Owner, "a", limit=1)
assert raises(ValueError, Owner, "") == "name must be 1..15 bytes of UTF-8, not 0"
raises(ValueError, Owner, "sixteen bytes!!!")
raises(ValueError, Owner, "\u00fc" * 8)
raises(ValueError, Owner, "a\0b")
for quota in (-1, 1 << 30, 1 << 31, 1 << 32, 1 << 64, -(1 << 64)):
    assert "quota must be 0.." in raises(ValueError, Owner, "a", quota), quota
assert mempool.owners() == ()

if LIMIT == 0:
    assert raises(MemoryError, Owner, "a") == "owner table full: CONFIG_MEMORY_POOL_OWNERS is 0"
    raise SystemExit(0)

a = Owner("a", quota=1024)
assert repr(a) == "Owner('a', quota=1024, used=0, peak=0)"
assert (a.name, a.quota, a.used, a.peak, a.denied) == ("a", 1024, 0, 0, 0)
assert Owner("a", 1024) is a and mempool.owners() == (a,)
Owner("a", 2048)
assert a.quota == 2048
Owner("a")
assert a.quota == 0
Owner("a", 1024)
for attribute in ("name", "quota", "used", "new"):
    raises(AttributeError, setattr, a, attribute, 1)
longest = Owner("\u00fc" * 7 + "x")
assert longest.name == "\u00fc" * 7 + "x" and len(mempool.owners()) == 2
assert Owner(longest.name) is longest

# used and quota count capacity.
b = a.alloc(100)
assert b.owner is a and a.used == 128 and a.peak == 128 and len(b) == 100
c = mempool.alloc(300, owner=a)
assert c.owner is a and a.used == 640
e = mempool.Block()
a.alloc_into(e, 10)
assert e.owner is a and a.used == 672
h = a.take(200)
assert h > 0 and a.used == 928 and a.peak == 928
assert str(a) == "Owner('a', quota=1024, used=928, peak=928)"

# Beyond the quota: denied, counted, nothing taken.
denied = mempool.stats().denied
text = raises(MemoryError, a.alloc, 100)
assert text == "owner 'a': quota 1024 bytes reached (928 used, 128 asked)", text
raises(MemoryError, mempool.alloc, 100, owner=a)
raises(MemoryError, a.alloc_into, mempool.Block(), 512)
assert a.take(100) == mempool.E_QUOTA and a.take(0) == mempool.E_SIZE
assert a.denied == 4 and mempool.stats().denied == denied + 4 and a.used == 928
assert mempool.give(h) == 0 and a.used == 672
raises(MemoryError, a.alloc, 512)
d = a.alloc(256)
assert a.used == 928
for block in (b, c, d, e):
    block.free()
assert a.used == 0 and a.peak == 928
assert mempool.give(h) == mempool.E_STALE and a.used == 0

# A quota cut below what is used: nothing more, until enough came back.
b = a.alloc(512)
Owner("a", 256)
assert a.quota == 256 and a.used == 512
raises(MemoryError, a.alloc, 1)
b.free()
with a.alloc(1):
    assert a.used == 32
Owner("a", 0)
with a.alloc(512), a.alloc(512):
    assert a.used == 1024

# A Block that travels keeps its owner; what is taken without one has none.
h = a.take(10)
b.attach(h)
assert b.owner is a and b[:].owner is a
b.free()
b.attach(mempool.take(10))
assert b.owner is None
b.free()
with mempool.alloc(10, owner=None) as b:
    assert b.owner is None

# What is no owner.
for wrong in (1, "a", b"a", mempool.TINY, Owner, object()):
    raises(TypeError, mempool.alloc, 10, owner=wrong)
    raises(TypeError, mempool.alloc_into, mempool.Block(), 10, owner=wrong)
raises(TypeError, a.alloc, 10, owner=a)
raises(TypeError, a.take, "1")
raises(TypeError, a.alloc)
raises(TypeError, a.alloc_into, 10)
raises(TypeError, a.alloc_into, bytearray(5), 10)
raises(ValueError, a.alloc, 0)
raises(ValueError, a.alloc, 1 << 40)
assert a.used == 0 and mempool.stats().used == 0

mempool.reset_stats()
assert a.peak == 0 and a.denied == 0

# The table is full.
made = [a, longest]
while len(made) < LIMIT:
    made.append(Owner("owner%d" % len(made), 64))
assert mempool.owners() == tuple(made)
text = raises(MemoryError, Owner, "one too many")
assert text == "owner table full: CONFIG_MEMORY_POOL_OWNERS is %d" % LIMIT, text
assert Owner("a") is a and mempool.owners() == tuple(made)
for owner in made[2:]:
    with owner.alloc(64):
        assert owner.take(1) == mempool.E_QUOTA and owner.used == 64
assert mempool.check() == 0
