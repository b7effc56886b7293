# The Wi-Fi link and the broker behind it: takes telemetry, acknowledges alarms, and is sometimes
# away.
from eventbus import HIGH, bus

from .part import Part
from .telemetry import MINUTE_BYTES
from .world import WIFI_DOWN


class Network(Part):
    def __init__(self, site):
        super().__init__(site, "network")
        self.bytes = 0
        self.minutes = 0
        self.in_the_air = 0  # what came to a link that had just gone
        self.outages = 0
        self._up = False
        self._told = None

    def init(self):
        self.on("telemetry.batch", self._batch)
        self.on("telemetry.backfill", self._backfill)
        self.on("telemetry.alarm", self._alarm)

    def _batch(self, event):
        if self._up:
            self.bytes += len(event.raw)  # read where it lies, without a copy
        else:
            self.in_the_air += 1

    def _backfill(self, event):
        self.bytes += len(event.raw)
        self.minutes += len(event.raw) // MINUTE_BYTES

    def _alarm(self, event):
        if self._up:
            bus.publish(
                "telemetry.ack", alarm=event["alarm"], active=event["active"], priority=HIGH
            )
        else:
            self.in_the_air += 1

    def second(self, now):
        self._up = not self.world.faults[WIFI_DOWN]
        if self._up == self._told:
            return
        if self._up:
            told = bus.publish("wifi.connected", ssid="coldroom", ip_address="192.168.4.21")
        else:
            told = bus.publish("wifi.disconnected", ssid="coldroom", reason=8)
        if told:  # else again in the next second
            self._told = self._up
            if not self._up:
                self.outages += 1
