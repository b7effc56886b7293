# Drives compressor, fan, heater, light and buzzer: obeys requests, keeps the compressor's times
# and the interlocks whoever asks, stops everything in an emergency, and tells the state of all
# five at 10 Hz.
from .part import (
    BUZZER,
    COMPRESSOR,
    FAN,
    HEATER,
    INDEX,
    K_EMERGENCY,
    LIGHT,
    RESUME,
    ROLES,
    Part,
)
from .post import COMMAND, EMERGENCY, REQUEST, STATE, STOP, Template

MIN_OFF_S = 180
MIN_ON_S = 60


class Actuators(Part):
    def __init__(self, site):
        super().__init__(site, "actuators", 2048, 8)
        self.value = bytearray(5)
        self.starts = 0
        self.run_s = 0
        self.shortest_on = self.shortest_off = 86400
        self.refused = 0
        self.emergencies = 0
        self._changed = -MIN_OFF_S  # second of the compressor's last change
        self._command = Template('{"role":"', 16, '","command":"', 4, '","success":', 5, "}")
        self._emergency = Template('{"enabled":', 5, ',"timestamp":', 10, ',"trigger":"button"}')
        self._states = []
        for role in ROLES:
            self._states.append(
                Template('{"actuator":"' + role.decode() + '","on":', 5, ',"value":', 3, "}")
            )
        for role in range(5):
            self._tell(role)

    def receive(self, topic, message):
        if topic == REQUEST:
            self._obey(message[0], message[2])
        elif topic == STOP:
            self._stop_all()

    # What the real loop sends in one second at 10 Hz, in a row: each of the five twice.
    def second(self, now):
        if self.value[COMPRESSOR]:
            self.run_s += 1
            self.keys[INDEX["run_s"]] = self.run_s
        post = self.post
        owner = self.owner
        states = self._states
        for _ in range(2):
            for state in states:
                post.send(owner, STATE, state.buf)

    def stop(self):
        self._all_off()
        return super().stop()

    def _obey(self, role, value):
        if role == RESUME:
            self.keys[K_EMERGENCY] = 0
            self._tell_emergency(b"false")
            return
        done = not self.keys[K_EMERGENCY] and self._allowed(role, value)
        if done:
            self._set(role, value)
        else:
            self.refused += 1
            self.keys[INDEX["refused"]] = self.refused
        command = self._command
        command.word(0, ROLES[role])
        command.word(1, b"on" if value else b"off")
        command.word(2, b"true" if done else b"false")
        self.post.send(self.owner, COMMAND, command.buf)

    def _allowed(self, role, value):
        if role == HEATER:
            return not (value and self.value[COMPRESSOR])
        if role != COMPRESSOR or bool(value) == bool(self.value[COMPRESSOR]):
            return True
        since = self.world.now_s - self._changed
        if value:
            return since >= MIN_OFF_S and not self.value[HEATER]
        return since >= MIN_ON_S

    def _set(self, role, value):
        world = self.world
        if role == COMPRESSOR and bool(value) != world.compressor:
            since = world.now_s - self._changed
            if value:
                self.starts += 1
                self.shortest_off = min(self.shortest_off, since)
            elif not self.keys[K_EMERGENCY]:
                self.shortest_on = min(self.shortest_on, since)
            self._changed = world.now_s
        if self.value[role] == value:
            return
        self.value[role] = value
        world.compressor = self.value[COMPRESSOR] > 0
        world.fan_percent = self.value[FAN]
        world.heater = self.value[HEATER] > 0
        world.light = self.value[LIGHT] > 0
        world.buzzer = self.value[BUZZER] > 0
        self.keys[INDEX["starts"]] = self.starts
        self._tell(role)

    def _tell(self, role):
        value = self.value[role]
        self._states[role].word(0, b"true" if value else b"false")
        self._states[role].number(1, value)

    def _all_off(self):
        for role in range(5):
            self._set(role, 0)

    def _stop_all(self):
        self.emergencies += 1
        self.keys[K_EMERGENCY] = 1
        self._all_off()
        self._tell_emergency(b"true")

    def _tell_emergency(self, enabled):
        message = self._emergency
        message.word(0, enabled)
        message.number(1, self.world.now_s * 1000)
        self.post.send(self.owner, EMERGENCY, message.buf)
