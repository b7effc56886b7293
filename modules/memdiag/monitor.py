# Looks at the pools once a period: tells when a level changes and who seems to leak, feeds the
# watchdog while all is well, keeps the last samples. A period takes no GC heap.
import time
from array import array

import boardcfg
import mempool
from eventbus import HIGH
from eventbus import bus as _bus

from . import state
from .arguments import function, having, integer
from .growth import SUSPECTED, Growth
from .history import MAX, History
from .owners import WORDS, words
from .owners import name as owner_name
from .state import FAILURES, RESERVE, USED, UTILIZATION, alert

NORMAL, LOW, CRITICAL, SUSPECT = range(4)
_TOPICS = ("memory.normal", "memory.low", "memory.critical", "memory.suspect")
_DELIVERED, _WAITING = 1, 11  # in the bus's stats_into()
_BUS_WORDS = 12
_LONGEST_MS = 0xFFFFFFFF * 1000  # the history has 32 bits of seconds
_ON_ALERT, _WDT, _BLACKBOX, _BUS, _SUSPECTS, _BUS_STATS = 1, 2, 4, 8, 16, 32


class Monitor:
    """low, critical: percent, None as configured. patience: periods that a fault may last."""

    def __init__(
        self,
        low=None,
        critical=None,
        period_ms=1000,
        wdt=None,
        bus=_bus,
        on_alert=None,
        *,
        patience=5,
        window_s=60,
        windows=5,
        buffers=(),
        history=MAX,
        blackbox=None,
    ):
        if low is None:
            low = boardcfg.MEMORY_POOL_LOW_THRESHOLD
        if critical is None:
            critical = boardcfg.MEMORY_POOL_CRITICAL_THRESHOLD
        integer("low", low, 1, 99, " percent")
        integer("critical", critical, low + 1, 100, " percent (low is %d)" % low)
        self.period_ms = integer("period_ms", period_ms, 10, 3600000)
        self._wdt = having("wdt", wdt, "feed", "machine.WDT")
        self._bus = having("bus", bus, "publish", "eventbus.bus")
        self._on_alert = function("on_alert", on_alert)
        self._patience = integer("patience", patience, 1, 10000, " periods")
        integer("window_s", window_s, 1, 86400)
        integer("windows", windows, 2, 100)
        if not isinstance(buffers, (tuple, list)):
            raise TypeError(
                "buffers must be a tuple of owners' names, not %s" % type(buffers).__name__
            )
        integer("history", history, 1, MAX, " samples")
        self._box = having("blackbox", blackbox, "save", "memdiag.BlackBox")

        pools = self._pools = mempool.pools()
        self._names = tuple([pool.name for pool in pools])
        self._low = low
        self._critical = critical
        self._counts = array("H", [0] * 5)
        self._marks = array("H", [0] * 15)  # blocks: low, where it is left, critical
        self._levels = bytearray(5)
        self._told = bytearray(5)  # what the bus knows
        self._held = array("H", [0] * 5)  # periods at CRITICAL
        self._stats = state.words()
        self._bus_stats = array("I", bytes(4 * _BUS_WORDS))
        self._sees_bus = hasattr(bus, "stats_into")
        periods = max(1, window_s * 1000 // period_ms)
        self._growth = Growth(periods, windows, tuple(buffers))
        self._named = bytearray(len(self._growth.flags))  # 1: named, 2: the bus knows, too
        self.history = History(history, RESERVE)
        if blackbox is not None:
            blackbox.flags = self._growth.flags
        state.monitor = self

        self.level = NORMAL
        self.suspects = []
        self._found = False  # flags that are not yet in suspects
        self.samples = 0
        self.refused = 0  # by the bus: each is tried again in the next period
        self.faults = 0  # of on_alert and the others that are called
        self._failing = 0  # who failed the last time, a bit each
        self.broken = 0  # invariants, as check() counts them
        self._stalled = 0
        self._due = None
        self._busy = False
        self._stopped = False

    # ---- When

    def tick(self, now_ms=None):
        """Takes a sample where one is due -> whether it was. now_ms: the time of a simulation."""
        if self._stopped or self._busy:
            return False
        if now_ms is None:
            now_ms = time.ticks_ms()
            at_s = mempool.uptime_s()
        else:
            at_s = integer("now_ms", now_ms, 0, _LONGEST_MS, " ms") // 1000
        late = 0
        if self._due is not None:
            late = time.ticks_diff(now_ms, self._due)
            if -self.period_ms <= late < 0:
                return False
        on_time = self._due is not None and 0 <= late < self.period_ms  # or the time went back
        self._due = time.ticks_add(self._due if on_time else now_ms, self.period_ms)
        self._busy = True
        try:
            self._sample(at_s)
        finally:
            self._busy = False
            if self._stopped:  # meanwhile
                self.history._free()
        return True

    async def run(self):
        """tick() until stop()."""
        import asyncio

        while not self._stopped:
            self.tick()
            await asyncio.sleep_ms(max(1, time.ticks_diff(self._due, time.ticks_ms())))

    def stop(self):
        """Gives back the history's block, at the end of a tick() that is under way; the watchdog
        gets no more food, on_alert no more calls."""
        self._stopped = True
        if not self._busy:
            self.history._free()

    # ---- Health

    @property
    def healthy(self):
        return not (self.broken or self._stalled > self._patience or self._stuck() >= 0)

    @property
    def why(self):
        """Why it is not healthy: "" where it is."""
        stuck = self._stuck()
        if self.broken:
            return "check() found %d broken invariants" % self.broken
        if stuck >= 0:
            return "%s CRITICAL for %d periods" % (self._names[stuck], self._held[stuck])
        if self._stalled > self._patience:
            return "bus stalled for %d periods, %d waiting" % (
                self._stalled,
                self._bus_stats[_WAITING],
            )
        return ""

    def _stuck(self):
        held = self._held
        patience = self._patience
        for nth in range(5):
            if held[nth] > patience:
                return nth
        return -1

    # ---- A sample

    def _sample(self, at_s):
        stats = self._stats
        mempool.stats_into(stats)
        edges = self._look_at_pools()
        self._look_at_bus()
        self.broken = mempool.check()
        if self._growth.sample() and self._look_at_suspects():
            self._found = True
        self.samples += 1
        self.history._add(
            at_s,
            stats[USED],
            stats[UTILIZATION],
            self.level,
            stats[FAILURES],
            min(self._bus_stats[_WAITING], 65535),
        )
        if edges or self._found:
            self._alert(edges)
        self._tell()
        if self._stopped:  # by on_alert
            return
        if self._wdt is not None and self.healthy:
            try:
                self._wdt.feed()
                self._failing &= ~_WDT
            except Exception as fault:
                self._failed(_WDT, "wdt.feed", fault)
        self._save()

    def _look_at_pools(self):
        """-> the pools whose level has changed, a bit each."""
        edges = highest = nth = 0
        levels = self._levels
        marks = self._marks
        for pool in self._pools:
            if pool.count != self._counts[nth]:
                self._set_marks(nth, pool.count)
            used = pool.used
            level = levels[nth]
            at = 3 * nth
            if used >= marks[at + 2]:
                new = CRITICAL
            elif used >= marks[at]:
                new = CRITICAL if level == CRITICAL else LOW
            elif used >= marks[at + 1]:
                new = LOW if level else NORMAL
            else:
                new = NORMAL
            if new != level:
                levels[nth] = new
                edges |= 1 << nth
            if new == CRITICAL:
                self._held[nth] = min(self._held[nth] + 1, 65535)
            else:
                self._held[nth] = 0
            if new > highest:
                highest = new
            nth += 1
        self.level = highest
        return edges

    # As the core has them: percent of the blocks less the reserve, rounded up; left below three
    # quarters of LOW.
    def _set_marks(self, nth, count):
        self._counts[nth] = count
        count -= RESERVE
        self._marks[3 * nth] = (self._low * count + 99) // 100
        self._marks[3 * nth + 1] = (3 * self._low * count + 399) // 400
        self._marks[3 * nth + 2] = (self._critical * count + 99) // 100

    def _look_at_bus(self):
        if not self._sees_bus:
            return
        words = self._bus_stats
        before = words[_DELIVERED]
        try:
            self._bus.stats_into(words)
            self._failing &= ~_BUS_STATS
        except Exception as fault:
            self._failed(_BUS_STATS, "bus.stats_into", fault)
            return
        if words[_WAITING] and words[_DELIVERED] == before and self.samples:
            self._stalled += 1
        else:
            self._stalled = 0

    def _look_at_suspects(self):
        """Whether there is one more or less."""
        flags = self._growth.flags
        named = self._named
        changed = False
        for number in range(len(flags)):
            suspected = flags[number] == SUSPECTED
            if suspected != (named[number] > 0):
                named[number] = suspected
                changed = True
        return changed

    # ---- Telling

    def _alert(self, edges):
        before = self.suspects
        if self._found:
            self._name_suspects()
        self._save(True)  # whatever comes of the callbacks
        for nth in range(5):
            if edges >> nth & 1:
                alert.told(self._levels[nth], self._names[nth])
                self._call(self._levels[nth], self._pools[nth])
        if self.suspects is not before:
            for name in self.suspects:
                if name not in before:
                    self._call(SUSPECT, name)

    # Where there is no GC heap for the names: in a later period.
    def _name_suspects(self):
        named = self._named
        try:
            self.suspects = [owner_name(nth) for nth in range(len(named)) if named[nth]]
        except MemoryError as fault:
            self._failed(_SUSPECTS, "suspects", fault)
            return
        alert.suspects = self.suspects
        self._found = False
        self._failing &= ~_SUSPECTS

    def _call(self, level, what):
        if self._on_alert is not None and not self._stopped:
            try:
                self._on_alert(level, what)
                self._failing &= ~_ON_ALERT
            except Exception as fault:
                self._failed(_ON_ALERT, "on_alert", fault)

    def _save(self, edge=False):
        if self._box is not None:
            try:
                self._box.save(None, edge)
                self._failing &= ~_BLACKBOX
            except Exception as fault:
                self._failed(_BLACKBOX, "blackbox.save", fault)

    # The first of a row: a watchdog's every second would fill the terminal.
    def _failed(self, who, name, fault):
        self.faults += 1
        if not self._failing & who:
            try:
                print("memdiag: %s: %s: %s" % (name, type(fault).__name__, fault))
            except MemoryError:
                print("memdiag:", name, type(fault).__name__)
        self._failing |= who

    # Levels and suspects that the bus has not taken yet: a refused one is tried again in the next
    # period, as it is then.
    def _tell(self):
        if self._bus is None:
            return
        told = self._told
        levels = self._levels
        for nth in range(5):
            if levels[nth] != told[nth] and self._publish(nth, levels[nth]):
                told[nth] = levels[nth]
        if self.suspects:
            named = self._named
            for number in range(len(named)):
                if named[number] == 1 and self._publish(number, SUSPECT):
                    named[number] = 2

    def _publish(self, number, level):
        topic = _TOPICS[level]
        try:
            if level == SUSPECT:
                name = owner_name(number)
                used = words[WORDS * number]
                done = self._bus.publish(topic, priority=HIGH, owner=name, used=used)
            else:
                used = self._pools[number].used
                count = self._counts[number]
                done = self._bus.publish(
                    topic,
                    priority=HIGH,
                    pool=self._names[number],
                    used=used,
                    count=count,
                    utilization=used * 100 // count,
                )
            self._failing &= ~_BUS
        except Exception as fault:
            self._failed(_BUS, "bus.publish", fault)
            done = False
        self.refused += not done
        return done
