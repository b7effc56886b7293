# Pools that grow and shrink: grow(pool, blocks), shrink(pool). New blocks are like any other.
import gc
import time

import boardcfg
import mempool

LIMIT = boardcfg.MEMORY_POOL_GROW_BLOCKS
XLARGE = mempool.XLARGE


def fails(error, text, function, *args):
    try:
        function(*args)
    except error as e:
        assert text in str(e), e
    else:
        raise SystemExit("%s%r does not fail" % (function, args))


fails(TypeError, "pool must be a Pool, not int", mempool.grow, 0, 1)
fails(TypeError, "pool must be a Pool, not NoneType", mempool.shrink, None)
fails(TypeError, "blocks must be an int, not str", mempool.grow, XLARGE, "1")
fails(TypeError, "", mempool.grow, XLARGE)

if LIMIT == 0:
    fails(
        ValueError,
        "XLARGE cannot grow any more (CONFIG_MEMORY_POOL_GROW_BLOCKS=0",
        mempool.grow,
        XLARGE,
        1,
    )
    assert mempool.shrink(XLARGE) == 0
    raise SystemExit

assert LIMIT == 16
for blocks in (0, -1, 17, 1 << 20, 1 << 70, -(1 << 70)):
    fails(ValueError, "blocks must be 1..16 for XLARGE", mempool.grow, XLARGE, blocks)
assert mempool.shrink(XLARGE) == 0

capacity = mempool.stats().capacity
built = XLARGE.count
reserve = boardcfg.MEMORY_POOL_EMERGENCY_RESERVE
assert mempool.grow(XLARGE, 3) == 3
assert XLARGE.count == XLARGE.free == built + 3
assert mempool.stats().capacity == capacity + 3 * 512
assert XLARGE.stats().capacity == (built + 3) * 512 and XLARGE.stats().used == 0
assert repr(XLARGE).startswith("Pool(512, %d, used=0" % (built + 3))

# Blocks, views, handles, owners: whoever holds one cannot tell where it is.
owner = mempool.Owner("grown", 0)
blocks = [mempool.alloc(512, critical=True, owner=owner) for _ in range(built + 3)]
assert owner.used == (built + 3) * 512 and XLARGE.free == 0
for i, block in enumerate(blocks):
    block[:] = bytes([i]) * 512
for i, block in enumerate(blocks):
    assert block == bytes([i]) * 512 and block.pool is XLARGE and block.capacity == 512
if not boardcfg.MEMORY_POOL_ALLOW_HEAP_FALLBACK:
    fails(MemoryError, "XLARGE", mempool.alloc, 512)
view = blocks[-1][4:8]
handle = blocks[-1].handle
assert mempool.shrink(XLARGE) == 0  # in use
for block in blocks:
    block.free()
try:
    view[0]
    raise SystemExit("a view of a freed block is obeyed")
except ValueError:
    pass
assert mempool.check() == 0
assert mempool.shrink(XLARGE) == 3
assert XLARGE.count == built and mempool.stats().capacity == capacity
assert mempool.give(handle) == mempool.E_STALE
assert mempool.write(handle, 0, b"x") == mempool.E_STALE
assert mempool.grow(XLARGE, 3) == 3
assert mempool.give(handle) == mempool.E_STALE
try:
    mempool.Block().attach(handle)
    raise SystemExit("a stale handle is attached")
except ValueError:
    pass

# Each Block object holds its own block, whatever number that has in its pool.
for pool in mempool.pools():
    assert mempool.grow(pool, 1) == 1
loose = [
    mempool.take(pool.block_size) for pool in mempool.pools() for _ in range(pool.count - reserve)
]
for handle in loose[::2]:
    assert mempool.give(handle) == 0
held = [
    mempool.alloc(pool.block_size, spill=False)
    for pool in mempool.pools()
    for _ in range(pool.free - reserve)
]
block = mempool.Block()
for handle in loose[1::2]:
    block.attach(handle)
    block.free()
for block in held:
    fails(ValueError, "held by a Block", mempool.Block().attach, block.handle)
    block.free()
for pool in mempool.pools():
    assert mempool.shrink(pool) == 1

# Four pieces a pool; the last comes off first.
assert [mempool.grow(XLARGE, n) for n in (1, 2, 1)] == [1, 2, 1]
fails(ValueError, "XLARGE cannot grow any more", mempool.grow, XLARGE, 1)
assert [mempool.shrink(XLARGE) for _ in range(5)] == [1, 2, 1, 3, 0]

# The memory they come from ends; nothing is half added.
grown = {}
try:
    for pool in reversed(mempool.pools()):
        grown[pool.name] = mempool.grow(pool, 16)
except MemoryError as e:
    assert "no memory for 16 blocks more of " in str(e)
for pool in mempool.pools():
    assert pool.count == boardcfg.__dict__["MEMORY_POOL_%s_COUNT" % pool.name] + grown.get(
        pool.name, 0
    )
assert mempool.check() == 0

# What the collector and a pressure callback make of it.
told = []
mempool.on_pressure(lambda level, pool: told.append((level, pool.name)))
while mempool.shrink(XLARGE):
    pass
held = [mempool.alloc(512) for _ in range(built - reserve)]
time.sleep_ms(20)
assert told[-1] == (mempool.LEVEL_CRITICAL, "XLARGE"), told
assert mempool.grow(XLARGE, 16) == 16
time.sleep_ms(20)
assert told[-1] == (mempool.LEVEL_NORMAL, "XLARGE"), told
mempool.on_pressure(None)
held = None
gc.collect()
gc.collect()
assert mempool.stats().used <= 512 * 2, mempool.stats()  # the stack may hold one

# Growing allocates nothing.
for pool in mempool.pools():
    while mempool.shrink(pool):
        pass


def cost():
    before = gc.mem_alloc()
    added = mempool.grow(mempool.TINY, 16)
    mempool.shrink(mempool.TINY)
    return added, gc.mem_alloc() - before


gc.collect()
assert cost() == (16, 0)
assert mempool.check() == 0
assert mempool.stats().capacity == capacity
