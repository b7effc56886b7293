# Pool objects: geometry, fill, alloc of the full size, statistics of one pool.
import boardcfg
import mempool
import uctypes

NAMES = ("TINY", "SMALL", "MEDIUM", "LARGE", "XLARGE")
RESERVE = boardcfg.MEMORY_POOL_EMERGENCY_RESERVE
SIZES = (32, 64, 128, 256, 512)

pools = mempool.pools()
assert len(pools) == 5 and isinstance(pools, tuple)
assert pools == (mempool.TINY, mempool.SMALL, mempool.MEDIUM, mempool.LARGE, mempool.XLARGE)

for pool, name, size in zip(pools, NAMES, SIZES):
    assert pool.name == name and pool.block_size == size
    assert pool.count > 0 and pool.used == 0 and pool.free == pool.count
    assert pool is getattr(mempool, name)
    assert repr(pool) == "Pool(%d, %d, used=0, peak=%d)" % (size, pool.count, pool.peak)

    block = pool.alloc()
    assert len(block) == block.capacity == size and block.pool is pool and block.owner is None
    assert pool.used == 1 and pool.free == pool.count - 1 and pool.peak >= 1
    assert str(pool).startswith("Pool(%d, %d, used=1, peak=" % (size, pool.count)), pool
    stats = pool.stats()
    assert stats.used == size and stats.free == pool.free * size
    assert stats.capacity == pool.count * size == stats.used + stats.free
    assert stats.requested == size and stats.waste == 0
    block.free()
    assert pool.used == 0

    for attribute in ("name", "count", "used", "new"):
        try:
            setattr(pool, attribute, 1)
            raise SystemExit("%s.%s can be stored" % (name, attribute))
        except AttributeError:
            pass
    try:
        pool.alloc(1)
        raise SystemExit("Pool.alloc takes an argument")
    except TypeError:
        pass

# The smallest class that fits, at every edge.
for size in range(1, 513):
    block = mempool.alloc(size)
    fits = [pool for pool in pools if pool.block_size >= size][0]
    assert block.pool is fits and len(block) == size and block.capacity == fits.block_size
    block.free()

# Addresses are aligned to 8 bytes and no two blocks overlap.
for pool in pools:
    blocks = [pool.alloc() for _ in range(min(pool.free - RESERVE, 8))]
    addresses = sorted(uctypes.addressof(block) for block in blocks)
    assert all(address % 8 == 0 for address in addresses)
    assert all(b - a >= pool.block_size for a, b in zip(addresses, addresses[1:]))
    for number, block in enumerate(blocks):
        block[:] = bytes([number]) * len(block)
    for number, block in enumerate(blocks):
        assert block == bytes([number]) * len(block)
        block.free()

assert mempool.check() == 0
