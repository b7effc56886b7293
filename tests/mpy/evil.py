# Objects that run code of their own in the middle of an operation, and layouts that lie about
# their size: the block that is written to must still be the one that was meant.

import mempool
import micropython
import uctypes


class Evil:
    def __init__(self, action, value=0):
        self.action = action
        self.value = value

    def __int__(self):
        self.action()
        return self.value

    __index__ = __int__


def raises(error, action, *args):
    try:
        action(*args)
    except error:
        return
    raise AssertionError("no " + error.__name__)


def swap(block):
    """Frees the block and lets others have all of its pool, filled with 0x55."""
    block.free()
    held = []
    for _ in range(mempool.TINY.count):
        other = mempool.alloc(32)
        other[:] = b"\x55" * 32
        held.append(other)
    others.extend(held)


def stored_nowhere(store):
    block = mempool.alloc(32)
    raises((ValueError, TypeError), store, block)
    for other in others:
        assert bytes(other) == b"\x55" * 32
        other.free()
    others.clear()
    block.free()
    assert mempool.stats().used == 0 and mempool.check() == 0


others = []


def store_index(block):
    block[Evil(lambda: swap(block))] = 1


def store_slice(block):
    block[Evil(lambda: swap(block)) : 4] = b"evil"


def store_value(block):
    block[0] = Evil(lambda: swap(block), 7)


for case in (store_index, store_slice, store_value):
    stored_nowhere(case)

T = mempool.Struct({"i": uctypes.UINT32 | 0})


def store_field(block):
    with T() as s:
        s.i = Evil(lambda: s.free())


stored_nowhere(store_field)

# Sizes whose product wraps to a small number.
huge = (uctypes.ARRAY | 0, uctypes.UINT64 | 0x4000000)
raises(ValueError, mempool.Struct, {"a": huge})
nested = {
    "a": (
        uctypes.ARRAY | 0,
        1 << 26,
        {"b": (uctypes.ARRAY | 0, 1 << 26, {"c": (uctypes.ARRAY | 0, uctypes.UINT8 | 1 << 12)})},
    )
}
raises(ValueError, mempool.Struct, nested)

# Some machines stop at a native field that lies askew, also within another.
raises(ValueError, mempool.Struct, {"n": (1, {"q": uctypes.UINT64 | 0})})
raises(ValueError, mempool.Struct, {"a": (uctypes.ARRAY | 2, uctypes.UINT32 | 3)})
mempool.Struct({"n": (1, {"q": uctypes.UINT64 | 0})}, uctypes.LITTLE_ENDIAN)().free()

assert mempool.stats().used == 0 and mempool.check() == 0


# An exception that cannot even be printed does not get out of the callback, nor stop what is
# scheduled.
class Unprintable(Exception):
    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


def callback(level, pool):
    called.append(level)
    raise Unprintable()


called = []
scheduled = []
mempool.on_pressure(callback)
blocks = [mempool.alloc(512, critical=True) for _ in range(mempool.XLARGE.count)]
for block in blocks:
    block.free()
micropython.schedule(scheduled.append, 1)
for _ in range(10):
    pass
mempool.on_pressure(None)
assert called[-1] == mempool.LEVEL_NORMAL and mempool.LEVEL_CRITICAL in called, called
assert scheduled == [1]
assert mempool.stats().used == 0 and mempool.check() == 0
