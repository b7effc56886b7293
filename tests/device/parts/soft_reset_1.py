# Before a soft reset: blocks, subscriptions, a kept event, sources and a thread that it leaves.
import boardcfg
import mempool
from eventbus import bus

held = [mempool.alloc(size) for size in (8, 60, 100, 200, 500)]
handles = [mempool.take(100) for _ in range(4)]
owner = mempool.Owner("left_over", 1024)
more = owner.alloc(60)
kept = []
sub = bus.subscribe("life.*", lambda event: kept.append(event.keep()))
bus.publish("life.first", n=1)
bus.process()
bus.pause()
assert bus.publish("life.second", n=2)
bus.subscribe("after.*", lambda event: print("called in the old program"))
try:
    import _platform

    _platform.source_timer("after.tick", 1000)
except (ImportError, AttributeError):
    pass
try:
    import _thread

    def resize():
        while True:
            mempool.grow(mempool.XLARGE, 1)
            mempool.shrink(mempool.XLARGE)

    if boardcfg.MEMORY_POOL_GROW_BLOCKS:
        _thread.start_new_thread(resize, ())
except ImportError:
    pass
if hasattr(mempool, "noinit"):
    mempool.noinit[0:8] = b"softly!!"
assert len(kept) == 1 and mempool.stats().used > 1000
print(handles)
