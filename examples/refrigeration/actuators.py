# Drives compressor, fan, heater, light and buzzer: obeys requests, keeps the compressor's times
# and the interlocks whoever asks, stops everything in an emergency, and tells the state of all
# five at 10 Hz.
import time

from eventbus import HIGH, bus

from .part import ACTUATORS, Part

MIN_OFF_S = 180
SAFE_STATE = 2  # site.emergency: not the button, but a program that cannot go on
MIN_ON_S = 60
_STATES = tuple([("state." + role, role) for role in ACTUATORS])


class Actuators(Part):
    def __init__(self, site):
        super().__init__(site, "actuators")
        self.value = {role: 0 for role in ACTUATORS}
        self.starts = 0
        self.run_s = 0
        self.shortest_on = self.shortest_off = 86400
        self.refused = 0
        self.emergencies = 0
        self.stop_latency_us = 0
        self.safe = False
        self.tells = 2  # each state so many times a second: 10 Hz in all
        self._changed = -MIN_OFF_S  # second of the compressor's last change

    def init(self):
        self.on("actuator.request", self._obey)
        self.on("actuator.emergency_stop", self._emergency)
        self.on("actuator.resume", self._resume)

    # What the real loop tells in one second at 10 Hz, in a row: each of the five twice.
    def second(self, now):
        if self.site.emergency == SAFE_STATE and not self.safe:
            self._enter_safe_state()
        if self.value["compressor"]:
            self.run_s += 1
            self.site.run_s = self.run_s
        for _ in range(self.tells):
            for topic, role in _STATES:
                value = self.value[role]
                bus.publish(topic, role=role, on=value > 0, value=value)

    def stop(self):
        self.site.emergency = 1  # it may cut a run short
        self.safe = False
        self._all_off()
        return super().stop()

    def _obey(self, event):
        role = event["role"]
        value = event["value"]
        done = not self.site.emergency and self._allowed(role, value)
        if done:
            self._set(role, value)
        else:
            self.refused += 1
            self.site.refused = self.refused
        command = "on" if value else "off"
        bus.publish("actuator.command", role=role, command=command, success=done)

    def _allowed(self, role, value):
        if role == "defrost_heater":
            return not (value and self.value["compressor"])
        if role != "compressor" or bool(value) == bool(self.value["compressor"]):
            return True
        since = self.world.now_s - self._changed
        if value:
            return since >= MIN_OFF_S and not self.value["defrost_heater"]
        return since >= MIN_ON_S

    def _set(self, role, value):
        world = self.world
        if role == "compressor" and bool(value) != world.compressor:
            since = world.now_s - self._changed
            if value:
                self.starts += 1
                self.shortest_off = min(self.shortest_off, since)
            elif not self.site.emergency:
                self.shortest_on = min(self.shortest_on, since)
            self._changed = world.now_s
        self.value[role] = value
        world.compressor = self.value["compressor"] > 0
        world.fan_percent = self.value["evaporator_fan"]
        world.heater = self.value["defrost_heater"] > 0
        world.light = self.value["light"] > 0
        world.buzzer = self.value["buzzer"] > 0
        self.site.starts = self.starts

    # But for the buzzer of the safe state, which lasts whatever else happens.
    def _all_off(self):
        for role in ACTUATORS:
            self._set(role, int(self.safe and role == "buzzer"))

    # Told by a flag that is always there, and not by an event: there may be no block for one.
    def _enter_safe_state(self):
        self.safe = True
        self._all_off()

    def _emergency(self, event):
        self.stop_latency_us = time.ticks_diff(time.ticks_us(), event["pressed_us"])
        self.emergencies += 1
        if self.site.emergency != SAFE_STATE:
            self.site.emergency = 1
        self._all_off()
        self._tell_emergency(True)

    def _resume(self, event):
        if self.site.emergency == SAFE_STATE:
            return
        self.site.emergency = 0
        self._tell_emergency(False)

    def _tell_emergency(self, enabled):
        now_ms = self.world.now_s * 1000
        bus.publish(
            "system.emergency_mode",
            enabled=enabled,
            timestamp=now_ms,
            trigger="button",
            priority=HIGH,
        )
