# What the cloud sees: the scalars that changed every second, all 53 every 30 seconds, alarms that
# are repeated until someone has them, and the minutes of an outage afterwards, ten at a time.
import struct
from collections import deque

import mempool
from eventbus import HIGH, LOW, bus

from .part import ALARMS, SCALARS, Part

HEARTBEAT_S = 30
RESEND_S = 5 * 60
_NEVER_S = 1 << 29
BACKFILL_S = 60
BACKFILL_BATCH = 10
_SCALAR = "<Bi"  # number of the scalar, value
_SCALAR_BYTES = 5
_MINUTE = "<IiiiBBH"
MINUTE_BYTES = 20
# A minute of an outage is a TINY block of this module's quota. When the quota is used up the
# oldest minute makes way. The TINY blocks are not ours alone.
_QUOTA = min(96, mempool.TINY.count * 3 // 4) * mempool.TINY.block_size


class Telemetry(Part):
    def __init__(self, site):
        super().__init__(site, "telemetry", _QUOTA)
        self.batches = 0
        self.kept = 0
        self.backfilled = 0
        self.overwritten = 0
        self.resent = 0
        self.acknowledged = 0
        self.commands = 0
        self.troubled = 0  # reports of modules that had faults
        self._last = [0] * len(SCALARS)  # as they were last told
        self._changed = bytearray(len(SCALARS))
        self._minute = bytearray(MINUTE_BYTES)
        self._minutes = deque([], 128)  # handles
        self._retained: dict = {
            alarm: None for alarm in ALARMS
        }  # the event with the last word on it
        self._resend = {alarm: _NEVER_S for alarm in ALARMS}
        self._online = False

    def init(self):
        self.on("state.*", self._state)
        self.on("actuator.command", self._command)
        self.on("system.module_health", self._module_health)
        self.on("alarm.*", self._alarm)
        self.on("telemetry.ack", self._acknowledge)
        self.on("wifi.*", self._wifi)

    def _state(self, event):
        setattr(self.site, event["role"], event["value"])

    def _command(self, event):
        self.commands += 1

    def _module_health(self, event):
        self.troubled += event["faults"] > 0

    def _wifi(self, event):
        self._online = "ip_address" in event
        self.site.wifi = int(self._online)
        for alarm in ALARMS:
            if self._resend[alarm] < _NEVER_S:
                self._resend[alarm] = 0

    def second(self, now):
        if not self._online:
            if now % BACKFILL_S == 0:
                self._keep(now)
            return
        for alarm in ALARMS:
            if now >= self._resend[alarm]:
                self._repeat(alarm, now)
        self._batch(now)
        if self._minutes:
            self._backfill()

    def stop(self):
        """What is retained, or was not fetched, ends with the program."""
        for alarm in ALARMS:
            self._retain(alarm, None)
        while self._minutes:
            mempool.give(self._minutes.popleft())
        return super().stop()

    # ---- Batches: written into the block that becomes the event.

    def _batch(self, now):
        site = self.site
        last = self._last
        changed = self._changed
        count = 0
        everything = now % HEARTBEAT_S == 0
        if everything:
            site.uptime_s = now
            site.batches = self.batches
            site.backfill = len(self._minutes)
            site.commands = self.commands
            site.queue_high = bus.stats().high_water
        for index in range(len(SCALARS)):
            name, change = SCALARS[index]
            if everything or (change and abs(getattr(site, name) - last[index]) >= change):
                changed[count] = index
                count += 1
        if not count:
            return
        block = bus.block(count * _SCALAR_BYTES)
        for nth in range(count):
            index = changed[nth]
            last[index] = value = getattr(site, SCALARS[index][0])
            struct.pack_into(_SCALAR, block, nth * _SCALAR_BYTES, index, value)
        if bus.publish("telemetry.batch", block, LOW):
            self.batches += 1
        else:
            block.free()  # the next heartbeat has it all

    # ---- Outage: a record of 20 bytes a minute, in a block of its own.

    def _keep(self, now):
        site = self.site
        struct.pack_into(
            _MINUTE,
            self._minute,
            0,
            now,
            site.chamber_temp,
            site.evaporator_temp,
            site.product_temp,
            site.compressor,
            site.evaporator_fan,
            0,
        )
        handle = self.hold(self._minute)
        if handle < 0 and self._minutes:
            mempool.give(self._minutes.popleft())
            self.overwritten += 1
            handle = self.hold(self._minute)
        if handle > 0:
            self._minutes.append(handle)
            self.kept += 1

    # The records go back only when the event that carries them is on its way.
    def _backfill(self):
        count = min(BACKFILL_BATCH, len(self._minutes))
        block = bus.block(count * MINUTE_BYTES)
        for nth in range(count):
            mempool.read(self._minutes[nth], 0, self._minute)
            struct.pack_into("20s", block, nth * MINUTE_BYTES, self._minute)
        if not bus.publish("telemetry.backfill", block):
            block.free()
            return
        self.backfilled += count
        for _ in range(count):
            mempool.give(self._minutes.popleft())

    # ---- Alarms: the last word on each is kept, and repeated every five minutes until the broker
    # has acknowledged that it is over.

    def _alarm(self, event):
        alarm = event["alarm"]
        self._retain(alarm, event.keep())
        self._resend[alarm] = 0

    def _retain(self, alarm, event):
        if self._retained[alarm]:
            self._retained[alarm].free()
        self._retained[alarm] = event

    def _repeat(self, alarm, now):
        event = self._retained[alarm]
        if bus.publish(
            "telemetry.alarm",
            alarm=alarm,
            active=event["active"],
            value=event["value"],
            since_ms=event["since_ms"],
            priority=HIGH,
        ):
            self.resent += 1
            self._resend[alarm] = now + RESEND_S

    def _acknowledge(self, event):
        alarm = event["alarm"]
        self.acknowledged += 1
        if not event["active"] and not self._retained[alarm]["active"]:
            self._resend[alarm] = _NEVER_S
