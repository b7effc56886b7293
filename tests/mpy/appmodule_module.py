# appmodule.Module: blocks and structs from its own quota, and giving back what it still holds.
import gc

import appmodule
import boardcfg
import mempool
import micropython
import uctypes


def raises(error, call, *args):
    try:
        call(*args)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error.__name__, call, args))


start = mempool.stats()

# Names and quotas are the Owner's business.
raises(TypeError, appmodule.Module)
raises(TypeError, appmodule.Module, 5)
raises(ValueError, appmodule.Module, "")
raises(ValueError, appmodule.Module, "a name too long for it")
raises(ValueError, appmodule.Module, "m", -1)
raises(TypeError, appmodule.Module, "m", "1")

m = appmodule.Module("m", 512)
assert m.name == "m" and m.owner.name == "m" and m.owner.quota == 512
assert m.init() is None and m.update() is None and not m.running

# From its quota, with alloc's options and errors.
b = m.alloc(100)
assert b.owner is m.owner and len(b) == 100 and m.owner.used == 128
c = m.alloc(30, critical=True, spill=False, timeout_ms=0)
assert m.owner.used == 160
raises(TypeError, lambda: m.alloc(30, nonsense=1))
raises(ValueError, m.alloc, 0)
if boardcfg.MEMORY_POOL_STRICT_MODE:
    raises(ValueError, m.alloc, 513)
raises(TypeError, m.alloc, "1")
assert "'m'" in raises(MemoryError, m.alloc, 500)
assert m.owner.used == 160 and m.owner.denied == 1

# A struct, even one whose layout has a field named free.
T = mempool.Struct({"free": 0 | uctypes.UINT32, "handle": 4 | uctypes.UINT32})
s = m.struct(T)
s.free = 7
assert s.free == 7 and m.owner.used == 192
raises(TypeError, m.struct, 5)
raises(TypeError, m.struct)

# The Block for good: filled again and again.
keep = m.block()
assert not keep
m.owner.alloc_into(keep, 60)
assert m.owner.used == 256

# stop gives back all of it and says how much; what was freed or handed on before is not counted.
c.free()
travelling = m.alloc(40)
handle = travelling.detach()
assert m.owner.used == 288
assert m.stop() == 128 + 32 + 64 == m.returned
assert not b and not s and not keep
raises(ValueError, lambda: b[0])
raises(ValueError, lambda: s.free)
assert m.owner.used == 64, "a block that was handed on belongs to who has it"
assert m.stop() == 0 and m.returned == 224
assert mempool.give(handle) == 0 and m.owner.used == 0
b.free()  # still idempotent

# It works again after stop.
with m.alloc(60) as d:
    assert m.owner.used == 64
assert m.owner.used == 0
m.owner.alloc_into(keep, 60)
assert m.stop() == 64


# Tracking does not grow with what passes through, and lets blocks go that the consumer freed.
def churn(rounds):
    for i in range(rounds):
        m.alloc(1 + i % 60).free()


churn(50)
gc.collect()
before = gc.mem_alloc()
churn(3000)
gc.collect()
assert gc.mem_alloc() <= before + 64, (before, gc.mem_alloc())

# Many at once, freed in another order than taken.
big = appmodule.Module("big")
held = [big.alloc(20) for _ in range(60)]
for i in range(0, 60, 2):
    held[i].free()
more = [big.alloc(20) for _ in range(30)]
assert all(held[i] for i in range(1, 60, 2)) and all(more)
assert big.owner.used == 60 * 32 and big.release() == 60 * 32
assert not any(held) and not any(more)


# The steady state with a Block for good allocates nothing.
def steady(n):
    while n:
        keep.free()
        m.owner.alloc_into(keep, 60)
        n -= 1


steady(2)
micropython.heap_lock()
steady(100)
micropython.heap_unlock()
assert m.stop() == 64

# A GC heap that is full or locked loses no block.
micropython.heap_lock()
try:
    m.alloc(60)
    locked = "no error"
except MemoryError:
    locked = "MemoryError"
micropython.heap_unlock()
assert locked == "MemoryError", locked
assert m.owner.used == 0

end = mempool.stats()
assert end.used == start.used and mempool.check() == 0
assert end.refused == start.refused and end.reclaimed == start.reclaimed
print("ok")
