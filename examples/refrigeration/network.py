# The Wi-Fi link and the broker behind it: takes telemetry, acknowledges alarms, and is sometimes
# away.
from .alarms import MESSAGE as ALARM_MESSAGE
from .part import Part
from .post import ACK, BATCH, MQTT_ALARM, STARTED, WIFI, Template
from .world import WIFI_DOWN


class Network(Part):
    def __init__(self, site):
        super().__init__(site, "network", 512, 8)
        self.batches = 0
        self.alarms = 0
        self.bytes = 0
        self.in_the_air = 0  # what was sent to a link that had just gone
        self.outages = 0
        self._up = False
        self._told = None
        self._ack = bytearray(2)
        self._message = Template(
            '{"state":"', 12, '","ssid":"coldroom","ip_address":"', 12, '","reason":', 3, "}"
        )  # fmt: skip
        self._started = Template('{"event":"modules.initialized","uptime_ms":', 10, "}")

    def init(self):
        self._started.number(0, 0)
        self.post.send(self.owner, STARTED, self._started.buf)

    def stop(self):
        self._up = False  # who would hear an acknowledgement has stopped before
        return super().stop()

    def receive(self, topic, message):
        if not self._up:
            self.in_the_air += 1
            return
        self.bytes += len(message)
        if topic == BATCH:
            self.batches += 1
        elif topic == MQTT_ALARM:
            self.alarms += 1
            self._ack[0] = message[10]
            self._ack[1] = message[ALARM_MESSAGE.start(1)]
            self.post.send(self.owner, ACK, self._ack)

    def second(self, now):
        self._up = not self.world.faults[WIFI_DOWN]
        if self._up == self._told:
            return
        message = self._message
        message.word(0, b"connected" if self._up else b"disconnected")
        message.word(1, b"192.168.4.21" if self._up else b"")
        message.number(2, 0 if self._up else 8)
        if self.post.send(self.owner, WIFI, message.buf):  # else again in the next second
            self._told = self._up
            if not self._up:
                self.outages += 1
