# What the controller feels: three temperature probes, the emergency stop and the door switch,
# with the faults that come in real life (a dead probe, a noisy bus).
import time

from eventbus import CRITICAL, HIGH, bus

from .part import Part
from .world import NOISE, SENSOR_DEAD, STOP_PRESSED

NOISE_ERRORS = 20  # failed reads a second while the bus is disturbed
DOOR_EVERY_S = 60


def _sixteenths(mc):
    return mc * 2 // 125 * 125 // 2


class Sensors(Part):
    def __init__(self, site):
        super().__init__(site, "sensors")
        self.errors = 0
        self._pressed = 0

    def second(self, now):
        world = self.world
        dead = world.faults[SENSOR_DEAD]
        noise = world.random
        # A DS18B20 counts in sixteenths of a degree; a dead one reads 85 degrees, as they do.
        air = 85000 if dead else _sixteenths(world.probe_air // 1000 + noise.below(61) - 30)
        self._tell("chamber_temp", "DS18B20", air, not dead)
        # An NTC is noisy and read at 10 Hz: the mean of a second's ten samples.
        total = 0
        for _ in range(10):
            total += world.probe_coil // 1000 + noise.below(401) - 200
        self._tell("evaporator_temp", "NTC", total // 10, True)
        if now % 10 == 0:
            self._tell("product_temp", "DS18B20", _sixteenths(world.product // 1000), True)
            self.site.ambient_temp = world.ambient // 1000
        if not dead:
            bus.publish("sensor.temperature.updated", value=air, unit="mC")
        if world.faults[NOISE]:
            self._complain()
        self._button(world.faults[STOP_PRESSED])

    def _tell(self, role, kind, value, is_valid):
        bus.publish(
            "sensor.reading",
            role=role,
            type=kind,
            value=value,
            unit="mC",
            timestamp_ms=self.world.now_s * 1000,
            is_valid=is_valid,
        )

    # A disturbed bus makes an error out of every read: more than the queue has room for. What is
    # less urgent makes way for them.
    def _complain(self):
        for _ in range(NOISE_ERRORS):
            self.errors += bus.publish(
                "system.error",
                component="sensors",
                error_code=101,
                severity="warning",
                message="bus CRC",
                priority=HIGH,
            )

    def _button(self, pressed):
        if pressed == self._pressed:
            return
        if pressed:
            now_us = time.ticks_us()
            told = bus.publish("actuator.emergency_stop", priority=CRITICAL, pressed_us=now_us)
        else:
            told = bus.publish("actuator.resume", priority=HIGH)
        if told:  # else again in the next second
            self._pressed = pressed


class Door(Part):
    """The switch on the door, and the light behind it."""

    def __init__(self, site):
        super().__init__(site, "door")
        self.openings = 0
        self._open = False
        self._tell_at = 0

    def second(self, now):
        is_open = self.world.door_open
        if is_open != self._open:
            self._open = is_open
            self._tell_at = 0
            self.site.door = is_open
            self.openings += is_open
            self.site.openings = self.openings
            self.request("light", int(is_open))
        if now >= self._tell_at and bus.publish(
            "state.door", role="door", on=is_open, value=int(is_open), since_ms=now * 1000
        ):
            self._tell_at = now + DOOR_EVERY_S
