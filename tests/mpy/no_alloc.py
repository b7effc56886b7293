# Hot paths leave the GC heap as it was, to the byte; and pool exhaustion runs no collection.
import array
import gc

import mempool

empty = mempool.Block()
words = array.array("I", [0] * 17)
leaks = array.array("I", [0] * 16)
buffer = bytearray(8)
owner = mempool.Owner("hot", 64)
mem_alloc = gc.mem_alloc


def hot():
    h = mempool.take(8)
    mempool.write(h, 0, buffer)
    mempool.read(h, 0, buffer)
    mempool.give(h)
    mempool.give(h)
    mempool.give(-5)
    mempool.take(0)
    mempool.write(h, -1, buffer)


def into():
    mempool.alloc_into(empty, 100, spill=True, critical=True)
    empty[5] = 5
    empty[-1] = empty[5]
    len(empty)
    empty.attach(empty.detach())
    for _ in empty:
        pass
    empty.free()
    owner.alloc_into(empty, 10)
    empty.free()
    mempool.give(owner.take(10))


def seen():
    mempool.stats_into(words)
    mempool.leaks_into(leaks, 0)
    mempool.check()
    mempool.reset_stats()
    mempool.TINY.used
    mempool.TINY.free
    owner.used
    bool(empty)


def measure(function, n=50):
    function()
    gc.collect()
    gc.disable()
    before = mem_alloc()
    for _ in range(n):
        function()
    after = mem_alloc()
    gc.enable()
    return after - before


def nothing():
    pass


base = measure(nothing)
for function in (hot, into, seen):
    grown = measure(function)
    assert grown == base, (function, grown, base)

# A full pool does not make the collector run: what could be collected is not.
handles = []
while not handles or handles[-1] > 0:
    handles.append(mempool.take(512))
handles.pop()


def drop():
    block = mempool.alloc(10)
    block[0] = 1


gc.collect()
for _ in range(20):
    drop()
waiting = mempool.TINY.used
assert waiting >= 19, waiting
for _ in range(20):
    try:
        mempool.alloc(512, spill=False)
    except MemoryError:
        pass
    mempool.take(512)
assert mempool.TINY.used == waiting
gc.collect()
assert mempool.TINY.used <= 2
for h in handles:
    mempool.give(h)
assert mempool.check() == 0
