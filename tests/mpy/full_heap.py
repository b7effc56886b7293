# A GC heap that is full, not only locked: alloc_into that finds no block, or no quota, still says
# so in its own words, and loses nothing.
import gc

import boardcfg
import mempool

empty = mempool.Block()
owner = mempool.Owner("full", 64)
expected = [None, None]
said = [None, None]
kinds = [None, None]
hog = None


def attempt(nth, call):
    # The text lives in the emergency buffer: looked at before the next one comes.
    try:
        call()
    except Exception as error:
        kinds[nth] = type(error)
        said[nth] = error.args[0] == expected[nth]


def exhausted():
    mempool.alloc_into(empty, 512, spill=False)


def denied():
    owner.alloc_into(empty, 100)


def fill_heap():
    global hog
    size = 65536
    while size >= 16:
        try:
            hog = (hog, bytearray(size))
        except MemoryError:
            size //= 2
    while True:
        hog = (hog,)


if not boardcfg.MEMORY_POOL_STRICT_MODE or boardcfg.MEMORY_POOL_EMERGENCY_RESERVE:
    raise SystemExit(0)  # other words, or none

taken = [mempool.take(512) for _ in range(mempool.XLARGE.count)]
used = mempool.stats().used
expected[0] = "XLARGE exhausted: %d of %d blocks of 512 bytes in use" % (
    mempool.XLARGE.used,
    mempool.XLARGE.count,
)
expected[1] = "owner 'full': quota 64 bytes reached (0 used, 128 asked)"
gc.collect()
try:
    fill_heap()
except MemoryError:
    pass
attempt(0, exhausted)
attempt(1, denied)
hog = None
gc.collect()
assert kinds == [MemoryError, MemoryError] and said == [True, True], (kinds, said)
assert not empty and mempool.stats().used == used
for handle in taken:
    assert mempool.give(handle) == 0
assert mempool.stats().used == 0 and mempool.check() == 0
