# The smallest build: no diagnostics, no owners. All that holds and frees blocks is as ever; what
# is not counted is 0, what would need the diagnostics says so.
import array
import gc
import time

import boardcfg
import mempool


def raises(error, call, *args, **kw):
    try:
        call(*args, **kw)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error.__name__, call, args))


assert not boardcfg.MEMORY_POOL_DIAGNOSTICS and boardcfg.MEMORY_POOL_OWNERS == 0
with mempool.alloc(100) as b:
    b[:] = bytes(range(100))
    assert b[10:20] == bytes(range(10, 20)) and b.owner is None and len(b) == 100
    assert repr(b) == "<Block 100 of MEDIUM #%d>" % (b.handle & 1023)
    s = mempool.stats()
    assert s.used == 128 and s.used + s.free == s.capacity and s.largest_free == 512
    assert (s.allocs, s.frees, s.requested, s.waste, s.refused, s.reclaimed) == (0,) * 6
    assert mempool.MEDIUM.used == 1 and mempool.MEDIUM.stats().used == 128
raises(ValueError, lambda: b[0])
h = mempool.take(10)
assert mempool.write(h, 0, b"0123456789") == 10
assert mempool.write(h, 1, b"0123456789") == mempool.E_RANGE
assert mempool.give(h) == 0 and mempool.give(h) == mempool.E_STALE
assert mempool.give(0) == mempool.E_FOREIGN
words = array.array("I", [7] * 17)
mempool.stats_into(words)
assert words[0] == mempool.stats().capacity and words[1] == 0 and words[5] == 0

diagnostics = "CONFIG_MEMORY_POOL_DIAGNOSTICS is off"
assert raises(NotImplementedError, mempool.leaks) == diagnostics
assert raises(NotImplementedError, mempool.leaks, 0) == diagnostics
assert raises(NotImplementedError, mempool.leaks_into, words, 0) == diagnostics
raises(NotImplementedError, mempool.trace)
text = raises(MemoryError, mempool.Owner, "x")
assert text == "owner table full: CONFIG_MEMORY_POOL_OWNERS is 0", text
raises(ValueError, mempool.Owner, "")
assert mempool.owners() == ()

handles = []
while not handles or handles[-1] > 0:
    handles.append(mempool.take(100))
assert handles.pop() == mempool.E_EXHAUSTED and len(set(handles)) == mempool.MEDIUM.count
assert raises(MemoryError, mempool.alloc, 100).startswith("MEDIUM exhausted: %d of" % len(handles))
with mempool.alloc(100, spill=True) as b:
    assert b.pool is mempool.LARGE
assert mempool.stats().level == mempool.LEVEL_CRITICAL
told = []
mempool.on_pressure(lambda level, pool: told.append((level, pool)))
for h in handles:
    assert mempool.give(h) == 0
time.sleep_ms(5)
assert told[-1:] == [(mempool.LEVEL_NORMAL, mempool.MEDIUM)], told
mempool.on_pressure(None)


def drop():
    for _ in range(10):
        mempool.alloc(40)


drop()
gc.collect()
gc.collect()
assert mempool.SMALL.used <= 1 and mempool.check() == 0
assert len(mempool.benchmark()) == 6

# The diagnostics above it: a report and a snapshot without what is not counted.
import memdiag  # noqa: E402

assert raises(NotImplementedError, mempool.map_into, mempool.TINY, bytearray(4)) == diagnostics
assert raises(NotImplementedError, memdiag.map) == diagnostics
assert raises(NotImplementedError, memdiag.leaks) == diagnostics
assert "TINY Pool: 0/%d blocks (0%%)" % mempool.TINY.count in memdiag.report()
assert memdiag.snapshot()["owners"] == {} and '"map": {}' in memdiag.answer("live")
assert diagnostics in memdiag.answer("leaks")
