# critical and spill: who may use the last blocks, and the next larger ones.
import boardcfg
import mempool


def raises(error, call, *args, **kw):
    try:
        call(*args, **kw)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error.__name__, call, args))


RESERVE = boardcfg.MEMORY_POOL_EMERGENCY_RESERVE
STRICT = boardcfg.MEMORY_POOL_STRICT_MODE


def exhaust(size):
    handles = []
    while not handles or handles[-1] > 0:
        handles.append(mempool.take(size))
    assert handles.pop() == mempool.E_EXHAUSTED
    return handles


handles = exhaust(512)
assert len(handles) == mempool.XLARGE.count - RESERVE and mempool.XLARGE.free == RESERVE
if STRICT:
    text = raises(MemoryError, mempool.alloc, 512)
    said = "%d of %d blocks of 512 bytes in use" % (mempool.XLARGE.used, mempool.XLARGE.count)
    assert text.startswith("XLARGE exhausted: " + said), text
    assert ("%d kept for critical" % RESERVE in text) == (RESERVE > 0), text
    raises(MemoryError, mempool.XLARGE.alloc)
reserved = [mempool.alloc(512, critical=True) for _ in range(RESERVE)]
assert mempool.XLARGE.free == 0
if RESERVE:
    assert mempool.XLARGE.stats().level == mempool.LEVEL_CRITICAL
if STRICT:
    text = raises(MemoryError, mempool.alloc, 512, critical=True)
    assert "kept" not in text, text
assert mempool.take(512) == mempool.E_EXHAUSTED
# A block of the reserve goes back to the reserve.
for block in reserved:
    block.free()
assert mempool.take(512) == mempool.E_EXHAUSTED and mempool.XLARGE.free == RESERVE
mempool.give(handles.pop())
handles.append(mempool.take(500))
assert handles[-1] > 0 and mempool.XLARGE.free == RESERVE
for handle in handles:
    mempool.give(handle)

# Spill: the next larger class, counted; by default as configured; take never.
mempool.reset_stats()
handles = exhaust(128)
with mempool.alloc(100, spill=True) as b:
    assert b.pool is mempool.LARGE and len(b) == 100 and b.capacity == 256
    assert mempool.stats().spills == 1 and mempool.MEDIUM.stats().spills == 1
    assert b.pool.stats().requested == 100
if STRICT:
    raises(MemoryError, mempool.alloc, 100, spill=False)
if boardcfg.MEMORY_POOL_SPILL:
    with mempool.alloc(100) as b, mempool.alloc(100, spill=None) as c:
        assert b.pool is c.pool is mempool.LARGE
elif STRICT:
    raises(MemoryError, mempool.alloc, 100)
    raises(MemoryError, mempool.alloc, 100, spill=None)
assert mempool.take(100) == mempool.E_EXHAUSTED
if STRICT:
    raises(MemoryError, mempool.MEDIUM.alloc)
empty = mempool.Block()
mempool.alloc_into(empty, 128, spill=True)
assert empty.pool is mempool.LARGE
empty.free()
more = exhaust(256)
with mempool.alloc(128, spill=True) as b:
    assert b.pool is mempool.XLARGE
last = exhaust(512)
if STRICT:
    text = raises(MemoryError, mempool.alloc, 128, spill=True)
    assert text.startswith("MEDIUM exhausted") and text.endswith(", and all larger"), text
# With both, the reserve of the nearest class comes first.
if RESERVE:
    with mempool.alloc(128, spill=True, critical=True) as b:
        assert b.pool is mempool.MEDIUM
# A smaller class is never used.
assert mempool.SMALL.used == mempool.TINY.used == 0
if boardcfg.MEMORY_POOL_OWNERS:
    owner = mempool.Owner("spills", 256)
    for handle in more:
        mempool.give(handle)
    more = []
    with owner.alloc(100, spill=True) as b:
        assert owner.used == 256 and b.owner is owner
        assert "quota 256" in raises(MemoryError, owner.alloc, 100, spill=True)
for handle in handles + more + last:
    mempool.give(handle)
assert mempool.stats().used == 0 and mempool.check() == 0
