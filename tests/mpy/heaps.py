# heaps(): figures of the platform's heaps by capability, and of the GC heap.
import gc
import sys

import mempool

heaps = mempool.heaps()
assert isinstance(heaps, tuple)
for heap in heaps:
    name, total, free, largest, minimum_ever = heap
    assert heap.name == name and heap.total == total and heap.free == free
    assert heap.largest == largest and heap.minimum_ever == minimum_ever
    assert 0 <= largest <= free <= total and 0 <= minimum_ever <= free, heap

names = [heap.name for heap in heaps]
assert names[-1] == "gc" and len(set(names)) == len(names)
if sys.platform == "esp32":
    assert "internal" in names and "dma" in names, names
else:
    assert names == ["gc"], names

gc.collect()
before = mempool.heaps()[-1]
if sys.platform == "esp32":  # there it counts what the heap may still grow by
    assert before.free <= gc.mem_free() + 2048
else:
    assert abs(before.free - gc.mem_free()) < 2048
held = bytearray(8192)
after = mempool.heaps()[-1]
assert before.free - after.free >= 8192
assert after.minimum_ever <= after.free < before.free
least = after.minimum_ever
held = None
gc.collect()
assert mempool.heaps()[-1].minimum_ever == least

try:
    mempool.heaps(1)
    raise SystemExit("heaps takes an argument")
except TypeError:
    pass
