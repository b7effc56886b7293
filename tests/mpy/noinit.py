# mempool.noinit: bytes that a reset leaves alone. A Block's ways without its end, and a CRC that
# goes with every write. That resets do leave it alone: tests/emulated/test_noinit.py.
# timeout: 60
import io
import struct

import mempool
from mempool import noinit


def raises(error, function, *args):
    try:
        function(*args)
    except error as caught:
        return str(caught)
    raise AssertionError(function)


def set_item(where, index, value):
    where[index] = value


def set_slice(where, start, stop, value):
    where[start:stop] = value


def delete(where, index):
    del where[index]


assert noinit is mempool.noinit
size = len(noinit)
assert size >= 64 and bool(noinit)
CAUSES = "power-on,software,pin,panic,interrupt watchdog,task watchdog,watchdog"
CAUSES += ",deep sleep,brownout,usb,jtag,unknown"
assert noinit.reset_cause in CAUSES.split(","), noinit.reset_cause

# Bytes go in and come out; each write is sealed.
noinit[0:size] = bytes(size)
assert noinit.valid and noinit == bytes(size)
noinit[0] = 1
noinit[-1] = 255
assert noinit.valid and noinit[0] == 1 and noinit[size - 1] == 255 == noinit[-1]
noinit[4:8] = b"abcd"
assert noinit.valid and bytes(noinit[4:8]) == b"abcd" and b"bc" in noinit and 0x61 in noinit
assert sum(noinit) == 1 + 255 + sum(b"abcd")
assert repr(noinit) == "<noinit %d, valid>" % size

# A slice writes through, and so does a slice of it; overlapping copies are whole.
view = noinit[4:12]
assert len(view) == 8 and view == b"abcd\0\0\0\0" and view.valid
view[1:3] = b"XY"
inner = view[2:6]
inner[3] = 9
assert bytes(noinit[4:12]) == b"aXYd\0\x09\0\0" and inner == b"Yd\0\x09" and noinit.valid
noinit[5:9] = noinit[4:8]
assert bytes(noinit[4:10]) == b"aaXYd\x09" and noinit.valid
assert not noinit[3:3] and len(noinit[3:3]) == 0 and list(noinit[4:6]) == [97, 97]

# Who writes through the buffer is sealed behind.
struct.pack_into("<HI", noinit, 16, 0x1234, 0xDEADBEEF)
assert noinit.valid and struct.unpack_from("<HI", noinit, 16) == (0x1234, 0xDEADBEEF)
assert io.BytesIO(b"stream").readinto(noinit[32:38]) == 6
assert noinit.valid and bytes(noinit[32:38]) == b"stream"
for n in range(3):
    struct.pack_into("B", noinit, 20, n)
assert noinit.valid and noinit[20] == 2


# So is who takes his time, whatever uses or seals the bytes meanwhile: `valid` sees to it.
class Late:
    def __int__(self):
        assert noinit.valid and noinit[20] == 2
        return 7


struct.pack_into("B", noinit, 20, Late())
assert noinit.valid and noinit[20] == 7

# A memoryview is read-only, as of a Block, and nothing keeps the pointer to write.
seen = memoryview(noinit)
assert seen[0] == 1
raises(TypeError, set_item, seen, 0, 2)

# What it has not.
for name in ("free", "detach", "attach", "handle", "append"):
    assert not hasattr(noinit, name), name
raises(AttributeError, setattr, noinit, "valid", True)
assert "0..255" in raises(ValueError, set_item, noinit, 0, 256)
raises(IndexError, set_item, noinit, size, 0)
raises(IndexError, lambda: noinit[-size - 1])
assert "4 bytes cannot take 3" in raises(ValueError, set_slice, noinit, 0, 4, b"abc")
raises(NotImplementedError, lambda: noinit[0:8:2])
raises(TypeError, set_slice, noinit, 0, 1, 5)
raises(TypeError, delete, noinit, 0)
raises(TypeError, lambda: {noinit: 1})
assert noinit.valid and noinit != "text" and noinit != b"short"
assert mempool.check() == 0
