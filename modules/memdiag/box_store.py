# Where a black box is kept: mempool.noinit, or a file. read() -> (state, why_not, bytes);
# write(bytearray of `size`).
import binascii
import struct

import mempool

MAGIC = b"MPB1"
# magic, crc (of a file), number, uptime_s, lives, size / 4, operations, level, traced, owners
HEAD = "<4sIIIHHBBBB"
_SIZE = 1024
_CRC_AT = 4
_NUMBER_AT = 8


class _Key:
    def __getitem__(self, key):
        return key


class Region:
    """A buffer whose slices write through, and which has a CRC: mempool.noinit."""

    def __init__(self, region):
        self.size = min(len(region), _SIZE) & ~3
        self.cause = region.reset_cause
        self._region = region[: self.size]
        self._all = _Key()[0 : self.size]  # once: a slice is an object

    def read(self):
        if not self._region.valid:
            if self.cause == "power-on":
                return "missing", "noinit holds nothing after a power-on", b""
            return "corrupt", "noinit did not come through the reset whole", b""
        data = bytes(self._region)
        if data[:4] != MAGIC:
            return "missing", "noinit holds no black box", data
        if struct.unpack_from(HEAD, data)[5] != self.size // 4:
            return "corrupt", "noinit held a black box of another size", data
        return "valid", "", data

    def write(self, data):
        self._region[self._all] = data

    def close(self):
        pass


class File:
    def __init__(self, path, make):
        self.size = _SIZE
        self.cause = getattr(getattr(mempool, "noinit", None), "reset_cause", "unknown")
        self._path = path
        self._next = 0  # the record that is written next
        self._file = None
        try:
            try:
                self._file = open(path, "r+b" if make else "rb")
            except OSError as fault:
                if fault.errno != 2:
                    raise
                if make:
                    self._file = open(path, "w+b")
        except OSError as fault:
            raise self._named(fault)

    def _named(self, fault):
        return OSError(fault.errno, "black box %s" % self._path)

    def read(self):
        if self._file is None:
            return "missing", "there is no file %s" % self._path, b""
        try:
            self._file.seek(0)
            data = self._file.read(2 * _SIZE)
        except OSError as fault:  # a folder
            raise self._named(fault)
        if not data:
            return "missing", "%s is empty" % self._path, b""
        whole = [n for n in (0, 1) if _is_whole(data[n * _SIZE : (n + 1) * _SIZE])]
        if not whole:
            return "corrupt", "%s holds no whole record" % self._path, data
        best = whole[-1]
        if len(whole) == 2 and _number(data, 0) > _number(data, _SIZE):
            best = 0
        self._next = 1 - best
        why_not = ""
        if len(whole) == 1 and len(data) > _SIZE:
            why_not = "the other record is damaged: this may be the one before the last"
        return "valid", why_not, data[best * _SIZE : (best + 1) * _SIZE]

    def write(self, data):
        struct.pack_into("<I", data, _CRC_AT, 0)
        struct.pack_into("<I", data, _CRC_AT, binascii.crc32(data))
        try:
            self._file.seek(self._next * _SIZE)
            written = self._file.write(data)
        except OSError as fault:
            raise self._named(fault)
        if written != _SIZE:
            text = "black box %s: %d of %d bytes written" % (self._path, written, _SIZE)
            raise OSError(28, text)  # ENOSPC
        self._next ^= 1

    def close(self):
        if self._file:
            self._file.close()


def _number(data, at):
    return struct.unpack_from("<I", data, at + _NUMBER_AT)[0]


def _is_whole(record):
    if len(record) != _SIZE or record[:4] != MAGIC:
        return False
    crc = struct.unpack_from("<I", record, _CRC_AT)[0]
    zeroed = record[:_CRC_AT] + bytes(4) + record[_CRC_AT + 4 :]
    return binascii.crc32(zeroed) == crc
