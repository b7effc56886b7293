# An interrupt that takes, checks and gives blocks, against a program that does the same.
import time

import mempool

try:
    from _platform import stress_start, stress_stop
except ImportError:
    print("NOT HERE: the firmware has no _platform.stress_start")
    raise SystemExit

before = mempool.stats().used
for seconds in (2, 8, 32):  # an emulated board on a busy computer needs longer
    stress_start(200)
    deadline = time.ticks_add(time.ticks_ms(), seconds * 1000)
    turns = 0
    while time.ticks_diff(deadline, time.ticks_ms()) > 0:
        for size in (8, 60, 100, 200, 500):
            handle = mempool.take(size)
            if handle > 0:
                assert mempool.write(handle, 0, b"mine") == 4
                assert mempool.give(handle) == 0
        turns += 1
    interrupts, takes, gives, errors, left = stress_stop()
    if errors or (interrupts > 50 and takes > 20):
        break
print("FIGURE interrupts: in %d s =" % seconds, interrupts)
print("FIGURE interrupts: their takes =", takes)
print("turns %d, gives %d, errors %d, left %d" % (turns, gives, errors, left))
assert interrupts > 50 and takes > 20 and errors == 0
assert mempool.stats().used == before, mempool.leaks(0)
assert mempool.check() == 0
