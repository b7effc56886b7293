# Without strict mode the heap serves what no pool can, counted, and such a Block behaves alike.
# In strict mode none of that happens.
import gc

import boardcfg
import mempool
import uctypes


def raises(error, call, *args, **kw):
    try:
        call(*args, **kw)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error.__name__, call, args))


def exhaust(size):
    handles = []
    while not handles or handles[-1] > 0:
        handles.append(mempool.take(size))
    assert handles.pop() == mempool.E_EXHAUSTED  # take never asks the heap
    return handles


if not boardcfg.MEMORY_POOL_ALLOW_HEAP_FALLBACK:
    assert "size must be 1..512" in raises(ValueError, mempool.alloc, 513)
    handles = exhaust(512)
    raises(MemoryError, mempool.alloc, 512)
    for handle in handles:
        mempool.give(handle)
    assert mempool.stats().heap_used == 0
    raise SystemExit(0)

# Too large for every pool.
before = mempool.stats()
b = mempool.alloc(1000)
assert len(b) == 1000 and b.capacity >= 1000 and b.pool is None and b.owner is None
assert repr(b).startswith("<Block 1000 of HEAP #"), b
s = mempool.stats()
assert s.heap_used >= 1000 and s.used + s.free == s.capacity and s.used <= s.peak
b[:] = bytes(1000)
b[0], b[999] = 1, 2
v = b[990:]
assert v[9] == 2 and bytes(v) == bytes(9) + b"\2" and b[-1] == 2
assert repr(v).startswith("<view 10 of Block 1000 of HEAP #")
handle = b.detach()
assert 0 < handle < 1 << 30
raises(ValueError, lambda: b[0])
assert mempool.write(handle, 995, b"12345") == 5
assert mempool.write(handle, 996, b"12345") == mempool.E_RANGE
b.attach(handle)
assert v == b"\0\0\0\0\0" + b"12345"
raises(ValueError, mempool.Block().attach, handle)
assert any(entry[0] == handle and entry[2] == 1000 for entry in mempool.leaks(0))
b.free()
b.free()
raises(ValueError, lambda: v[0])
assert mempool.give(handle) == mempool.E_STALE
assert mempool.write(handle, 0, b"x") == mempool.E_STALE
assert mempool.stats().heap_used == 0

# No block left.
handles = exhaust(64)
with mempool.alloc(64) as b:
    assert len(b) == 64 and mempool.stats().heap_used >= 64
    assert mempool.give(b.handle) == 0
    raises(ValueError, lambda: b[0])
with mempool.Block() as b:
    mempool.alloc_into(b, 60)
    assert b.pool is None
with mempool.alloc(64, spill=True) as b:
    assert b.pool is mempool.MEDIUM
for handle in handles:
    mempool.give(handle)
assert mempool.stats().heap_used == 0

# Owners, quotas, structs.
if boardcfg.MEMORY_POOL_OWNERS:
    owner = mempool.Owner("heap", 2000)
    with owner.alloc(1200) as b:
        assert b.owner is owner and owner.used >= 1200
        raises(MemoryError, owner.alloc, 1200)
    assert owner.used == 0
with mempool.Struct({"end": uctypes.UINT32 | 1020})() as s:
    s.end = 0xFFFFFFFF
    assert s.end == 0xFFFFFFFF and s.pool is None and len(bytes(s)) == 1024


# Dropped: back by the collector, counted.
def drop():
    for _ in range(5):
        mempool.alloc(600)[0] = 1


reclaimed = mempool.stats().reclaimed
drop()
assert mempool.stats().heap_used >= 3000
for _ in range(3):
    gc.collect()
assert mempool.stats().heap_used <= 1200 and mempool.stats().reclaimed >= reclaimed + 4
# As many as the heap lends at a time: all are seen, and the next one is waited for in vain.
gc.collect()
blocks = []
try:
    while len(blocks) < 40:
        blocks.append(mempool.alloc(600))
except MemoryError as error:
    assert str(error) == "the heap has no 600 bytes, and no pool has such blocks", error
assert 8 < len(blocks) <= 32
shown = [entry for entry in mempool.leaks(0) if entry[2] == 600]
assert len(shown) >= len(blocks) and str(blocks[0]).startswith("<Block 600 of HEAP #")
for arguments in ({}, {"critical": True, "spill": True}):
    raises(MemoryError, mempool.alloc, 600, timeout_ms=20, **arguments)
mempool.alloc(100, timeout_ms=20).free()
handles = exhaust(100)
try:
    mempool.alloc(100).free()  # a board's heap may have so many yet
except MemoryError as error:
    assert str(error).startswith("MEDIUM exhausted: "), error
for handle in handles:
    mempool.give(handle)
try:
    from eventbus import bus
except ImportError:
    bus = None
if bus:
    assert "no room" in raises(ValueError, bus.publish, "t", blocks[0])
for block in blocks:
    block.free()
try:
    mempool.alloc(0x3FFFFFFF).free()  # a computer may have it
except MemoryError as error:
    assert "1073741823" in str(error), error
raises(ValueError, mempool.alloc, 0x40000000)
assert mempool.check() == 0
