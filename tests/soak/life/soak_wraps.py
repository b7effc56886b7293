# Counters that run for years, set to a little below the values where something could happen to
# them: at the start of each life all of them, and again one or two each simulated hour. What
# crosses is counted by name, and the soak says at its end what never did.
import _soak
from eventbus import bus
from soak_state import Broken

_HALF, _FULL = 1 << 31, 1 << 32
_BORDERS = {
    "generation": (1 << 16, 1 << 17),
    "bus.timed": (_HALF,),  # it is halved there, with the sum that it belongs to
    "epoch": (_HALF, _FULL),
}
_CLOCKS = (
    ("time.ticks_us", 1, 1 << 30),
    ("time.ticks_ms", 1000, 1 << 30),
    ("us of 32 bits", 1, _FULL),
    ("ms of 32 bits", 1000, _FULL),
)
# The epoch belongs to the Blocks of a life, so it is set before there are any. No class is larger
# than XLARGE, which therefore spills nothing.
NOT_WITHIN = ("epoch", "XLARGE.spills")
_SUB_GENERATIONS = (0x7FFF, 0xFFFF, 0x3FFFFF, 0x7FFFFF)  # the last one may be one of these


class Wraps:
    def __init__(self, state, chance):
        self._state = state
        self._chance = chance
        self._names = _soak.counters()
        self._sub_max = self._last_sub_generation()
        self._last = [0] * len(self._names)
        self._clock_s = _soak.now_s()
        self._tick = _soak.tick()
        self.remember()

    def _last_sub_generation(self):
        """What the bus lets come round, found by letting it."""
        counter = self._names.index("sub.generation")
        for last in _SUB_GENERATIONS:
            _soak.set(counter, last)
            bus.subscribe("soak.full", print).cancel()
            if _soak.get(counter) < last:
                return last
        raise Broken("the generation of a subscription does not come round")

    def borders(self, name):
        if name == "sub.generation":
            return (self._sub_max + 1,)
        return _BORDERS.get(name, (_HALF, _FULL))

    def set(self, name, most=6):
        """Below the one of its borders that was least often crossed: a few steps more cross it."""
        _, _, border = min(
            (self._crossings(name, border), self._chance.below(64), border)
            for border in self.borders(name)
        )
        _soak.set(self._names.index(name), border - 1 - self._chance.below(most))

    def set_all(self):
        for name in self._names:
            if name not in NOT_WITHIN:
                self.set(name)
        self.remember()

    def set_some(self):
        """Two of those that were least often crossed, and one by chance."""
        ranks = [
            (
                min(self._crossings(name, b) for b in self.borders(name)),
                self._chance.below(64),
                name,
            )
            for name in self._names
            if name not in NOT_WITHIN
        ]
        ranks.sort()
        by_chance = ranks[self._chance.below(len(ranks))]
        for _, _, name in (ranks[0], ranks[1], by_chance):
            self.set(name)
        self.remember()

    def _crossings(self, name, border):
        return self._state["wraps"].get(_title(name, border), 0)

    def remember(self):
        for nth in range(len(self._names)):
            self._last[nth] = _soak.get(nth)

    def look(self):
        """What has crossed since the last look."""
        for nth in range(len(self._names)):
            name = self._names[nth]
            before, now = self._last[nth], _soak.get(nth)
            for border in self.borders(name):
                if name == "bus.timed":
                    crossed = now < before
                elif border == _HALF or border == 1 << 16:
                    crossed = before < border <= now
                else:
                    crossed = now < before and before >= border // 2
                if crossed:
                    self.crossed(name, border)
            self._last[nth] = now
        self._look_at_clocks()

    def crossed(self, name, border):
        self._state.count("wraps", _title(name, border))

    def _look_at_clocks(self):
        before, now = self._clock_s, _soak.now_s()
        for name, unit, border in _CLOCKS:
            per_second = 1000000 if unit == 1 else 1000
            count = now * per_second // border - before * per_second // border
            if count:
                self._state.count("wraps", _title(name, border), count)
        self._clock_s = now
        tick = _soak.tick()
        if self._tick < _HALF <= tick:
            self.crossed("coarse tick", _HALF)
        elif tick < self._tick:
            self.crossed("coarse tick", _FULL)
        self._tick = tick

    def all_names(self):
        """Every crossing that there can be."""
        found = []
        for name in self._names:
            if name == "XLARGE.spills":
                continue
            for border in self.borders(name):
                found.append(_title(name, border))
        for name, _, border in _CLOCKS:
            found.append(_title(name, border))
        for name in ("coarse tick", "uptime", "telemetry.seq"):
            found += ["%s at 2^31" % name, "%s at 2^32" % name]
        return found + ["blackbox.number at 2^30"]


def _title(name, border):
    return "%s at 2^%d" % (name, _bits(border))


def _bits(border):
    bits = 0
    while border > 1:
        border >>= 1
        bits += 1
    return bits
