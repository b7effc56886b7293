# memdiag.Monitor names who leaks, before the pool is dry, and nobody else. Time is simulated; the
# detection times are printed.
# timeout: 240
import sys

import boardcfg
import memdiag
import mempool
from eventbus import bus
from memdiag import SUSPECT, Monitor

DAY_H = 24 if sys.platform == "linux" else 1  # an emulated board is slow
named = []


def on_alert(level, what):
    if level == SUSPECT:
        named.append(what)


class Load:
    """What an owner holds, second by second."""

    def __init__(self, name, blocks, size=40):
        self.owner = mempool.Owner(name) if name else mempool
        self.blocks = blocks  # of the second: how many are held
        self.size = size
        self.held = []

    def second(self, now):
        wanted = self.blocks(now)
        while len(self.held) < wanted:
            handle = self.owner.take(self.size)
            if handle < 0:
                break
            self.held.append(handle)
        while len(self.held) > wanted:
            mempool.give(self.held.pop())

    def end(self):
        while self.held:
            mempool.give(self.held.pop())


def live(seconds, *loads, monitor=None, start=0, until_named=False):
    """-> second of the first suspicion, None where there was none."""
    own = monitor is None
    monitor = monitor or Monitor(on_alert=on_alert)
    del named[:]
    first = None
    for now in range(start, start + seconds):
        for load in loads:
            load.second(now)
        monitor.tick(now * 1000)
        if named and first is None:
            first = now
            if until_named:
                break
    if own:
        monitor.stop()
        for load in loads:
            load.end()
    return first


class Random:
    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 1103 + 12345) % 65521
        return self.state % limit


# ---- One block a minute: named within seven minutes, whenever it begins, whatever else goes on.


def sawtooth(period, height, base=0):
    return lambda now: base + now % period * height // period


mempool.reset_stats()  # on a board others were here before
worst = 0
for begin in (0, 1, 30, 59, 60, 61, 600, 633):
    leak = Load("leaky", lambda now: max(0, (now - begin) // 60 + 1) if now >= begin else 0)
    busy = Load("busy", sawtooth(20, 8))
    at = live(begin + 1200, leak, busy, until_named=True)
    assert named == ["leaky"], (begin, named)
    worst = max(worst, at - begin)
print("a leak of one block a minute: named after at most", worst, "s")
assert worst <= 7 * 60

# Slower and faster ones, and one that hides in its own traffic.
for every in (10, 30, 45, 75, 90, 120, 240):
    leak = Load("leaky", lambda now: now // every + 1)
    at = live(40 * 60, leak, until_named=True)
    print("one block in", every, "s: named after", at, "s")
    assert named == ["leaky"], (every, named)
random = Random(5)
leak = Load("leaky", lambda now: now // 60 + random.below(7))
at = live(3600, leak, until_named=True)
print("one block a minute in traffic of 0 to 6 blocks: named after", at, "s")
assert named == ["leaky"] and at <= 20 * 60

# The smallest pool is not dry before its owner is known: 8 blocks at one a minute.
# A reserve, which such a leak does not get, leaves fewer than it takes to be sure.
if not boardcfg.MEMORY_POOL_EMERGENCY_RESERVE:
    leak = Load("leaky", lambda now: now // 60 + 1, 500)
    at = live(1200, leak, until_named=True)
    assert named == ["leaky"] and mempool.stats().failures == 0, (named, at)
    assert at < 60 * (mempool.XLARGE.count - 1)  # the history has one

# Blocks that nobody owns.
leak = Load(None, lambda now: now // 60 + 1)
assert live(1200, leak, until_named=True) and named == ["nobody"], named
print("a leak of nobody's: named")


# ---- Once, until it falls back


def once():
    heard = []
    sub = bus.subscribe(
        "memory.suspect", lambda event: heard.append((event["owner"], event["used"]))
    )
    monitor = Monitor(on_alert=on_alert)
    # A leak for 20 minutes, then a restart that gives all back, then the leak again.
    leak = Load("leaky", lambda now: now % 1800 // 60 + 1 if now % 1800 < 1200 else 0)
    live(1700, leak, monitor=monitor)
    while bus.process():
        pass
    assert named == ["leaky"] and len(heard) == 1 and heard[0][0] == "leaky", (named, heard)
    assert heard[0][1] % 64 == 0 and heard[0][1] >= 5 * 64
    assert monitor.suspects == [], "it has fallen back"
    live(1300, leak, monitor=monitor, start=1700)
    assert named == ["leaky"] and monitor.suspects == ["leaky"], (named, monitor.suspects)
    # What it holds it has leaked, though it has stopped to grow: still suspect.
    keep = len(leak.held)
    leak.blocks = lambda now: keep
    live(1800, leak, monitor=monitor, start=3000)
    assert named == [] and monitor.suspects == ["leaky"], (named, monitor.suspects)
    assert memdiag.state.alert.suspects == ["leaky"]
    leak.blocks = lambda now: keep // 4
    live(120, leak, monitor=monitor, start=4800)
    assert monitor.suspects == [] and list(memdiag.state.alert.suspects) == []
    leak.end()
    monitor.stop()
    sub.cancel()


once()


# ---- Nobody else


def none(what, *loads, seconds=DAY_H * 3600):
    at = live(seconds, *loads)
    assert named == [], (what, named, at)
    print("no false alarm in", seconds // 3600, "h:", what)


random = Random(7)
none(
    "sawtooths",
    Load("fast", sawtooth(10, 9)),
    Load("minute", sawtooth(61, 9)),
    Load("slow", sawtooth(290, 9)),
    Load("high", sawtooth(45, 5, 20), 20),
)


def bursts(now):
    return random.below(12) if random.below(50) == 0 else random.below(3)


walk = [0]


def queue(now):
    """As long as a queue is at 80 % load."""
    if random.below(100) < 40:
        walk[0] = min(walk[0] + 1, 20)
    elif random.below(100) < 84:
        walk[0] = max(walk[0] - 1, 0)
    return walk[0]


none("bursts and a queue", Load("bursts", bursts), Load("queue", queue), Load(None, queue, 20))
# A program that starts: one thing after another takes what it keeps for good.
none("a start in four steps", Load("start", lambda now: min(now // 70, 4)), seconds=7200)


# A buffer grows by design while its receiver is away; so it is said to the Monitor.
def outage(now):
    return now // 60 % 75


monitor = Monitor(on_alert=on_alert, buffers=("buffer",))
buffer = Load("buffer", outage, 20)
live(2 * 3600, buffer, monitor=monitor)
assert named == [] and monitor.suspects == [], named
buffer.end()
monitor.stop()
assert live(3600, Load("buffer", outage, 20)), "and not said, it is named"

assert mempool.stats().used == 0 and mempool.check() == 0
