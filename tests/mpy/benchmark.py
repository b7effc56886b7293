# benchmark: a row an operation, printable and plain; whatever the fill, and nothing kept.
# timeout: 120
import gc
import sys

import mempool

NAMES = ["take", "give", "give_stale", "stats", "gc_alloc", "gc_free"]


def check():
    used = [pool.used for pool in mempool.pools()]
    refused = mempool.stats().refused
    table = mempool.benchmark()
    assert [row.operation for row in table] == NAMES, table
    assert len(set(row.unit for row in table)) == 1 and table[0].unit in ("ns", "cycles")
    for row in table:
        assert 0 <= row.min <= row.median <= row.max, row
        assert tuple(row) == (row.operation, row.unit, row.min, row.median, row.max)
        assert str(row).startswith("(operation='%s', unit='%s', min=" % row[:2]), row
    # Clocks of 10 ns or a whole timer tick may see 0 at best, never for the slowest of many.
    assert max(row.max for row in table) > 0
    assert [pool.used for pool in mempool.pools()] == used and mempool.check() == 0
    assert mempool.stats().refused == refused


check()
handles = []
while not handles or handles[-1] > 0:
    handles.append(mempool.take(1))
check()
for handle in handles[:-1]:
    mempool.give(handle)
assert mempool.stats().used == 0


# A GC heap that is full but for a few bytes, more each time: it measures as far as it gets, then
# raises as any other call. Where nothing is left nothing can be called, so this is written out.
WORD = 8 if sys.maxsize > 1 << 32 else 4
gc.collect()
row = [None] * (gc.mem_free() // 40)
failed = 0
for left in range(16, 640, 16):
    room, rest = bytearray(404), (None,) * (left // WORD)  # for the times, and for the table
    at = 0
    for size in (20000, 400, 60, 1, 1):
        if at:
            gc.collect()  # what the last MemoryError left goes, too
        try:
            while at < len(row):
                # The smallest object there is comes last.
                row[at] = bytearray(size) if size > 1 else at + 0.5
                at += 1
        except MemoryError:
            pass
    assert at < len(row)
    room = rest = None
    gc.collect()
    try:
        mempool.benchmark()
    except MemoryError:
        failed += 1
    for at in range(len(row)):
        row[at] = None
    gc.collect()
assert failed > 1 and mempool.stats().used == 0 and mempool.check() == 0, failed
check()
