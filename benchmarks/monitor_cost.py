"""What a period of memdiag.Monitor costs, and bytes of the GC heap that it takes.

    make exec FILE=benchmarks/monitor_cost.py                                        microseconds
    .venv/bin/python tools/exec.py --target rv32 --icount benchmarks/monitor_cost.py  instructions

At period_ms=1000 a period is a second, so that instructions a period are instructions a second.
"""

import gc
import sys
import time

import mempool
from memdiag import BlackBox, Monitor

EMULATED = sys.platform == "qemu"
now = time.ticks_cpu if EMULATED else time.ticks_us
UNIT = "instructions" if EMULATED else "us"
PERIODS = 240  # four windows of the growth detection
OWNERS = 12


class Dog:
    def feed(self):
        pass


def measure(monitor):
    """-> mean and worst of a period, bytes of the GC heap of all of them."""
    mem_alloc = gc.mem_alloc
    tick = monitor.tick
    total = worst = 0
    tick(0)
    gc.collect()
    gc.disable()
    before = mem_alloc()
    for nth in range(1, PERIODS + 1):
        begin = now()
        tick(nth * 1000)
        took = time.ticks_diff(now(), begin)
        total += took
        if took > worst:
            worst = took
    grown = mem_alloc() - before
    gc.enable()
    monitor.stop()
    return total // PERIODS, worst, grown


def checks():
    """-> what mempool.check(), a part of it, costs."""
    begin = now()
    for _ in range(10):
        mempool.check()
    return time.ticks_diff(now(), begin) // 10


owners = [mempool.Owner(f"owner {nth}") for nth in range(OWNERS)]
held = [owner.take(40) for owner in owners]
noinit = getattr(mempool, "noinit", None)
print(f"| a period, {OWNERS} owners, {UNIT} | mean | worst | GC heap, bytes |")
print("|---|---:|---:|---:|")


def row(what, monitor):
    mean, worst, grown = measure(monitor)
    print(f"| {what} | {mean} | {worst} | {grown} |")


row("Monitor", Monitor(wdt=Dog()))
if noinit:
    box = BlackBox(noinit)
    row("Monitor and BlackBox in noinit", Monitor(wdt=Dog(), blackbox=box))
print(f"| of which mempool.check() | {checks()} | | 0 |")
for handle in held:
    mempool.give(handle)
