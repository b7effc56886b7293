# What the cloud sees: the scalars that changed every second, all 53 every 30 seconds, alarms that
# are repeated until someone has them, and the minutes of an outage afterwards, ten at a time.
import struct

import mempool

from .alarms import MESSAGE as ALARM_MESSAGE
from .part import INDEX, K_CHAMBER, K_COMPRESSOR, K_WIFI, KEYS, Part
from .post import ACK, ALARM, BATCH, COMMAND, MQTT_ALARM, STATE, WIFI

HEARTBEAT_S = 30
RESEND_S = 5 * 60
BACKFILL_S = 60
BACKFILL_BATCH = 10
# Records of an outage that are kept; then the oldest make way. The TINY blocks are not ours alone.
BACKFILL_DEPTH = min(96, mempool.TINY.count * 3 // 4)
BATCH_BYTES = 512
_STEP = 32
_ENTRY = 44  # room for the longest scalar or record
_MINUTE = "<IiiiBBH"

# The first letters of the actuators and of the alarms, as their messages have them.
_ROLE = {99: 0, 101: 1, 100: 2, 108: 3, 98: 4}
_KIND = {104: 0, 108: 1, 100: 2, 115: 3}


class Telemetry(Part):
    def __init__(self, site):
        super().__init__(site, "telemetry", 6144, 16)
        self.batches = 0
        self.heartbeats = 0
        self.kept = 0
        self.backfilled = 0
        self.overwritten = 0
        self.resent = 0
        self.acknowledged = 0
        self.commands = 0
        self._names = [b'"' + name.encode() + b'":' for name, _ in KEYS]
        self._formats = ["%ds" % len(name) for name in self._names]
        self._watched = bytes([i for i, key in enumerate(KEYS) if key[1]])
        self._limits = [key[1] for key in KEYS]
        self._last = list(self.keys)
        self._text = bytearray(BATCH_BYTES)
        # A batch is filled up with spaces to the next of these, so that no view is made for it.
        view = memoryview(self._text)
        self._views = [view[:size] for size in range(0, BATCH_BYTES + 1, _STEP)]
        self._length = 0
        self._entries = 0
        self._minute = bytearray(struct.calcsize(_MINUTE))
        self._ring = [0] * BACKFILL_DEPTH
        self._ring_first = 0
        self._ring_count = 0
        # By kind: the block with the alarm as it was last told, whether it is raised, and when to
        # repeat it.
        self._retained = [0] * 4
        self._raised = bytearray(4)
        self._resend = [0] * 4
        self._alarm = bytearray(len(ALARM_MESSAGE.buf))
        self._online = False

    def receive(self, topic, message):
        if topic == STATE:
            value = 0
            for at in range(-4, -1):
                digit = message[at]
                if digit != 32:
                    value = value * 10 + digit - 48
            self.keys[K_COMPRESSOR + _ROLE[message[13]]] = value
        elif topic == COMMAND:
            self.commands += 1
        elif topic == ALARM:
            self._retain(message)
        elif topic == ACK:
            self._acknowledge(message)
        elif topic == WIFI:
            self._online = message[10] == 99  # the c of "connected"
            self.keys[K_WIFI] = self._online
            for kind in range(4):
                self._resend[kind] = self.world.now_s

    def second(self, now):
        for kind in range(4):
            if self._retained[kind] and now >= self._resend[kind] and self._online:
                self._repeat(kind, now)
        if not self._online:
            if now % BACKFILL_S == 0:
                self._keep(now)
            return
        keys = self.keys
        if now % HEARTBEAT_S == 0:
            keys[INDEX["uptime_s"]] = now
            keys[INDEX["batches"]] = self.batches
            keys[INDEX["backfill"]] = self._ring_count
            keys[INDEX["commands"]] = self.commands
            keys[INDEX["queue_high"]] = self.inbox.high_water
            self.heartbeats += 1
            for index in range(len(keys)):
                self._add(index)
        else:
            last = self._last
            limits = self._limits
            for index in self._watched:
                change = keys[index] - last[index]
                if change >= limits[index] or -change >= limits[index]:
                    self._add(index)
        self._flush(b"}")
        if self._ring_count:
            self._backfill()

    def stop(self):
        """What nobody has acknowledged or fetched ends with the program."""
        self.read_mail()
        for kind in range(4):
            if self._retained[kind]:
                mempool.give(self._retained[kind])
                self._retained[kind] = 0
        while self._ring_count:
            self._drop_oldest()
        return super().stop()

    # ---- Batches: text in one buffer, sent as one message when it is full or complete.

    def _add(self, index):
        if self._length > BATCH_BYTES - _ENTRY:
            self._flush(b"}")
        name = self._names[index]
        text = self._text
        at = self._length
        text[at] = 44 if at else 123  # , or {
        struct.pack_into(self._formats[index], text, at + 1, name)
        self._length = at + 1 + len(name)
        self._put_number(self.keys[index])
        self._last[index] = self.keys[index]

    def _put_number(self, value):
        text = self._text
        at = self._length
        if value < 0:
            text[at] = 45
            at += 1
            value = -value
        digits = 1
        rest = value // 10
        while rest:
            digits += 1
            rest //= 10
        at += digits
        self._length = at
        while digits:
            digits -= 1
            at -= 1
            text[at] = 48 + value % 10
            value //= 10

    def _put(self, text):
        for byte in text:
            self._text[self._length] = byte
            self._length += 1

    def _flush(self, end):
        length = self._length
        if not length:
            return True
        self._put(end)
        while self._length % _STEP:
            self._put(b" ")
        sent = self.post.send(self.owner, BATCH, self._views[self._length // _STEP])
        self._length = 0
        self.batches += sent
        return sent

    # ---- Outage: a record of 20 bytes a minute, in a block of its own.

    def _keep(self, now):
        keys = self.keys
        minute = self._minute
        struct.pack_into(
            _MINUTE,
            minute,
            0,
            now,
            keys[K_CHAMBER],
            keys[K_CHAMBER + 1],
            keys[K_CHAMBER + 2],
            keys[K_COMPRESSOR],
            keys[K_COMPRESSOR + 1],
            0,
        )
        if self._ring_count == BACKFILL_DEPTH:
            self._drop_oldest()
            self.overwritten += 1
        handle = self.hold(minute)
        if handle < 0:
            self.overwritten += 1
            return
        self._ring[(self._ring_first + self._ring_count) % BACKFILL_DEPTH] = handle
        self._ring_count += 1
        self.kept += 1

    def _drop_oldest(self):
        mempool.give(self._ring[self._ring_first])
        self._ring_first = (self._ring_first + 1) % BACKFILL_DEPTH
        self._ring_count -= 1

    # The records go back only when the message that carries them is on its way.
    def _backfill(self):
        count = min(BACKFILL_BATCH, self._ring_count)
        self._put(b'{"backfill":[')
        for nth in range(count):
            mempool.read(self._ring[(self._ring_first + nth) % BACKFILL_DEPTH], 0, self._minute)
            self._put(b",[" if nth else b"[")
            fields = struct.unpack_from(_MINUTE, self._minute)
            for field in range(5):
                if field:
                    self._put(b",")
                self._put_number(fields[field])
            self._put(b"]")
        if self._flush(b"]}"):
            self.backfilled += count
            for _ in range(count):
                self._drop_oldest()

    # ---- Alarms: the last word on each kind is kept, and repeated until it is acknowledged;
    # while the alarm is raised, every five minutes after that too.

    def _retain(self, message):
        kind = _KIND[message[10]]
        if self._retained[kind]:
            mempool.give(self._retained[kind])
        self._retained[kind] = max(0, self.hold(message))
        self._raised[kind] = message[ALARM_MESSAGE.start(1)] == 116
        self._resend[kind] = self.world.now_s

    def _repeat(self, kind, now):
        mempool.read(self._retained[kind], 0, self._alarm)
        if self.post.send(self.owner, MQTT_ALARM, self._alarm):
            self.resent += 1
            self._resend[kind] = now + RESEND_S

    def _acknowledge(self, message):
        kind = _KIND[message[0]]
        self.acknowledged += 1
        if self._retained[kind] and not self._raised[kind] and message[1] == 102:  # "false"
            mempool.give(self._retained[kind])
            self._retained[kind] = 0
