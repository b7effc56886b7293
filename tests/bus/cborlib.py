"""The CBOR of the bus as Python sees it: its functions by cffi, read from the header as shipped,
and what turns values into payloads and back by them.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

import busbuild
import cffi
from corelib import declarations

ffi = cffi.FFI()
ffi.cdef(declarations(busbuild.CBOR_HEADER))
lib = ffi.dlopen(str(busbuild.cbor_library()))
NULL = ffi.NULL

DEPTH = int(re.findall(r"define EVENTBUS_CBOR_DEPTH (\d+)u", busbuild.CBOR_HEADER.read_text())[0])
GUARD = 0xA5

UINT, NEGATIVE = lib.EVENTBUS_CBOR_UINT, lib.EVENTBUS_CBOR_NEGATIVE
BYTES, TEXT = lib.EVENTBUS_CBOR_BYTES, lib.EVENTBUS_CBOR_TEXT
ARRAY, MAP = lib.EVENTBUS_CBOR_ARRAY, lib.EVENTBUS_CBOR_MAP
FLOAT, DOUBLE = lib.EVENTBUS_CBOR_FLOAT, lib.EVENTBUS_CBOR_DOUBLE
SIMPLE = {
    lib.EVENTBUS_CBOR_FALSE: False,
    lib.EVENTBUS_CBOR_TRUE: True,
    lib.EVENTBUS_CBOR_NULL: None,
}


def memory_of(data: bytes):
    """A copy of the bytes where C can reach it, in memory of exactly their size."""
    memory = ffi.new("uint8_t[]", len(data))
    ffi.memmove(memory, data, len(data))
    return memory


class Writer:
    """A writer into `room` bytes between guards that must stay as they are."""

    def __init__(self, room: int):
        self.room = room
        self.memory = memory_of(bytes([GUARD]) * (room + 16))
        self.c = ffi.new("eventbus_cbor_writer_t *", (self.memory + 8, room, 0))

    def value(self, value: object) -> Writer:
        """Writes a value by the call that a C program would choose."""
        if value is None:
            lib.eventbus_cbor_null(self.c)
        elif isinstance(value, bool):
            lib.eventbus_cbor_bool(self.c, value)
        elif isinstance(value, int):
            self._int(value)
        elif isinstance(value, float):
            lib.eventbus_cbor_double(self.c, value)
        elif isinstance(value, str):
            text = value.encode()
            lib.eventbus_cbor_text(self.c, text, len(text))
        elif isinstance(value, bytes):
            lib.eventbus_cbor_bytes(self.c, value, len(value))
        elif isinstance(value, list):
            lib.eventbus_cbor_array(self.c, len(value))
            for item in value:
                self.value(item)
        else:
            assert isinstance(value, dict)
            lib.eventbus_cbor_map(self.c, len(value))
            for key, item in value.items():
                self.value(key)
                self.value(item)
        return self

    def _int(self, value: int) -> None:
        if -(1 << 63) <= value < 1 << 63:
            lib.eventbus_cbor_int(self.c, value)
        elif value > 0:
            lib.eventbus_cbor_uint(self.c, value)
        else:
            lib.eventbus_cbor_negative(self.c, -1 - value)

    @property
    def length(self) -> int:
        return self.c.length

    def written(self) -> bytes:
        """What lies between the guards."""
        memory = bytes(ffi.buffer(self.memory))
        assert memory[:8] == memory[8 + self.room :] == bytes([GUARD]) * 8, "written outside"
        return memory[8 : 8 + self.room]


def write(value: object) -> bytes:
    """Measures, and writes into exactly as much room."""
    length = Writer(0).value(value).length
    writer = Writer(length).value(value)
    assert writer.length == length, "measured wrongly"
    return writer.written()


def call(write_one: Callable[[object], None]) -> bytes:
    """What one call writes: `write_one` gets the writer as C sees it."""
    writer = Writer(64)
    write_one(writer.c)
    assert writer.length <= 64
    return writer.written()[: writer.length]


class Payload:
    """Bytes as C sees them; positions are offsets, and None for NULL."""

    def __init__(self, data: bytes):
        self.data = data
        self.memory = memory_of(data)
        self.end = self.memory + len(data)
        self.item = ffi.new("eventbus_cbor_item_t *")

    def _offset(self, pointer) -> int | None:
        if pointer == NULL:
            return None
        offset = pointer - self.memory
        assert 0 <= offset <= len(self.data), "a position outside"
        return offset

    def check(self) -> bool:
        return lib.eventbus_cbor_check(self.memory, len(self.data))

    def skip(self, at: int = 0) -> int | None:
        return self._offset(lib.eventbus_cbor_skip(self.memory + at, self.end))

    def find(self, key: str | bytes) -> int | None:
        key = key.encode() if isinstance(key, str) else key
        return self._offset(lib.eventbus_cbor_find(self.memory, len(self.data), key, len(key)))

    def read(self, at: int = 0) -> int | None:
        """Reads a head into `item`; -> the offset of what comes behind it."""
        return self._offset(lib.eventbus_cbor_read(self.memory + at, self.end, self.item))

    def content(self) -> bytes:
        """The bytes of the string that was read."""
        offset = self._offset(self.item.bytes)
        assert offset is not None
        assert offset + self.item.length <= len(self.data), "a string that ends outside"
        return self.data[offset : offset + self.item.length]

    def value(self, at: int = 0) -> tuple[object, int]:
        """The value at `at`, and the offset behind it."""
        behind = self.read(at)
        assert behind is not None, f"nothing to read at {at}"
        kind, number = self.item.kind, self.item.value
        if kind == ARRAY:
            items = []
            for _ in range(number):
                item, behind = self.value(behind)
                items.append(item)
            return items, behind
        if kind == MAP:
            pairs = {}
            for _ in range(number):
                key, behind = self.value(behind)
                pairs[key], behind = self.value(behind)
            return pairs, behind
        return self._scalar(kind, number), behind

    def _scalar(self, kind: int, number: int) -> object:
        if kind == UINT:
            return number
        if kind == NEGATIVE:
            return -1 - number
        if kind == BYTES:
            return self.content()
        if kind == TEXT:
            return self.content().decode()
        if kind == FLOAT:
            return struct.unpack(">f", number.to_bytes(4, "big"))[0]
        if kind == DOUBLE:
            return struct.unpack(">d", number.to_bytes(8, "big"))[0]
        return SIMPLE[kind]


def check(data: bytes) -> bool:
    return Payload(data).check()


def read(data: bytes) -> object:
    """The value that fills a payload."""
    value, behind = Payload(data).value()
    assert behind == len(data)
    return value


def nested(containers: int, inner: bytes) -> list[bytes]:
    """`inner` within so many arrays and maps, in every order of the two."""
    made = [inner]
    for _ in range(containers):
        made = [head + data for data in made for head in (b"\x81", b"\xa1\x61k")]
    return made
