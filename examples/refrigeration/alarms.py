# Tells people: too warm or too cold for half an hour, the door open for five minutes, a dead
# probe.
from eventbus import HIGH, bus

from .part import ALARMS, Part

HIGH_MC = 10000
LOW_MC = -2000
TEMPERATURE_S = 30 * 60
DOOR_S = 5 * 60
SENSOR_S = 60
DELAYS_S = (TEMPERATURE_S, TEMPERATURE_S, DOOR_S, SENSOR_S)
_TOPICS = tuple(["alarm." + name for name in ALARMS])


class Alarms(Part):
    def __init__(self, site):
        super().__init__(site, "alarms")
        self.raised = bytearray(4)  # times, by kind
        self.active = bytearray(4)
        self.lowest_mc = 85000
        self.highest_mc = -85000
        self._since = [0, 0, 0, 0]  # second from which the condition holds, 0 where it does not
        self._air_mc = self.site.chamber_temp

    def init(self):
        self.on("sensor.temperature.updated", self._updated)
        for kind in range(4):
            self._tell(kind, False, 0)

    def _updated(self, event):
        self._air_mc = air = event["value"]
        if air < self.lowest_mc:
            self.lowest_mc = air
        if air > self.highest_mc:
            self.highest_mc = air

    def second(self, now):
        self._watch(0, self._air_mc > HIGH_MC, now)
        self._watch(1, self._air_mc < LOW_MC, now)
        self._watch(2, self.site.door, now)
        self._watch(3, self.site.probe_dead, now)

    def _watch(self, kind, holds, now):
        since = self._since
        if not holds:
            since[kind] = 0
            if self.active[kind] and self._tell(kind, False, now):
                self.active[kind] = 0
                setattr(self.site, ALARMS[kind], 0)
                if not any(self.active):
                    self.request("buzzer", 0)
        elif not since[kind]:
            since[kind] = now
        elif now - since[kind] >= DELAYS_S[kind] and not self.active[kind]:
            if self._tell(kind, True, now):  # else again in the next second
                self.active[kind] = 1
                self.raised[kind] += 1
                setattr(self.site, ALARMS[kind], 1)
                self.request("buzzer", 1)

    def _tell(self, kind, active, now):
        return bus.publish(
            _TOPICS[kind],
            alarm=ALARMS[kind],
            active=active,
            value=self._air_mc,
            since_ms=(self._since[kind] or now) * 1000,
            priority=HIGH,
        )
