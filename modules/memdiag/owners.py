# The owners as numbers, in one buffer that Monitor and BlackBox share: looking takes no GC heap.
from array import array

import boardcfg
import mempool
import uctypes

COUNT = 1 + boardcfg.MEMORY_POOL_OWNERS  # number 0: the blocks that nobody owns
WORDS = 8  # an owner's entry of owners_into(): its first word are the bytes in use
NOBODY = "nobody"

words = array("I", bytes(4 * WORDS * COUNT))
raw = memoryview(uctypes.bytearray_at(uctypes.addressof(words), 4 * WORDS * COUNT))


def look():
    mempool.owners_into(words)


def raw_name(number):
    """Its 16 bytes, always as of the last look()."""
    at = 4 * WORDS * number + 16
    return raw[at : at + 16]


def name(number):
    """As of the last look()."""
    return bytes(raw_name(number)).rstrip(b"\0").decode() if number else NOBODY
