# What the controller feels: three temperature probes, the emergency stop and the door switch,
# with the faults that come in real life (a dead probe, a noisy bus).
from .part import INDEX, K_AMBIENT, K_DOOR, LIGHT, RESUME, Part
from .post import DOOR, ERROR, READING, STOP, UPDATED, Template
from .world import NOISE, SENSOR_DEAD, STOP_PRESSED

AIR, COIL, PRODUCT = range(3)
NOISE_ERRORS = 20  # failed reads a second while the bus is disturbed
_STOP = b"{}"


def _reading(role, kind):
    return Template(
        '{"role":"' + role + '","type":"' + kind + '","reading":{"value":',
        7,
        ',"unit":"celsius","timestamp_ms":',
        10,
        ',"is_valid":',
        5,
        "}}",
    )


# Shared with the receiver, who finds a reading's fields where the template has them.
READINGS = (
    _reading("chamber_temp", "DS18B20"),
    _reading("evaporator_temp", "NTC"),
    _reading("product_temp", "DS18B20"),
)
VALUE, TIMESTAMP, IS_VALID = range(3)
UPDATE = Template('{"value":', 7, ',"unit":"C"}')


def _sixteenths(mc):
    return mc * 2 // 125 * 125 // 2


class Sensors(Part):
    def __init__(self, site):
        super().__init__(site, "sensors", 1536, 4)
        self.errors = 0
        self.suppressed = 0
        self._pressed = 0
        self._error = Template(
            '{"component":"sensors","error_code":',
            3,
            ',"severity":"warning","message":"bus CRC x',
            3,
            '"}',
        )

    def second(self, now):
        world = self.world
        dead = world.faults[SENSOR_DEAD]
        noise = world.random
        # A DS18B20 counts in sixteenths of a degree; a dead one reads 85 degrees, as they do.
        air = 85000 if dead else _sixteenths(world.probe_air // 1000 + noise.below(61) - 30)
        self._send(AIR, air, not dead)
        # An NTC is noisy and read at 10 Hz: the mean of a second's ten samples.
        total = 0
        for _ in range(10):
            total += world.probe_coil // 1000 + noise.below(401) - 200
        self._send(COIL, total // 10, True)
        if now % 10 == 0:
            self._send(PRODUCT, _sixteenths(world.product // 1000), True)
            self.keys[K_AMBIENT] = world.ambient // 1000
        if not dead:
            UPDATE.milli(0, air)
            self.post.send(self.owner, UPDATED, UPDATE.buf)
        self._bus(world.faults[NOISE])
        self._button(world.faults[STOP_PRESSED])

    def _send(self, sensor, value, valid):
        reading = READINGS[sensor]
        reading.milli(VALUE, value)
        reading.number(TIMESTAMP, self.world.now_s * 1000)
        reading.word(IS_VALID, b"true" if valid else b"false")
        self.post.send(self.owner, READING, reading.buf)

    # A disturbed bus makes an error out of every read. The quota keeps that from taking the
    # blocks of everybody else; what it denies is counted here and told in one message afterwards.
    def _bus(self, noisy):
        if noisy:
            for _ in range(NOISE_ERRORS):
                self.errors += 1
                if not self._tell_error(101, 1):
                    self.suppressed += 1
        elif self.suppressed and self._tell_error(102, min(self.suppressed, 999)):
            self.suppressed = 0

    def _tell_error(self, code, count):
        self._error.number(0, code)
        self._error.number(1, count)
        return self.post.send(self.owner, ERROR, self._error.buf)

    def _button(self, pressed):
        if pressed == self._pressed:
            return
        if pressed:
            sent = self.post.send(self.owner, STOP, _STOP)
        else:
            sent = self.request(RESUME, 1)
        if sent:  # else again in the next second
            self._pressed = pressed


class Door(Part):
    """The switch on the door, and the light behind it."""

    def __init__(self, site):
        super().__init__(site, "door", 256, 4)
        self.openings = 0
        self._open = False
        self._tell_at = 0
        self._message = Template('{"door":"', 6, '","since_ms":', 10, "}")

    def second(self, now):
        is_open = self.world.door_open
        if is_open != self._open:
            self._open = is_open
            self._tell_at = 0
            self.keys[K_DOOR] = is_open
            self.openings += is_open
            self.keys[INDEX["openings"]] = self.openings
            self.request(LIGHT, 1 if is_open else 0)
        if now >= self._tell_at:
            message = self._message
            message.word(0, b"open" if is_open else b"closed")
            message.number(1, now * 1000)
            if self.post.send(self.owner, DOOR, message.buf):
                self._tell_at = now + 60
