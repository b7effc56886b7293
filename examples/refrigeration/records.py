# The HACCP log: a record of 46 bytes a second, filled in the block that becomes the event; five of
# them at a time go to flash.
import binascii
import struct

import mempool
from eventbus import HIGH, bus

from .part import Part

FLUSH_S = 5
# Number, time in ms, five temperatures, eight flags, cell, check sum of the rest.
RECORD = "<II5i8B8sH"
SIZE = 46
_CRC_AT = 44
_CELL = b"CELL-001"


class Haccp(Part):
    """Writes the records: HIGH, because the law wants them and they must not make way."""

    def __init__(self, site):
        super().__init__(site, "haccp")
        self.written = 0
        self.lost = 0

    def second(self, now):
        site = self.site
        block = bus.block(SIZE)
        struct.pack_into(
            RECORD,
            block,
            0,
            self.written,
            now * 1000,
            site.chamber_temp,
            site.evaporator_temp,
            site.product_temp,
            site.ambient_temp,
            site.setpoint,
            site.compressor,
            site.evaporator_fan,
            site.defrost_heater,
            site.light,
            site.door,
            site.defrost,
            site.high_temperature | site.low_temperature << 1 | site.door_open << 2,
            site.probe_dead,
            _CELL,
            0,
        )
        struct.pack_into("<H", block, _CRC_AT, binascii.crc32(block) & 0xFFFF)
        if bus.publish("haccp.record", block, HIGH):
            self.written += 1  # the block is the bus's now, and `block` is empty
        else:
            block.free()
            self.lost += 1


class Logger(Part):
    """The flash: keeps copies in its own quota, and writes and checks them every five seconds."""

    def __init__(self, site):
        super().__init__(site, "logger", 8 * 64)
        self.records = 0
        self.wrong = 0
        self.lost = 0
        self.forget = False  # for the proofs' own test: the next record is not given back
        self._waiting = [0] * FLUSH_S
        self._count = 0
        self._copy = bytearray(SIZE)

    def init(self):
        self.on("haccp.record", self._record)

    def _record(self, event):
        if self._count == FLUSH_S:
            self._flush()
        handle = self.hold(event.raw)
        if handle < 0:  # no room: what waits goes to flash, and this one is missing there
            self._flush()
            self.records += 1
            self.lost += 1
            return
        self._waiting[self._count] = handle
        self._count += 1

    def second(self, now):
        if now % FLUSH_S == 0:
            self._flush()
            self.site.records = self.records

    def stop(self):
        self._flush()
        return super().stop()

    def _flush(self):
        for at in range(self._count):
            handle = self._waiting[at]
            mempool.read(handle, 0, self._copy)
            self._check(self._copy)
            if self.forget:
                self.forget = False
            else:
                mempool.give(handle)
        self._count = 0

    def _check(self, record):
        crc = record[_CRC_AT] | record[_CRC_AT + 1] << 8
        record[_CRC_AT] = record[_CRC_AT + 1] = 0
        number = record[0] | record[1] << 8 | record[2] << 16 | record[3] << 24
        if number != self.records or binascii.crc32(record) & 0xFFFF != crc:
            self.wrong += 1
        self.records += 1
