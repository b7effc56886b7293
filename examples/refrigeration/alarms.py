# Tells people: too warm or too cold for half an hour, the door open for five minutes, a dead
# probe.
from .part import ALARMS, BUZZER, K_ALARM, K_CHAMBER, K_DOOR, K_SENSOR_FAILED, Part
from .post import ALARM, UPDATED, Template
from .sensors import UPDATE

HIGH_MC = 10000
LOW_MC = -2000
TEMPERATURE_S = 30 * 60
DOOR_S = 5 * 60
SENSOR_S = 60
DELAYS_S = (TEMPERATURE_S, TEMPERATURE_S, DOOR_S, SENSOR_S)
MESSAGE = Template('{"alarm":"', 18, '","active":', 5, ',"value":', 7, ',"since_ms":', 10, "}")


class Alarms(Part):
    def __init__(self, site):
        super().__init__(site, "alarms", 512, 4)
        self.raised = bytearray(4)  # times, by kind
        self.active = bytearray(4)
        self.lowest_mc = 85000
        self.highest_mc = -85000
        self._since = [0, 0, 0, 0]  # second from which the condition holds, 0 where it does not
        self._air_mc = self.keys[K_CHAMBER]

    def receive(self, topic, message):
        if topic == UPDATED:
            self._air_mc = air = UPDATE.read_milli(message, 0)
            if air < self.lowest_mc:
                self.lowest_mc = air
            if air > self.highest_mc:
                self.highest_mc = air

    def second(self, now):
        self._watch(0, self._air_mc > HIGH_MC, now)
        self._watch(1, self._air_mc < LOW_MC, now)
        self._watch(2, self.keys[K_DOOR], now)
        self._watch(3, self.keys[K_SENSOR_FAILED], now)

    def _watch(self, kind, holds, now):
        since = self._since
        if not holds:
            since[kind] = 0
            if self.active[kind] and self._tell(kind, False, now):
                self.active[kind] = 0
                self.keys[K_ALARM + kind] = 0
                if not any(self.active):
                    self.request(BUZZER, 0)
        elif not since[kind]:
            since[kind] = now
        elif now - since[kind] >= DELAYS_S[kind] and not self.active[kind]:
            if self._tell(kind, True, now):  # else again in the next second
                self.active[kind] = 1
                self.raised[kind] += 1
                self.keys[K_ALARM + kind] = 1
                self.request(BUZZER, 1)

    def _tell(self, kind, active, now):
        message = MESSAGE
        message.word(0, ALARMS[kind])
        message.word(1, b"true" if active else b"false")
        message.milli(2, self._air_mc)
        message.number(3, (self._since[kind] or now) * 1000)
        return self.post.send(self.owner, ALARM, message.buf)
