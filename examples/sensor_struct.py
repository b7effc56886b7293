# A reading as a struct in a block: fields by name, one owner at a time, no bytes moved on the way.
import mempool
import uctypes

Reading = mempool.Struct(
    {
        "celsius_x100": 0 | uctypes.INT16,
        "humidity": 2 | uctypes.UINT8,
        "valid": 3 | uctypes.UINT8,
        "time_ms": 4 | uctypes.UINT32,
    },
    uctypes.LITTLE_ENDIAN,
)


def measure(time_ms):
    reading = Reading()
    reading.celsius_x100 = 412
    reading.humidity = 85
    reading.valid = 1
    reading.time_ms = time_ms
    return reading


# Alone: freed at the end of the with, on exceptions too.
with measure(1000) as reading:
    print(reading, "%.2f C" % (reading.celsius_x100 / 100), reading.humidity, "%")
try:
    print(reading.humidity)
except ValueError as error:
    print("afterwards:", error)

# To somebody else: the handle travels, the receiver takes the bytes over as a Block.
handle = measure(2000).detach()
received = mempool.Block()
received.attach(handle)
print(received, bytes(received))
received.free()

# Bytes that were read from a wire become a struct the same way round.
with Reading() as copy:
    mempool.write(copy.handle, 0, b"\x9c\xff\x32\x01\x00\x00\x00\x00")
    print("%.2f C" % (copy.celsius_x100 / 100), copy.humidity, "%")

assert mempool.check() == 0
assert not mempool.TINY.used
