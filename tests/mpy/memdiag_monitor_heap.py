# memdiag.Monitor's memory: a history in a block of a pool, and no GC heap in a period, an edge or
# its coroutine, nor where the GC heap is locked.
import gc

import boardcfg
import mempool
import micropython
from eventbus import EventBus, bus
from memdiag import Monitor

now_ms = 0


def nothing(*ignored):
    pass


def period(monitor, count=1):
    global now_ms
    for _ in range(count):
        now_ms += 1000
        assert monitor.tick(now_ms)


def take(pool, count):
    return [mempool.take(pool.block_size) for _ in range(count)]


def take_all(pool):
    return take(pool, pool.free - boardcfg.MEMORY_POOL_EMERGENCY_RESERVE)


def give(handles):
    while handles:
        assert mempool.give(handles.pop()) == 0


class Dog:
    fed = 0

    def feed(self):
        self.fed += 1


def history():
    used = mempool.stats().used
    monitor = Monitor(history=4, bus=None, on_alert=None)
    assert len(monitor.history) == 0 and list(monitor.history) == []
    owner = mempool.Owner("memdiag")
    assert owner.used == 64 and mempool.stats().used == used + 64
    samples = []
    held = []
    for nth in range(7):
        held += take(mempool.TINY, 10 if nth else 0)
        period(monitor)
        stats = mempool.stats()
        level = monitor.level
        sample = (now_ms // 1000, stats.used, stats.utilization, level, stats.failures, 0)
        samples.append(sample)
        assert list(monitor.history) == samples[-4:], (list(monitor.history), samples)
    give(held)
    monitor.stop()
    assert mempool.stats().used == used and list(monitor.history) == []

    # Where there is no block it goes without until there is one; that is no failure.
    blocks = take_all(mempool.XLARGE)
    failures = mempool.stats().failures
    monitor = Monitor(bus=None)
    period(monitor, 2)
    assert len(monitor.history) == 0 and mempool.stats().failures == failures
    give(blocks)
    period(monitor, 2)
    assert len(monitor.history) == 2 and owner.used == 512
    monitor.stop()


history()


def gc_bytes(call, count):
    mem_alloc = gc.mem_alloc
    call(count)
    gc.collect()
    gc.disable()
    before = mem_alloc()
    call(count)
    after = mem_alloc()
    gc.enable()
    return after - before


# An edge while the GC heap is locked or full is told as any other, and the dog is fed.
dog = Dog()
times = 0


def called(level, pool):
    global times
    times += 1


monitor = Monitor(wdt=dog, on_alert=called, bus=EventBus(8))
monitor.tick(0)
large = take_all(mempool.LARGE)
micropython.heap_lock()
try:
    monitor.tick(1000)
finally:
    micropython.heap_unlock()
assert (monitor.level, times, dog.fed, monitor.refused, monitor.faults) == (2, 1, 2, 0, 0)
give(large)
micropython.heap_lock()
try:
    monitor.tick(2000)
finally:
    micropython.heap_unlock()
assert (monitor.level, times, dog.fed) == (0, 2, 3)
# A clock that is set back is no reason to sleep until the old time comes again.
assert monitor.tick(0) and not monitor.tick(999) and monitor.tick(1000) and dog.fed == 5
monitor.stop()

# Who stops it from within on_alert gets no more food to the dog.
dog = Dog()
monitor = Monitor(wdt=dog, on_alert=lambda level, pool: monitor.stop())
monitor.tick(0)
large = take_all(mempool.LARGE)
monitor.tick(1000)
give(large)
assert dog.fed == 1 and not monitor.tick(2000) and len(monitor.history) == 0


# Who stops it in the middle of a tick, before the sample goes into the history.
class Stopper:
    def publish(self, topic, **fields):
        return True

    def stats_into(self, words):
        monitor.stop()


monitor = Monitor(bus=Stopper())
assert monitor.tick(0) and not monitor.tick(1000) and len(monitor.history) == 0
assert mempool.stats().used == 0, mempool.leaks(0)

dog = Dog()
heard_all = bus.subscribe("*", nothing)
monitor = Monitor(wdt=dog, on_alert=nothing)
owners = [mempool.Owner("owner %d" % nth) for nth in range(8)]
held = [owner.take(100) for owner in owners]


grown = gc_bytes(lambda count: period(monitor, count), 200)
assert dog.fed == 400 and monitor.level == 0
print("GC heap of 200 periods:", grown, "bytes")
assert grown == 0, grown
give(held)
monitor.stop()
heard_all.cancel()

try:
    import asyncio
except ImportError:
    asyncio = None

if asyncio:
    monitor = Monitor(period_ms=10)

    async def steady():
        mem_alloc = gc.mem_alloc
        task = asyncio.create_task(monitor.run())
        await asyncio.sleep_ms(100)
        gc.collect()
        gc.disable()
        before = mem_alloc()
        samples = monitor.samples
        for _ in range(100):  # a busy computer may leave no time for it
            await asyncio.sleep_ms(300)
            if monitor.samples >= samples + 5:
                break
        after = mem_alloc()
        samples = monitor.samples - samples
        gc.enable()
        monitor.stop()
        await task  # ends by itself
        return after - before, samples

    grown, samples = asyncio.run(steady())
    print("GC heap of", samples, "periods of run():", grown, "bytes")
    assert samples >= 5 and grown == 0, (grown, samples)

assert mempool.stats().used == 0 and mempool.check() == 0
