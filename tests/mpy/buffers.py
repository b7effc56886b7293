# The buffer protocol: who reads and writes at once may, who wants to keep the pointer for writing
# may not.
import binascii
import io
import struct

import mempool
import uctypes


def raises(error, call, *args):
    try:
        call(*args)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error.__name__, call, args))


class Slice:
    def __getitem__(self, index):
        return index


S = Slice()


def store(target, index, value):
    target[index] = value


b = mempool.alloc(64)
b[:] = bytes(64)
v = b[32:40]

struct.pack_into("<IH", b, 4, 0xDEADBEEF, 7)
assert struct.unpack_from("<IH", b, 4) == (0xDEADBEEF, 7)
struct.pack_into("<d", v, 0, 1.5)
assert struct.unpack("<d", v) == (1.5,) and struct.unpack_from("<d", b, 32) == (1.5,)
raises(ValueError, struct.pack_into, "<d", v, 1, 1.5)

stream = io.BytesIO(b"0123456789abcdef")
assert stream.readinto(v) == 8 and v == b"01234567"
assert stream.readinto(b[0:4]) == 4 and b[0:4] == b"89ab"
out = io.BytesIO()
assert out.write(b[0:4]) == 4 and out.write(v) == 8 and out.getvalue() == b"89ab01234567"

assert uctypes.addressof(v) == uctypes.addressof(b) + 32
assert uctypes.bytes_at(uctypes.addressof(b), 4) == b"89ab"
assert bytes(b) == bytearray(b) and len(bytes(b)) == 64
assert b"<" + v == b"<01234567"
assert bytearray(v) + v == b"0123456701234567"
assert int(str(v, "ascii")) == 1234567 and str(v, "utf-8") == "01234567"
assert binascii.hexlify(v) == b"3031323334353637"

target = bytearray(8)
target[:] = bytes(v)
assert target == v

# A memoryview reads, never writes.
m = memoryview(b)
assert len(m) == 64 and m[0] == ord("8") and bytes(m[32:40]) == b"01234567"
raises(TypeError, store, m, 0, 1)
raises(TypeError, store, m, S[0:2], b"xx")
raises(TypeError, store, memoryview(v), 0, 1)
assert b[0] == ord("8")

# mempool's own.
h = mempool.take(64)
assert mempool.write(h, 0, b) == 64 and mempool.read(h, 32, b[0:8]) == 8
assert b[0:8] == b"01234567"
assert mempool.write(b.handle, 0, b[32:40]) == 8 and b[0:8] == b[32:40]
assert mempool.write(b.handle, 1, b[0:40]) == 40  # overlapping
assert b[1:9] == b"01234567"
mempool.give(h)

b.free()
message = "block is freed"
for target in (b, v):
    assert raises(ValueError, struct.pack_into, "<I", target, 0, 1) == message
    assert raises(ValueError, struct.unpack_from, "<I", target, 0) == message
    assert raises(ValueError, stream.readinto, target) == message
    assert raises(ValueError, out.write, target) == message
    assert raises(ValueError, uctypes.addressof, target) == message
    assert raises(ValueError, bytes, target) == message
    assert raises(ValueError, memoryview, target) == message
    assert raises(ValueError, mempool.write, 0, 0, target) == message
assert mempool.check() == 0
