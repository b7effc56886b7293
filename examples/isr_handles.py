# Handles for callbacks and hot loops: a producer that never allocates from the GC heap and never
# raises, as code must be that runs in a timer callback or in the scheduler, and a consumer that
# takes its time.
#
# The ring between them holds small ints. heap_lock() makes any allocation fail, so it proves the
# point.
from array import array

import mempool
import micropython

DEPTH = 8
ring = array("i", [0] * DEPTH)
sample = bytearray(16)
counters = array("I", [0] * 4)  # put, taken out, lost for want of a block or of a place
PUT, GOT, NO_BLOCK, NO_PLACE = range(4)


def produce(number):
    sample[0] = number & 255
    handle = mempool.take(len(sample))
    if handle < 0:
        counters[NO_BLOCK] += 1
        return
    mempool.write(handle, 0, sample)
    if counters[PUT] - counters[GOT] == DEPTH:
        counters[NO_PLACE] += 1
        mempool.give(handle)  # nobody will come for it
        return
    ring[counters[PUT] % DEPTH] = handle
    counters[PUT] += 1


def consume(buffer):
    while counters[GOT] != counters[PUT]:
        handle = ring[counters[GOT] % DEPTH]
        counters[GOT] += 1
        mempool.read(handle, 0, buffer)
        mempool.give(handle)


buffer = bytearray(16)
micropython.heap_lock()
for number in range(1000):
    produce(number)
    if number % 5 == 4:
        consume(buffer)
for number in range(20):  # more than the ring holds, and nobody comes
    produce(number)
consume(buffer)
micropython.heap_unlock()

print("put %d, taken out %d, no block %d, no place %d" % tuple(counters))

# What is given twice is refused with a number, and counted.
handle = mempool.take(16)
print("first:", mempool.give(handle), "second:", mempool.give(handle), "=", mempool.E_STALE)

assert counters[PUT] == counters[GOT] == 1008 and counters[NO_PLACE] == 12
assert mempool.check() == 0
assert not mempool.TINY.used
