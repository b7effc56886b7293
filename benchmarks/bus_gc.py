"""Delivery while the VM collects garbage: how late a C subscriber gets its events, and how late a
Python callback gets the same ones, while collections of a large heap follow each other.

    make exec HEAP=64m FILE=benchmarks/bus_gc.py               this computer
    make exec TARGET=rv32 FILE=benchmarks/bus_gc.py            an emulated board, with all its heap

A timer's interrupt (on this computer a thread that MicroPython does not know) publishes; a latency
goes from there to the first instruction of the subscriber. The period is a part of a collection's
length, so that what waits for Python meanwhile fits the queue.
"""

import array
import gc
import sys
import time

import _platform
import mempool
from eventbus import bus

SECONDS = 4
FREE_PERCENT = 10  # of the heap
A_COLLECTION = 12  # events while one runs
PERIOD_MIN_US = 200 if sys.platform == "qemu" else 100
TOPIC = "gc.probe"
BINS = 25  # [n] counts latencies below 2^n us, as `_platform.sink_read` does
TICKS = (1 << 30) - 1

ticks_us = time.ticks_us
ticks_diff = time.ticks_diff


def fill_heap():
    """Small objects that hold each other."""
    gc.collect()
    total = gc.mem_alloc() + gc.mem_free()
    many = max(total // 5000, 10)
    ballast = None
    while gc.mem_free() * 100 > total * FREE_PERCENT:
        for n in range(many):
            ballast = [ballast, n]
    return ballast


def collection():
    start = ticks_us()
    gc.collect()
    return ticks_diff(ticks_us(), start)


python_bins = array.array("I", [0] * BINS)
python_longest = 0


def on_probe(event):
    global python_longest
    late = (ticks_us() - event["timestamp"]) & TICKS
    if late > python_longest:
        python_longest = late
    nth = 0
    while nth + 1 < BINS and late >> nth:
        nth += 1
    python_bins[nth] += 1


def collect_for(seconds):
    """Collections, one after another. -> their number, the longest in us, and the events that the
    C subscriber got while they ran: in all of them, and the fewest in one."""
    count = longest = during = 0
    least = None
    end = time.ticks_add(time.ticks_ms(), seconds * 1000)
    while ticks_diff(end, time.ticks_ms()) > 0:
        before = _platform.sink_read()[0]
        spent = collection()
        got = _platform.sink_read()[0] - before
        count += 1
        during += got
        longest = max(longest, spent)
        least = got if least is None else min(least, got)
        time.sleep_ms(3)  # the program, and Python's callbacks
    return count, longest, during, least


def below(bins, permille):
    """The latency in us that so many of the events stay below."""
    total = sum(bins)
    seen = 0
    for nth, times in enumerate(bins):
        seen += times
        if seen * 1000 >= total * permille:
            return 1 << nth
    return 1 << BINS


def main():
    ballast = fill_heap()
    usual = min(collection() for _ in range(3))
    period = max(usual // A_COLLECTION, PERIOD_MIN_US)
    _platform.sink(TOPIC)
    with bus.subscribe(TOPIC, on_probe) as sub:
        _platform.source_timer(TOPIC, period)
        count, longest, during, least = collect_for(SECONDS)
        (fired, published, lost), _ = _platform.source_stop()
        end = time.ticks_add(time.ticks_ms(), 5000)
        while mempool.stats().used and ticks_diff(end, time.ticks_ms()) > 0:
            time.sleep_ms(5)
        got, missing, c_longest, c_bins = _platform.sink_read()
        dropped = _platform.sink_stop()
        print(f"GC heap {(gc.mem_alloc() + gc.mem_free()) // 1024} KB, of which used")
        print(f"{100 - FREE_PERCENT} %; an event every {period} us")
        print(f"{'collections':34}{count:>10}")
        print(f"{'longest collection us':34}{longest:>10}")
        print(f"{'events':34}{fired:>10}")
        print(f"{'events not queued':34}{lost:>10}")
        print(f"{'to C during collections':34}{during:>10}")
        print(f"{'to C during one, at least':34}{least:>10}")
        print(f"{'latency':20}{'C':>10}{'Python':>10}")
        for nth in range(BINS):
            if c_bins[nth] or python_bins[nth]:
                print(f"{'below us':10}{1 << nth:10}{c_bins[nth]:10}{python_bins[nth]:10}")
        for permille in (500, 990, 999):
            says = f"{permille / 10:g} % below us"
            print(f"{says:20}{below(c_bins, permille):10}{below(python_bins, permille):10}")
        print(f"{'longest us':20}{c_longest:10}{python_longest:10}")
        whole = got == published and missing == lost and dropped == 0
        if not whole or sub.delivered != published or mempool.check():
            raise SystemExit(f"{fired} fired, {published} published, {got} to C, {sub}")
    del ballast


main()
