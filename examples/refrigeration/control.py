# Keeps the cell at its setpoint: the thermostat with its fan, and the defrost every six hours.
from eventbus import HIGH, bus

from .part import Part

HYSTERESIS_MC = 500
STALE_S = 10  # a probe that says nothing valid for so long has failed
FALLBACK_ON_S = 150  # without a probe: so long on, so long off, whatever the temperature
FALLBACK_OFF_S = 450
FAN_IDLE_PERCENT = 30
RETRY_S = 5

FIRST_DEFROST_S = 3600
DEFROST_EVERY_S = 6 * 3600
DEFROST_MAX_S = 30 * 60
DEFROST_END_MC = 8000  # the evaporator is free of ice
DRIP_S = 120


class Control(Part):
    """Thermostat: setpoint +- 0.5 degrees, by the readings that the sensors publish."""

    def __init__(self, site):
        super().__init__(site, "control")
        self.errors = 0
        self.fallback_s = 0
        self._valid_at = 0
        self._door_open = False
        self._cool = False
        self._ask_at = 0

    def init(self):
        self.on("sensor.reading", self._reading)
        self.on("state.door", self._door)

    def _reading(self, event):
        if event["is_valid"]:
            role = event["role"]
            setattr(self.site, role, event["value"])
            if role == "chamber_temp":
                self._valid_at = self.world.now_s

    def _door(self, event):
        self._door_open = event["on"]

    def second(self, now):
        site = self.site
        failed = int(now - self._valid_at > STALE_S)
        if failed != site.probe_dead:
            site.probe_dead = failed
            if failed:
                self.errors += bus.publish(
                    "system.error",
                    component="control",
                    error_code=201,
                    severity="critical",
                    message="air probe dead",
                    priority=HIGH,
                )
        if site.defrost:
            self._cool = False
        elif failed:
            self.fallback_s += 1
            self._cool = now % (FALLBACK_ON_S + FALLBACK_OFF_S) < FALLBACK_ON_S
        elif site.chamber_temp >= site.setpoint + HYSTERESIS_MC:
            self._cool = True
        elif site.chamber_temp <= site.setpoint - HYSTERESIS_MC:
            self._cool = False
        if now < self._ask_at or site.emergency:
            return
        if bool(site.compressor) != self._cool:
            self.request("compressor", int(self._cool))
            self._ask_at = now + RETRY_S
        if site.defrost or self._door_open:
            fan = 0
        else:
            fan = 100 if site.compressor else FAN_IDLE_PERCENT
        if fan != site.evaporator_fan:
            self.request("evaporator_fan", fan)
            self._ask_at = now + 2


class Defrost(Part):
    """Heats the evaporator until it is free of ice, at most half an hour, and lets it drip."""

    def __init__(self, site):
        super().__init__(site, "defrost")
        self.count = 0
        self.longest_s = 0
        self._next = FIRST_DEFROST_S
        self._began = 0
        self._drip_until = 0
        self._ask_at = 0

    def second(self, now):
        site = self.site
        if not site.defrost:
            if now >= self._next and not site.emergency:
                self._next += DEFROST_EVERY_S
                self._began = now
                self._drip_until = 0
                site.defrost = 1
            return
        if self._drip_until:
            if now >= self._drip_until:
                site.defrost = 0
            self._heat(0, now)
            return
        heating = now - self._began
        if heating >= DEFROST_MAX_S or site.evaporator_temp >= DEFROST_END_MC or site.emergency:
            self.count += 1
            site.defrosts = self.count
            self.longest_s = max(self.longest_s, heating)
            self._drip_until = now + DRIP_S
            self._heat(0, now)
        else:
            self._heat(1, now)

    # Asks again while the answer is another: the heater waits for the compressor to be off.
    def _heat(self, on, now):
        if self.site.defrost_heater != on and now >= self._ask_at:
            self.request("defrost_heater", on)
            self._ask_at = now + RETRY_S
