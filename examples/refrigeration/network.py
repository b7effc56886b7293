# The Wi-Fi link and the broker behind it: takes telemetry, acknowledges alarms, and is sometimes
# away. And it is the module that does wrong where the demo is asked to: it forgets a block a
# minute, or takes all there are.
import mempool
from eventbus import HIGH, bus

from .part import Part
from .telemetry import MINUTE_BYTES
from .world import WIFI_DOWN

FORGETS_S = 60
_SCRAP = b"a packet that was lost"


class Network(Part):
    def __init__(self, site):
        super().__init__(site, "network")
        self.bytes = 0
        self.minutes = 0
        self.in_the_air = 0  # what came to a link that had just gone
        self.outages = 0
        self._up = False
        self._told = None
        self._forgets = self._takes_all = False
        self._taken = []

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

    def forget(self):
        """From now on it forgets one block a minute; no quota is in its way."""
        mempool.Owner(self.name, 0)
        self._forgets = True

    def take_all(self):
        """From now on it takes all that it gets, some blocks of each pool a second."""
        mempool.Owner(self.name, 0)
        self._takes_all = True

    def _take_some(self):
        for pool in mempool.pools():
            for _ in range(pool.count // 16 + 1):
                handle = self.owner.take(pool.block_size)
                if handle > 0:
                    self._taken.append(handle)

    def stop(self):
        while self._taken:
            mempool.give(self._taken.pop())
        return super().stop()

    def taken_back(self):
        self._taken.clear()

    def second(self, now):
        if self._forgets and now % FORGETS_S == 0:
            self.hold(_SCRAP)
        if self._takes_all:
            self._take_some()
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
