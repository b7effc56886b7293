# What every module of the controller is made of: a mailbox, a Block to read from, a Block to
# write to, and one update a second that reads all mail first. And the table of 53 scalars that
# they share.
import struct

import appmodule
import mempool

from .post import REQUEST, Mailbox

COMPRESSOR, FAN, HEATER, LIGHT, BUZZER = range(5)
ROLES = (b"compressor", b"evaporator_fan", b"defrost_heater", b"light", b"buzzer")
RESUME = 255  # role of the request that ends an emergency stop

ALARMS = (b"high_temperature", b"low_temperature", b"door_open", b"sensor_failed")

# The scalars of telemetry: name, change that is worth a message (0: only at the heartbeat).
KEYS = (
    ("chamber_mc", 150),
    ("evaporator_mc", 500),
    ("product_mc", 100),
    ("ambient_mc", 1000),
    ("setpoint_mc", 1),
    ("compressor", 1),
    ("fan", 1),
    ("heater", 1),
    ("light", 1),
    ("buzzer", 1),
    ("door", 1),
    ("defrost", 1),
    ("emergency", 1),
    ("sensor_failed", 1),
    ("wifi", 1),
    ("high_alarm", 1),
    ("low_alarm", 1),
    ("door_alarm", 1),
    ("sensor_alarm", 1),
    ("starts", 1),
    ("run_s", 0),
    ("defrosts", 1),
    ("openings", 1),
    ("records", 0),
    ("errors", 10),
    ("commands", 0),
    ("refused", 0),
    ("batches", 0),
    ("backfill", 0),
    ("uptime_s", 0),
    ("mem_used", 0),
    ("mem_peak", 0),
    ("mem_free", 0),
    ("mem_level", 1),
    ("mem_allocs", 0),
    ("mem_failures", 1),
    ("mem_refused", 1),
    ("mem_denied", 1),
    ("mem_waste", 0),
    ("largest_free", 0),
    ("queue_high", 0),
    ("m_health", 0),
    ("m_network", 0),
    ("m_telemetry", 0),
    ("m_logger", 0),
    ("m_actuators", 0),
    ("m_alarms", 0),
    ("m_haccp", 0),
    ("m_control", 0),
    ("m_defrost", 0),
    ("m_door", 0),
    ("m_sensors", 0),
    ("check", 1),
)
INDEX = {name: index for index, (name, _) in enumerate(KEYS)}
(K_CHAMBER, K_COIL, K_PRODUCT, K_AMBIENT, K_SETPOINT, K_COMPRESSOR) = range(6)
K_DOOR = INDEX["door"]
K_DEFROST = INDEX["defrost"]
K_EMERGENCY = INDEX["emergency"]
K_SENSOR_FAILED = INDEX["sensor_failed"]
K_WIFI = INDEX["wifi"]
K_ALARM = INDEX["high_alarm"]
K_MEMORY = INDEX["mem_used"]
K_MODULE = INDEX["m_health"]


class Site:
    """What the modules share: the world, the post and the table of scalars."""

    def __init__(self, world, post):
        self.world = world
        self.post = post
        self.keys = [0] * len(KEYS)
        self.keys[K_SETPOINT] = 4000
        self.keys[K_CHAMBER] = world.air // 1000
        self.keys[K_COIL] = world.coil // 1000


class Part(appmodule.Module):
    """Override receive(topic, message) and second(now_s)."""

    def __init__(self, site, name, quota, depth=8):
        super().__init__(name, quota)
        self.site = site
        self.world = site.world
        self.post = site.post
        self.keys = site.keys
        self.inbox = Mailbox(depth)
        self.received = 0
        self.forget = False  # for the demo's own test: the next message is not given back
        self._denied_before = self.owner.denied  # an owner may live on from an earlier run
        self._rx = self.block()
        self._tx = self.block()

    def receive(self, topic, message):
        pass

    def second(self, now):
        pass

    def update(self):
        self.read_mail()
        self.second(self.world.now_s)

    def stop(self):
        """Reads what is still on its way, so that nothing is lost, and gives back the rest."""
        self.read_mail()
        return super().stop()

    def denied(self):
        """Requests beyond the quota, in this run."""
        return self.owner.denied - self._denied_before

    def read_mail(self):
        inbox = self.inbox
        rx = self._rx
        topic = inbox.next(rx)  # also gives back what an exception left in rx
        while topic >= 0:
            self.received += 1
            self.receive(topic, rx)
            if self.forget:
                self.forget = False
                rx.detach()
            topic = inbox.next(rx)

    def request(self, role, value):
        """Asks the actuators for something -> True where it was sent. 8 bytes, packed in place."""
        tx = self._tx
        try:
            self.owner.alloc_into(tx, 8)
        except MemoryError:
            self.post.lost[REQUEST] += 1
            return False
        struct.pack_into("<BBHI", tx, 0, role, 0, value, self.world.now_s)
        return self.post.hand_over(REQUEST, tx.detach(), 8)

    def hold(self, message):
        """A copy of a message in a block of its own -> handle, negative where there is no room."""
        handle = self.owner.take(len(message))
        if handle > 0:
            mempool.write(handle, 0, message)
        return handle
