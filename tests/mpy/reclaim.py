# The safety net: Blocks that are dropped come back by the collector, counted.
import gc

import mempool


def drop(n, size):
    for _ in range(n):
        mempool.alloc(size)[0] = 1


def scrub(n=20):
    # Overwrites what is left of dead frames, where a pointer could still be seen.
    if n:
        a = b = c = d = e = n
        return scrub(n - 1) + a - b + c - d + e - n
    return 0


NESTED = []
for _ in range(20):
    NESTED = [NESTED]


def collect():
    for _ in range(3):
        scrub()
        repr(NESTED)  # frames of another layout, whose words fall into the holes of scrub's
        gc.collect()


collect()
mempool.reset_stats()
N = mempool.SMALL.free - 8
drop(N, 50)
assert mempool.SMALL.used == N
collect()
s = mempool.stats()
SEEN = 1  # what an old address on the stack or in a register still points at
assert mempool.SMALL.used <= SEEN and s.reclaimed >= N - SEEN and s.refused == 0, s
assert s.frees == s.allocs - mempool.SMALL.used
assert mempool.check() == 0

# What was freed, detached or given by its handle is nobody's to reclaim.
mempool.reset_stats()


def spend():
    for _ in range(5):
        mempool.alloc(50).free()
    for _ in range(5):
        with mempool.alloc(50):
            pass
    handles = []
    for _ in range(5):
        handles.append(mempool.alloc(50).detach())
    for _ in range(5):
        mempool.give(mempool.alloc(50).handle)
    return handles


left = mempool.SMALL.used
handles = spend()
collect()
assert mempool.SMALL.used <= 5 + left
s = mempool.stats()
assert s.reclaimed <= left and s.refused == 0, s
into = bytearray(1)
assert [mempool.read(h, 0, into) for h in handles] == [1] * 5
assert [mempool.give(h) for h in handles] == [0] * 5

# A dropped Block of a live owner pays its owner back.
owner = mempool.Owner("drop", 640)


def drop_owned():
    for _ in range(10):
        owner.alloc(64)


drop_owned()
assert owner.used == 640
collect()
assert owner.used <= 64


# A stale Block that dies does not take the block from its next holder.
def stale():
    block = mempool.alloc(50)
    mempool.give(block.handle)


stale()
taken = []
while not taken or taken[-1] > 0:
    taken.append(mempool.take(50))
taken.pop()
collect()
assert [mempool.write(h, 0, b"x") for h in taken] == [1] * len(taken)
for h in taken:
    assert mempool.give(h) == 0
assert mempool.stats().refused == 0 and mempool.check() == 0
