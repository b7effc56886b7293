# Who is asked: what a report must say of a board, as one dict.
import gc
import os
import sys

import boardcfg
import mempool

gc.collect()
who = {
    "board": boardcfg.BOARD,
    "machine": getattr(sys.implementation, "_machine", "?"),
    "build": getattr(sys.implementation, "_build", "?"),
    "micropython": sys.version,
    "platform": sys.platform,
    "boardcfg": boardcfg.items(),
    "pins": boardcfg.PINS,
    "heap": "%d bytes free, %d used" % (gc.mem_free(), gc.mem_alloc()),
    "pools": [(p.name, p.block_size, p.count, p.used, p.peak) for p in mempool.pools()],
}
if hasattr(os, "uname"):
    who["uname"] = tuple(os.uname())
names = "capacity used free peak utilization allocs frees failures spills reclaimed refused denied"
names += " heap_used requested waste largest_free level"
stats = mempool.stats()
who["stats"] = {name: getattr(stats, name) for name in names.split()}
if hasattr(mempool, "heaps"):
    who["heaps"] = [tuple(heap) for heap in mempool.heaps()]
if hasattr(mempool, "noinit"):
    who["reset_cause"] = mempool.noinit.reset_cause
try:
    import machine

    who["freq_hz"] = machine.freq()
except (ImportError, AttributeError):
    pass
print(who)
