# Every bad input: its own documented error, the state unchanged, check() == 0 afterwards.
import boardcfg
import mempool

HUGE = (1 << 30, 1 << 31, 1 << 32, 1 << 63, 1 << 64, 1 << 100)
NEGATIVE = (-1, -32, -(1 << 31), -(1 << 64))
NO_INT = (None, "1", b"1", 1.0, [], (), {}, object(), mempool.TINY, len)
STRICT = boardcfg.MEMORY_POOL_STRICT_MODE


def state():
    s = mempool.stats()
    return (s.used, s.requested, s.heap_used, s.reclaimed)


before = state()
tried = 0


def refused(error, call, *args, **kw):
    global tried
    tried += 1
    try:
        result = call(*args, **kw)
    except error as caught:
        assert type(caught) is error, (type(caught), call, args, kw)
        assert caught.args and len(caught.args[0]) > 3, (call, args, kw)
    else:
        raise SystemExit("no %s from %s%s%s: %s" % (error.__name__, call, args, kw, result))
    if before is not None:
        assert state() == before, (call, args, kw)


def allocs():
    yield mempool.alloc
    yield lambda *args, **kw: mempool.alloc_into(mempool.Block(), *args, **kw)
    if boardcfg.MEMORY_POOL_OWNERS:
        yield mempool.Owner("errors").alloc
        yield lambda *args, **kw: mempool.Owner("errors").alloc_into(mempool.Block(), *args, **kw)


# Sizes and keywords.
for alloc in allocs():
    for size in NO_INT:
        refused(TypeError, alloc, size)
    for size in (0, False) + NEGATIVE:
        refused(ValueError, alloc, size)
    for size in HUGE + ((513, 600, 100000) if STRICT else ()):
        refused(ValueError, alloc, size)
    refused(TypeError, alloc)
    refused(TypeError, alloc, 10, 10)
    refused(TypeError, alloc, 10, True)
    refused(TypeError, alloc, 10, extra=1)
    for timeout_ms in NO_INT:
        refused(TypeError, alloc, 10, timeout_ms=timeout_ms)
    for timeout_ms in NEGATIVE + HUGE:
        refused(ValueError, alloc, 10, timeout_ms=timeout_ms)
for owner in NO_INT[1:]:
    refused(TypeError, mempool.alloc, 10, owner=owner)
for block in NO_INT + (bytearray(10), mempool.Block):
    refused(TypeError, mempool.alloc_into, block, 10)
refused(TypeError, mempool.alloc_into)
refused(TypeError, mempool.alloc_into, mempool.Block())
try:
    mempool.alloc(0)
except ValueError as error:
    assert not STRICT or str(error) == "size must be 1..512, not 0", error
try:
    mempool.alloc(1 << 64)
except ValueError as error:
    assert not STRICT or str(error) == "size must be 1..512", error

# A Block after free, after detach, attached twice.
freed = mempool.alloc(10)
freed.free()
detached = mempool.alloc(10)
handle = detached.detach()
held = mempool.alloc(10)
view = held[2:4]
before = state()


def store(target, index, value):
    target[index] = value


class Slice:
    def __getitem__(self, index):
        return index


S = Slice()
for block in (freed, detached, mempool.Block()):
    refused(ValueError, lambda: block[0])
    refused(ValueError, lambda: block[0:1])
    refused(ValueError, store, block, 0, 0)
    refused(ValueError, store, block, S[0:1], b"x")
    for use in (len, bytes, bytearray, list, sum, memoryview):
        refused(ValueError, use, block)
    refused(ValueError, block.detach)
    for attribute in ("capacity", "pool", "owner", "handle"):
        refused(ValueError, getattr, block, attribute)
    block.free()
for index in (10, -11, 1 << 20, -(1 << 20)):
    refused(IndexError, lambda: held[index])
    refused(IndexError, store, held, index, 0)
for index in ("0", 1.0, None):
    refused(TypeError, lambda: held[index])
for value in (256, -1) + HUGE + NEGATIVE:
    refused(ValueError, store, held, 0, value)
for value in (None, "1", 1.5, b"1"):
    refused(TypeError, store, held, 0, value)
refused(NotImplementedError, lambda: held[::2])
refused(NotImplementedError, store, held, S[::2], b"12345")
refused(ValueError, store, held, S[0:4], b"12345")
for value in (None, 5, 1.5, [1], held.pool):
    refused(TypeError, store, held, S[0:4], value)
refused(ValueError, mempool.alloc_into, held, 10)
refused(ValueError, mempool.alloc_into, view, 10)
for bad in (handle ^ 1 << 13, handle ^ 1 << 29):
    refused(ValueError, mempool.Block().attach, bad)
for bad in (0, 7, -5, 1 << 29) + HUGE + NEGATIVE:
    refused(ValueError, mempool.Block().attach, bad)
for bad in NO_INT:
    refused(TypeError, mempool.Block().attach, bad)
refused(ValueError, mempool.Block().attach, held.handle)
refused(ValueError, held.attach, handle)
for method in (view.free, view.detach, view.__enter__):
    refused(ValueError, method)
refused(ValueError, view.attach, handle)
refused(TypeError, mempool.Block, 10)
refused(TypeError, mempool.Block, size=10)
refused(TypeError, hash, held)
refused(TypeError, lambda: {held})

# What expects a callback, an array, an iterable name.
for callback in (1, "f", b"f", [], mempool.TINY):
    refused(TypeError, mempool.on_pressure, callback)
for array in (None, 1, "x", bytes(100), []):
    refused(TypeError, mempool.stats_into, array)
for array in (bytearray(100), held[0:4]):
    refused(ValueError, mempool.stats_into, array)

# Exhaustion names the class; nothing is lost.
taken = []
while not taken or taken[-1] > 0:
    taken.append(mempool.take(100))
before = state()
if STRICT:
    for _ in range(20):
        refused(MemoryError, mempool.alloc, 100, spill=False)
        refused(MemoryError, mempool.alloc_into, freed, 100, spill=False)
    try:
        mempool.alloc(65, spill=False)
    except MemoryError as error:
        pool = mempool.MEDIUM
        text = "MEDIUM exhausted: %d of %d blocks of 128 bytes in use" % (pool.used, pool.count)
        assert str(error).startswith(text), error
assert not freed
for handle_ in taken[:-1]:
    assert mempool.give(handle_) == 0
mempool.give(handle)
held.free()
assert mempool.stats().used == 0 and mempool.check() == 0
assert tried > 300, tried
