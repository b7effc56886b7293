"""What pool operations cost from Python, next to a bytearray of the same size, in one run.

    make exec TARGET=unix FILE=benchmarks/python_ops.py             microseconds
    .venv/bin/python tools/exec.py --target rv32 --icount benchmarks/python_ops.py  instructions

The heap's operations are timed without the collections that they cause sooner or later; the last
table times single operations, a collection among them, as a control loop meets them.
"""

import gc
import sys
import time

import mempool

SIZE = 100
MANY = 400  # operations a measurement: 400 bytearrays fit a heap of 140 KB without a collection
ROUNDS = 7
SINGLE = 1500

EMULATED = sys.platform == "qemu"
now = time.ticks_cpu if EMULATED else time.ticks_us
UNIT = "ticks_cpu" if EMULATED else "us"
block = mempool.Block()


def nothing(count):
    for _ in range(count):
        pass


def heap_bytearray(count):
    for _ in range(count):
        bytearray(SIZE)


def take_give(count):
    take = mempool.take
    give = mempool.give
    for _ in range(count):
        give(take(SIZE))


def alloc_free(count):
    alloc = mempool.alloc
    for _ in range(count):
        alloc(SIZE).free()


def alloc_into_free(count):
    alloc_into = mempool.alloc_into
    for _ in range(count):
        alloc_into(block, SIZE)
        block.free()


def with_alloc(count):
    alloc = mempool.alloc
    for _ in range(count):
        with alloc(SIZE):
            pass


MEASURED = (
    (heap_bytearray, "bytearray(100), dropped"),
    (take_give, "give(take(100))"),
    (alloc_free, "alloc(100).free()"),
    (alloc_into_free, "alloc_into(b, 100); b.free()"),
    (with_alloc, "with alloc(100): pass"),
)


def cost(function):
    """The least of some rounds, in ticks of MANY operations, without the loop."""
    best = None
    for _ in range(ROUNDS):
        gc.collect()
        gc.disable()
        try:
            start = now()
            function(MANY)
            spent = time.ticks_diff(now(), start)
        finally:
            gc.enable()
        best = spent if best is None else min(best, spent)
    return best


def worst_single(operation):
    """The longest of SINGLE operations, one by one, and what the reading of the clock costs."""
    gc.collect()
    longest = 0
    reading = 1 << 30
    for _ in range(SINGLE):
        start = now()
        between = now()
        operation()
        end = now()
        reading = min(reading, time.ticks_diff(between, start))
        longest = max(longest, time.ticks_diff(end, between))
    return longest - reading


def single_bytearray():
    bytearray(SIZE)


def single_take_give():
    mempool.give(mempool.take(SIZE))


def single_alloc_into():
    mempool.alloc_into(block, SIZE)
    block.free()


def main():
    loop = cost(nothing)
    heap = None
    print(f"{'operation':30} {UNIT + ' each':>14} {'of heap':>10}")
    for function, says in MEASURED:
        spent = max(cost(function) - loop, 1)
        heap = heap or spent
        print(f"{says:30} {spent / MANY:14.2f} {100 * spent / heap:9.0f}%")
    print(f"{'longest, one by one':30} {UNIT:>14}")
    ballast = [bytearray(40 + i % 64) for i in range(600)]  # a heap that has something to mark
    for operation, says in (
        (single_bytearray, "bytearray(100), dropped"),
        (single_take_give, "give(take(100))"),
        (single_alloc_into, "alloc_into(b, 100); b.free()"),
    ):
        print(f"{says:30} {worst_single(operation):14}")
    del ballast
    broken = mempool.check()
    if broken:
        raise SystemExit(f"check() says {broken}")


main()
