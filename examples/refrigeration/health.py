# The health check: pools and modules once a second, and whatever the others complain about.
from array import array

import mempool

from .part import INDEX, K_MEMORY, K_MODULE, Part
from .post import EMERGENCY, ERROR, HEALTH, Template

CHECK_S = 60
TELL_S = 5

# For each scalar from K_MEMORY on, where stats_into() has it: used, peak, free, level, allocs,
# failures, refused, denied, waste, largest_free.
_STATS = bytes((1, 3, 2, 16, 5, 7, 10, 11, 14, 15))


class Health(Part):
    def __init__(self, site):
        super().__init__(site, "health", 512, 32)
        self.errors = 0
        self.emergencies = 0
        self.broken = 0
        self._stats = array("I", [0] * 17)
        self._modules = ()
        self._names = ()
        self._turn = 0
        self._message = Template(
            '{"source":"health","module":"', 9, '","event":"', 5, '","timestamp":', 9,
            ',"faults":', 4, ',"used":', 4, "}",
        )  # fmt: skip

    def watch(self, modules):
        self._modules = modules
        self._names = [module.name.encode() for module in modules]

    def receive(self, topic, message):
        if topic == ERROR:
            self.errors += 1
            self.keys[INDEX["errors"]] = self.errors
        elif topic == EMERGENCY:
            self.emergencies += 1

    def second(self, now):
        keys = self.keys
        stats = self._stats
        mempool.stats_into(stats)
        at = K_MEMORY
        for index in _STATS:
            keys[at] = stats[index]
            at += 1
        if now % CHECK_S == 0:
            self.broken += mempool.check()
            keys[INDEX["check"]] = self.broken
        if now % TELL_S == 0:
            self._tell(now)

    def _tell(self, now):
        turn = self._turn = (self._turn + 1) % len(self._modules)
        module = self._modules[turn]
        used = module.owner.used
        self.keys[K_MODULE + turn] = used
        message = self._message
        message.word(0, self._names[turn])
        message.word(1, b"fault" if module.faults else b"ok")
        message.number(2, now * 1000)
        message.number(3, module.faults)
        message.number(4, used)
        self.post.send(self.owner, HEALTH, message.buf)
