# memdiag.Monitor: edges with hysteresis as the core has them, told to a callback and to the bus;
# a watchdog that is fed only while all is well. memdiag_monitor_heap.py: its history, its cost.
# timeout: 120
import boardcfg
import memdiag.monitor
import mempool
from eventbus import EventBus, bus
from memdiag import Monitor

pools = mempool.pools()
calls = []
heard = []
bus_heard = bus.subscribe("memory.*", lambda event: heard.append((event.topic, event.data)))


def on_alert(level, what):
    calls.append((level, what))


def nothing(*ignored):
    pass


def deliver():
    while bus.process():
        pass


def raises(error, **arguments):
    try:
        Monitor(**arguments)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s" % (error.__name__, arguments))


# Time goes as we say.
now_ms = 0


def period(monitor, count=1):
    global now_ms
    for _ in range(count):
        now_ms += 1000
        assert monitor.tick(now_ms)
    deliver()


def fill(pool, used, held):
    """Takes and gives blocks until so many are in use."""
    while pool.used < used:
        block = mempool.alloc(pool.block_size, critical=True, spill=False)  # of the reserve, too
        held.append(block.detach())
    while pool.used > used:
        assert mempool.give(held.pop()) == 0


def all_levels_are_those_of_the_core():
    monitor = Monitor(bus=None, on_alert=on_alert)
    base = [pool.used for pool in pools]  # the history's own
    rng = 7
    edges = 0
    level = 0
    del calls[:]
    for pool in pools:
        held = []
        least = pool.used
        for _ in range(60):
            rng = (rng * 1103 + 12345) % 65536
            fill(pool, least + rng % (pool.count - least + 1), held)
            period(monitor)
            expected = pool.stats().level
            assert monitor.level == expected, (pool, monitor.level, expected)
            if expected != level:
                assert calls == [(expected, pool)], (calls, pool, expected)
                edges += 1
                level = expected
            else:
                assert calls == []
            del calls[:]
        fill(pool, least, held)
        period(monitor)
        level = 0
        del calls[:]
    assert edges > 20, edges
    monitor.stop()
    assert [pool.used for pool in pools] != base or base[-1] == 0


all_levels_are_those_of_the_core()


def told_with_its_fields():
    monitor = Monitor(on_alert=on_alert, critical=90)
    held = []
    del heard[:]
    pool = mempool.SMALL
    usable = pool.count - boardcfg.MEMORY_POOL_EMERGENCY_RESERVE
    low = (80 * usable + 99) // 100
    critical = (90 * usable + 99) // 100
    left = (240 * usable + 399) // 400
    # A fill that swings around a threshold is one edge.
    for used in (low - 1, low, low - 1, low, left, low):
        fill(pool, used, held)
        period(monitor)
    fill(pool, critical, held)
    period(monitor)
    fill(pool, low, held)
    period(monitor)  # still critical
    fill(pool, low - 1, held)
    period(monitor)  # low
    fill(pool, left - 1, held)
    period(monitor)
    assert calls == [(1, pool), (2, pool), (1, pool), (0, pool)], calls
    topics = [topic for topic, _ in heard]
    assert topics == ["memory.low", "memory.critical", "memory.low", "memory.normal"], heard
    used = (low, critical, low - 1, left - 1)
    for nth in range(4):
        fields = heard[nth][1]
        assert fields["pool"] == "SMALL" and fields["count"] == pool.count, fields
        assert fields["used"] == used[nth], (fields, used)
        assert fields["utilization"] == used[nth] * 100 // pool.count
    fill(pool, 0, held)
    del calls[:]
    monitor.stop()


told_with_its_fields()


# What the program hands over may fail: it is reported, counted, and nothing stops.
class Deaf:
    """A bus that refuses, or raises."""

    def __init__(self):
        self.asked = 0
        self.answer = False

    def publish(self, topic, priority, **fields):
        self.asked += 1
        if self.answer is None:
            raise OSError(5)
        return self.answer


def failures_of_others():
    def bad(level, what):
        calls.append(level)
        raise RuntimeError("on purpose")

    deaf = Deaf()
    monitor = Monitor(on_alert=bad, bus=deaf)
    held = []
    pool = mempool.TINY
    fill(pool, pool.count, held)
    period(monitor)
    assert calls == [2] and monitor.faults == 1 and monitor.refused == 1
    # A refused alert is tried again, as long as it is true.
    period(monitor, 3)
    assert calls == [2] and deaf.asked == 4 and monitor.refused == 4
    deaf.answer = None
    period(monitor)
    assert monitor.refused == 5 and monitor.faults == 2
    deaf.answer = True
    period(monitor, 3)
    assert deaf.asked == 6 and monitor.refused == 5
    deaf.answer = False
    fill(pool, 0, held)
    period(monitor)
    fill(pool, pool.count, held)  # what the bus knows is true again
    period(monitor)
    assert deaf.asked == 7 and calls == [2, 0, 2]
    fill(pool, 0, held)
    monitor.stop()
    del calls[:]

    # A bus that cannot tell its figures.
    deaf.stats_into = lambda words: 1 // 0
    monitor = Monitor(bus=deaf)
    period(monitor, 3)
    assert monitor.samples == 3 and monitor.faults == 3 and monitor.healthy
    monitor.stop()


failures_of_others()


class Dog:
    def __init__(self):
        self.fed = 0

    def feed(self):
        self.fed += 1


def watchdog():
    dog = Dog()
    own = EventBus(queue=8)
    monitor = Monitor(wdt=dog, bus=own, patience=3, on_alert=on_alert)
    assert monitor.healthy and monitor.why == ""
    assert monitor.tick(now_ms) and dog.fed == 1
    assert not monitor.tick(now_ms + 999) and dog.fed == 1  # it is not due

    # A pool that stays critical for longer than `patience` periods.
    held = []
    pool = mempool.LARGE
    fill(pool, pool.count, held)
    period(monitor, 3)
    assert dog.fed == 4 and monitor.healthy
    period(monitor)
    assert dog.fed == 4 and not monitor.healthy
    assert monitor.why == "LARGE CRITICAL for 4 periods", monitor.why
    fill(pool, 0, held)
    period(monitor)
    assert dog.fed == 5 and monitor.healthy

    # An invariant that does not hold.
    class Broken:
        def __getattr__(self, name):
            return getattr(mempool, name)

        def check(self):
            return 2

    memdiag.monitor.mempool = Broken()
    try:
        period(monitor)
        assert dog.fed == 5
        assert monitor.why == "check() found 2 broken invariants", monitor.why
    finally:
        memdiag.monitor.mempool = mempool
    period(monitor)
    assert dog.fed == 6

    # A bus that does not deliver. One that works slowly does.
    subscription = own.subscribe("a", nothing)
    own.pause()
    for _ in range(5):
        own.publish("a", 1)
    period(monitor, 4)
    assert dog.fed == 9 and not monitor.healthy, (dog.fed, monitor.why)
    waiting = own.stats()
    assert "bus stalled for 4 periods, 5 waiting" in monitor.why, monitor.why
    own.resume()
    while own.process():
        pass
    period(monitor)
    assert monitor.healthy and dog.fed == 10
    subscription.cancel()

    # What is fed may be out of order, too.
    dog.feed = lambda: 1 // 0
    period(monitor, 2)
    assert monitor.faults >= 2
    monitor.stop()
    assert not monitor.tick(now_ms + 5000)
    assert waiting.queue_free == 3
    del calls[:]


watchdog()


def when():
    monitor = Monitor(period_ms=100, bus=None)
    ticks = [ms for ms in range(0, 1000, 7) if monitor.tick(ms)]
    assert len(ticks) == 10 and ticks[0] == 0, ticks  # the average is the period
    for nth in range(10):
        assert 0 <= ticks[nth] - 100 * nth < 7, ticks
    assert monitor.tick(5000) and not monitor.tick(5099) and monitor.tick(5100)  # no catching up
    assert monitor.samples == 12
    monitor.stop()
    # Not within itself.
    nested = []

    def within(level, what):
        nested.append(monitor.tick(10000000))

    monitor = Monitor(on_alert=within, bus=None)
    held = []
    fill(mempool.TINY, mempool.TINY.count, held)
    monitor.tick(0)
    assert nested == [False]
    fill(mempool.TINY, 0, held)
    monitor.stop()
    # By the clock.
    import time

    monitor = Monitor(period_ms=10, bus=None)
    before = mempool.uptime_s()
    begin = time.ticks_ms()
    elapsed = 0
    while elapsed < (200 if monitor.samples >= 5 else 60000):
        monitor.tick()
        elapsed = time.ticks_diff(time.ticks_ms(), begin)
    assert 5 <= monitor.samples <= elapsed // 10 + 1, (monitor.samples, elapsed)
    assert before <= list(monitor.history)[-1][0] <= mempool.uptime_s()
    monitor.stop()


when()

# ---- Bad arguments

assert raises(ValueError, low=0) == "low must be 1..99 percent, not 0"
assert raises(ValueError, low=100) == "low must be 1..99 percent, not 100"
assert raises(ValueError, low=90, critical=90) == (
    "critical must be 91..100 percent (low is 90), not 90"
)
assert raises(TypeError, low="80") == "low must be an int, not str"
assert raises(TypeError, critical=95.0) == "critical must be an int, not float"
assert raises(ValueError, period_ms=0) == "period_ms must be 10..3600000, not 0"
assert raises(TypeError, period_ms=None) == "period_ms must be an int, not NoneType"
assert raises(TypeError, wdt=1) == ("wdt must be None or have feed(), as machine.WDT has; not int")
assert raises(TypeError, bus="bus") == (
    "bus must be None or have publish(), as eventbus.bus has; not str"
)
assert raises(TypeError, on_alert=5) == "on_alert must be callable or None, not int"
assert raises(ValueError, patience=0) == "patience must be 1..10000 periods, not 0"
assert raises(ValueError, window_s=0) == "window_s must be 1..86400, not 0"
assert raises(ValueError, windows=1) == "windows must be 2..100, not 1"
assert raises(ValueError, history=33) == "history must be 1..32 samples, not 33"
assert "owners' names, not str" in raises(TypeError, buffers="telemetry")
assert "owners' names, not NoneType" in raises(TypeError, buffers=None)
assert "blackbox must be None or have save()" in raises(TypeError, blackbox=3)


class Fed:
    feed = 5  # a number is no method


assert "wdt must be None or have feed()" in raises(TypeError, wdt=Fed())
monitor = Monitor()
for wrong, error, text in (
    (-5, ValueError, "now_ms must be 0..4294967295000 ms, not -5"),
    (1 << 42, ValueError, "now_ms must be 0..4294967295000 ms, not 4398046511104"),
    ("s", TypeError, "now_ms must be an int, not str"),
):
    try:
        monitor.tick(wrong)
        raise SystemExit("now_ms of %r" % wrong)
    except error as caught:
        assert str(caught) == text, caught
assert monitor.samples == 0 and len(monitor.history) == 0
monitor.stop()
assert mempool.stats().used == 0, mempool.leaks(0)

bus_heard.cancel()
assert mempool.stats().used == 0 and mempool.check() == 0
