# The health check: the pools, by memdiag's Monitor, and the modules once a second, and whatever
# the others complain about. Who seems to leak is named; where memory gets low he has to give back
# what he forgot; where it stays critical the plant goes into its safe state.
from array import array

import mempool
from eventbus import HIGH, bus
from memdiag import SUSPECT, Monitor

from .actuators import SAFE_STATE
from .part import Part

TELL_S = 5
AGAIN_S = 60  # who has filled a pool again so soon does not forget: he takes all there is

# Where stats_into() has what the scalars tell.
_STATS = (
    ("mem_used", 1),
    ("mem_free", 2),
    ("mem_peak", 3),
    ("mem_allocs", 5),
    ("mem_failures", 7),
    ("mem_refused", 10),
    ("mem_denied", 11),
    ("mem_waste", 14),
    ("largest_free", 15),
    ("mem_level", 16),
)


class Health(Part):
    """say(text) tells people; box: a memdiag.BlackBox, or None."""

    def __init__(self, site, say=print, box=None):
        super().__init__(site, "health")
        self.errors = 0
        self.emergencies = 0
        self.broken = 0
        self.started = 0
        # In an outage telemetry holds more and more: by design, and up to its quota.
        self.monitor = Monitor(on_alert=self._alert, buffers=("telemetry",), blackbox=box)
        self.named = set()  # suspects
        self.first_named = (0, 0)  # second, and blocks free in the pool that had the fewest
        self.given_back = 0  # blocks, by suspects
        self._again_s = 0  # from when on blocks may be taken back again
        self.critical_s = 0  # when a pool became critical
        self.safe_s = 0  # when the plant went into its safe state
        self._say = say
        self._box = box
        self._stats = array("I", [0] * 17)
        self._modules = ()
        self._scalars = ()
        self._turn = 0

    def watch(self, modules):
        self._modules = modules
        self._scalars = ["m_" + module.name for module in modules]

    def init(self):
        mempool.owners()  # makes the objects of C's, so that looking for leaks adds nothing
        self.on("system.error", self._error)
        self.on("system.emergency_mode", self._emergency)
        self.on("system.started", self._started)

    def stop(self):
        self.monitor.stop()
        return super().stop()

    def _error(self, event):
        self.errors += 1
        self.site.errors = self.errors

    def _emergency(self, event):
        self.emergencies += 1

    def _started(self, event):
        self.started = event["modules"]

    def second(self, now):
        site = self.site
        monitor = self.monitor
        stats = self._stats
        monitor.tick(now * 1000)
        if not monitor.healthy and not self.safe_s:
            self._go_safe(now)
        mempool.stats_into(stats)
        for name, index in _STATS:
            setattr(site, name, stats[index])
        self.broken += monitor.broken
        site.check = self.broken
        if now % TELL_S == 0:
            self._tell(now)

    # ---- Memory

    def _alert(self, level, what):
        now = self.world.now_s
        if level == SUSPECT:
            least = min(mempool.pools(), key=_percent_free)
            if not self.named:
                self.first_named = (now, least.free)
            self.named.add(what)
            self._say("suspected leak: %s" % what)
            self._say("%s  %s; fullest pool: %s" % (_clock(now), self._holds(what), _fill(least)))
        elif level:
            self._say(
                "%s  memory is %s: %s" % (_clock(now), ("", "low", "critical")[level], _fill(what))
            )
            if self.monitor.suspects and now >= self._again_s:
                self._again_s = now + AGAIN_S
                self.take_back(self.monitor.suspects)
            if level == 2 and not self.critical_s:
                self.critical_s = now

    def _holds(self, name):
        used = [module.owner.used for module in self._modules if module.name == name]
        return "%d bytes in its blocks" % sum(used)

    def take_back(self, names):
        """All blocks of these modules: those that they have forgotten."""
        for module in self._modules:
            if module.name in names:
                count = 0
                for handle, owner, _, _ in mempool.leaks(0):
                    if owner is module.owner and mempool.give(handle) == 0:
                        count += 1
                module.taken_back()
                self.given_back += count
                clock = _clock(self.world.now_s)
                self._say("%s  taken back from %s: %d blocks" % (clock, module.name, count))

    def _go_safe(self, now):
        why = self.monitor.why
        self.safe_s = now
        self.site.emergency = SAFE_STATE
        self._say("%s  safe state: %s" % (_clock(now), why))
        if self._box is not None:
            self._box.save("safe state: " + why)

    # ---- Modules

    def _tell(self, now):
        turn = self._turn = (self._turn + 1) % len(self._modules)
        module = self._modules[turn]
        used = module.owner.used
        setattr(self.site, self._scalars[turn], used)
        bus.publish(
            "system.module_health",
            source="health",
            module=module.name,
            event="fault" if module.faults else "ok",
            timestamp=now * 1000,
            faults=module.faults,
            used=used,
            priority=HIGH,
        )


def _percent_free(pool):
    return pool.free * 100 // pool.count


def _fill(pool):
    return "%s, %d of %d blocks in use" % (pool.name, pool.used, pool.count)


def _clock(now):
    return "%02d:%02d" % (now // 3600, now // 60 % 60)
