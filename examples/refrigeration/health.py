# The health check: pools and modules once a second, and whatever the others complain about.
from array import array

import mempool
from eventbus import HIGH, bus

from .part import Part

CHECK_S = 60
TELL_S = 5

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
    def __init__(self, site):
        super().__init__(site, "health")
        self.errors = 0
        self.emergencies = 0
        self.broken = 0
        self.started = 0
        self._stats = array("I", [0] * 17)
        self._modules = ()
        self._scalars = ()
        self._turn = 0

    def watch(self, modules):
        self._modules = modules
        self._scalars = ["m_" + module.name for module in modules]

    def init(self):
        self.on("system.error", self._error)
        self.on("system.emergency_mode", self._emergency)
        self.on("system.started", self._started)

    def _error(self, event):
        self.errors += 1
        self.site.errors = self.errors

    def _emergency(self, event):
        self.emergencies += 1

    def _started(self, event):
        self.started = event["modules"]

    def second(self, now):
        site = self.site
        stats = self._stats
        mempool.stats_into(stats)
        for name, index in _STATS:
            setattr(site, name, stats[index])
        if now % CHECK_S == 0:
            self.broken += mempool.check()
            site.check = self.broken
        if now % TELL_S == 0:
            self._tell(now)

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
