# Keeps the cell at its setpoint: the thermostat with its fan, and the defrost every six hours.
from .part import (
    COMPRESSOR,
    FAN,
    HEATER,
    INDEX,
    K_CHAMBER,
    K_COIL,
    K_COMPRESSOR,
    K_DEFROST,
    K_EMERGENCY,
    K_SENSOR_FAILED,
    K_SETPOINT,
    Part,
)
from .post import DOOR, ERROR, READING, Template
from .sensors import AIR, IS_VALID, READINGS, VALUE

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
    """Thermostat: setpoint +- 0.5 degrees, by the readings that come in the mail."""

    def __init__(self, site):
        super().__init__(site, "control", 512, 8)
        self.fallback_s = 0
        self._valid_at = 0
        self._door_open = False
        self._cool = False
        self._ask_at = 0
        self._error = Template(
            '{"component":"control","error_code":',
            3,
            ',"severity":"critical","message":"air probe dead"}',
        )

    def receive(self, topic, message):
        if topic == DOOR:
            self._door_open = message[9] == 111  # the o of "open"
        elif topic == READING:
            letter = message[9]  # the first of chamber_temp, evaporator_temp, product_temp
            sensor = AIR if letter == 99 else 1 if letter == 101 else 2
            reading = READINGS[sensor]
            if message[reading.start(IS_VALID)] == 116:  # the t of "true"
                self.keys[K_CHAMBER + sensor] = reading.read_milli(message, VALUE)
                if sensor == AIR:
                    self._valid_at = self.world.now_s

    def second(self, now):
        keys = self.keys
        failed = now - self._valid_at > STALE_S
        if failed != keys[K_SENSOR_FAILED]:
            keys[K_SENSOR_FAILED] = failed
            if failed:
                self._error.number(0, 201)
                self.post.send(self.owner, ERROR, self._error.buf)
        if keys[K_DEFROST]:
            self._cool = False
        elif failed:
            self.fallback_s += 1
            self._cool = now % (FALLBACK_ON_S + FALLBACK_OFF_S) < FALLBACK_ON_S
        elif keys[K_CHAMBER] >= keys[K_SETPOINT] + HYSTERESIS_MC:
            self._cool = True
        elif keys[K_CHAMBER] <= keys[K_SETPOINT] - HYSTERESIS_MC:
            self._cool = False
        if now < self._ask_at or keys[K_EMERGENCY]:
            return
        if bool(keys[K_COMPRESSOR]) != self._cool:
            self.request(COMPRESSOR, 1 if self._cool else 0)
            self._ask_at = now + RETRY_S
        if keys[K_DEFROST] or self._door_open:
            fan = 0
        else:
            fan = 100 if keys[K_COMPRESSOR] else FAN_IDLE_PERCENT
        if fan != keys[K_COMPRESSOR + FAN]:
            self.request(FAN, fan)
            self._ask_at = now + 2


class Defrost(Part):
    """Heats the evaporator until it is free of ice, at most half an hour, and lets it drip."""

    def __init__(self, site):
        super().__init__(site, "defrost", 256, 4)
        self.count = 0
        self.longest_s = 0
        self._next = FIRST_DEFROST_S
        self._began = 0
        self._drip_until = 0
        self._ask_at = 0

    def second(self, now):
        keys = self.keys
        if not keys[K_DEFROST]:
            if now >= self._next and not keys[K_EMERGENCY]:
                self._next += DEFROST_EVERY_S
                self._began = now
                self._drip_until = 0
                keys[K_DEFROST] = 1
            return
        if self._drip_until:
            if now >= self._drip_until:
                keys[K_DEFROST] = 0
            self._heat(0, now)
            return
        heating = now - self._began
        if heating >= DEFROST_MAX_S or keys[K_COIL] >= DEFROST_END_MC or keys[K_EMERGENCY]:
            self.count += 1
            keys[INDEX["defrosts"]] = self.count
            self.longest_s = max(self.longest_s, heating)
            self._drip_until = now + DRIP_S
            self._heat(0, now)
        else:
            self._heat(1, now)

    # Asks again while the answer is another: the heater waits for the compressor to be off.
    def _heat(self, on, now):
        if self.keys[K_COMPRESSOR + HEATER] != on and now >= self._ask_at:
            self.request(HEATER, on)
            self._ask_at = now + RETRY_S
