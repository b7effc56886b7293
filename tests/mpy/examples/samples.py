# examples/c_module: a C module that keeps readings in blocks of the pools, beside mempool itself.
import mempool
import samples


def raises(error, function, *args):
    try:
        function(*args)
    except error as caught:
        return str(caught)
    raise AssertionError(function)


assert samples.summary() is None and samples.add(1) is False
assert raises(ValueError, samples.open, 9) == "blocks must be 1..8, not 9"
before = mempool.SMALL.used

samples.open(3)
for n in range(10):
    assert samples.add(n)
assert samples.summary() == (10, 0, 9, 4)
assert mempool.SMALL.used == before + 1
for n in range(10, 100):
    assert samples.add(n)
count, least, most, mean = samples.summary()  # three pages, the last begun anew
assert mempool.SMALL.used == before + 3 and count in range(31, 46) and most == 99
assert least == 100 - count and mean == (least + most) // 2
assert [owner.name for owner in mempool.owners()] == ["samples"]

# The pool is empty: the oldest page makes way for the newest.
taken = []
while (handle := mempool.take(64)) > 0:
    taken.append(handle)
for n in range(100, 130):
    assert samples.add(n)
assert samples.summary()[2] == 129 and mempool.SMALL.free == 0
for handle in taken:
    assert mempool.give(handle) == 0

samples.close()
assert mempool.SMALL.used == before and samples.summary() is None and samples.add(1) is False
assert mempool.check() == 0
