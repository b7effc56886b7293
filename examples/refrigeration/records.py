# The HACCP log: a record of 46 bytes a second, in a Struct; five of them at a time go to flash.
import binascii

import mempool
import uctypes

from .part import (
    INDEX,
    K_CHAMBER,
    K_COMPRESSOR,
    K_DEFROST,
    K_DOOR,
    K_SENSOR_FAILED,
    K_SETPOINT,
    LIGHT,
    Part,
)
from .post import RECORD

FLUSH_S = 5
SIZE = 46

LAYOUT = {
    "sequence": 0 | uctypes.UINT32,
    "time_ms": 4 | uctypes.UINT32,
    "chamber": 8 | uctypes.INT32,
    "evaporator": 12 | uctypes.INT32,
    "product": 16 | uctypes.INT32,
    "ambient": 20 | uctypes.INT32,
    "setpoint": 24 | uctypes.INT32,
    "compressor": 28 | uctypes.UINT8,
    "fan": 29 | uctypes.UINT8,
    "heater": 30 | uctypes.UINT8,
    "light": 31 | uctypes.UINT8,
    "door": 32 | uctypes.UINT8,
    "defrost": 33 | uctypes.UINT8,
    "alarms": 34 | uctypes.UINT8,
    "sensor_failed": 35 | uctypes.UINT8,
    "cell": (36 | uctypes.ARRAY, 8 | uctypes.UINT8),
    "crc": 44 | uctypes.UINT16,
}


class Haccp(Part):
    """Writes the records. The one it fills lives as long as the module, and goes back at stop."""

    def __init__(self, site):
        super().__init__(site, "haccp", 512, 2)
        self.written = 0
        self.lost = 0
        self._record = None

    def init(self):
        self._record = self.struct(mempool.Struct(LAYOUT, uctypes.LITTLE_ENDIAN))
        for at, byte in enumerate(b"CELL-001"):
            self._record.cell[at] = byte

    def second(self, now):
        keys = self.keys
        record = self._record
        record.sequence = self.written
        record.time_ms = now * 1000
        record.chamber = keys[K_CHAMBER]
        record.evaporator = keys[K_CHAMBER + 1]
        record.product = keys[K_CHAMBER + 2]
        record.ambient = keys[K_CHAMBER + 3]
        record.setpoint = keys[K_SETPOINT]
        record.compressor = keys[K_COMPRESSOR]
        record.fan = keys[K_COMPRESSOR + 1]
        record.heater = keys[K_COMPRESSOR + 2]
        record.light = keys[K_COMPRESSOR + LIGHT]
        record.door = keys[K_DOOR]
        record.defrost = keys[K_DEFROST]
        record.sensor_failed = keys[K_SENSOR_FAILED]
        record.crc = 0
        record.crc = binascii.crc32(record) & 0xFFFF
        if self.post.send(self.owner, RECORD, record):
            self.written += 1
        else:
            self.lost += 1


class Logger(Part):
    """The flash: reads its mail every five seconds, and checks each record's sum and number."""

    def __init__(self, site):
        super().__init__(site, "logger", 64, 8)
        self.records = 0
        self.wrong = 0
        self._copy = bytearray(SIZE)

    def update(self):
        if self.world.now_s % FLUSH_S == 0:
            self.read_mail()
            self.keys[INDEX["records"]] = self.records

    def receive(self, topic, message):
        copy = self._copy
        mempool.read(message.handle, 0, copy)
        crc = copy[44] | copy[45] << 8
        copy[44] = copy[45] = 0
        sequence = copy[0] | copy[1] << 8 | copy[2] << 16 | copy[3] << 24
        if sequence != self.records or binascii.crc32(copy) & 0xFFFF != crc:
            self.wrong += 1
        self.records += 1
