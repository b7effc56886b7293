# examples/cpp_module: C++ objects in blocks of the pools. unix alone: the port of the emulated
# boards has no C++.
# targets: unix
import mempool
import smooth


def raises(error, function, *args):
    try:
        function(*args)
    except error as caught:
        return str(caught)
    raise AssertionError(function)


before = mempool.LARGE.used
smooth.open(0, 4)
assert mempool.LARGE.used == before + 1
assert [smooth.step(0, value) for value in (10, 20, 30, 40, 50, 60)] == [10, 15, 20, 25, 35, 45]
smooth.open(1, 1)
assert smooth.step(1, -7) == -7 and smooth.step(0, 60) == 52
smooth.open(0, 2)  # the old one is gone
assert mempool.LARGE.used == before + 2
assert smooth.step(0, 1) == 1

taken = []
while (handle := mempool.take(200)) > 0:
    taken.append(handle)
assert "no block" in raises(MemoryError, smooth.open, 2, 3)
for handle in taken:
    assert mempool.give(handle) == 0

smooth.close(0)
smooth.close(1)
smooth.close(1)
assert mempool.LARGE.used == before
assert raises(ValueError, smooth.step, 0, 1) == "channel is not open"
assert raises(ValueError, smooth.open, 4, 1) == "channel must be 0..3, not 4"
assert raises(ValueError, smooth.open, 0, 33) == "window must be 1..32, not 33"
assert mempool.check() == 0
