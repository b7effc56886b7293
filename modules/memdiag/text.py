# The report in words, and what each operation costs here.
import io

import mempool

from . import state
from .arguments import having
from .lock import allocate_lock


class _Buffers:
    """What a report is made in: nothing of it is allocated while it is made."""

    def __init__(self):
        self.words = state.words()
        self.heaps = state.heap_words()
        self.at_s = 0  # uptime at the last report, and what had been taken of each pool by then
        self.allocs = [0] * 5


_buffers = _Buffers()
_lock = allocate_lock()  # of them

_DIGITS = "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"


def _number(out, value):
    if value > 9:
        _number(out, value // 10)
    out.write(_DIGITS[value % 10])


def _write(out, before, value, after=""):
    out.write(before)
    _number(out, value)
    out.write(after)


def report(out=None):
    """The memory report -> str; or written to `out` piece by piece, which needs no GC heap."""
    if not hasattr(out, "write"):  # a look at the method itself would take GC heap
        having("out", out, "write", "a file")
    mine = _lock.acquire(0)
    try:
        buffers = _buffers if mine else _Buffers()  # another thread's, or what this interrupts
        if out is not None:
            _report(out, buffers)
            return None
        text = io.StringIO(2048)
        _report(text, buffers)
        return text.getvalue()
    finally:
        if mine:
            _lock.release()


def _report(out, buffers):
    words = buffers.words
    mempool.stats_into(words)
    now_s = mempool.uptime_s()
    out.write("=== Memory Pool Diagnostics Report ===\n")
    _write(out, "Uptime: ", now_s, " s\n")
    _write(out, "Overall Utilization: ", words[state.UTILIZATION], " %\n")
    _write(out, "Total Capacity: ", words[state.CAPACITY], " bytes\n")
    _write(out, "Currently Allocated: ", words[state.USED], " bytes\n")
    _write(out, "Peak Allocated: ", words[state.PEAK], " bytes\n")
    index = state.percent(words[state.WASTE], words[state.USED])
    _write(out, "Fragmentation Index: ", index, " % (within blocks; there is no other)\n")
    _write(out, "Largest Free Block: ", words[state.LARGEST], " bytes\n")
    _write(out, "Waste: ", words[state.WASTE], " bytes of what is allocated\n")
    _write(out, "Reserve: ", state.RESERVE, " blocks a pool\n")
    _write(out, "Refused Operations: ", words[state.REFUSED], " stale, double or foreign, ")
    _write(out, "", words[state.DENIED], " beyond a quota\n")
    _write(out, "Reclaimed: ", words[state.RECLAIMED], " blocks that nobody gave back\n")
    _write(out, "Broken Invariants: ", mempool.check(), "\n")
    level = words[state.LEVEL]
    out.write("--- Pool Statistics ---\n")
    _pools(out, buffers, now_s)
    out.write("--- Owners ---\n")
    try:
        _owners(out)
    except MemoryError:
        out.write("not listed: no GC heap for their names\n")
    out.write("--- Heaps ---\n")
    _heaps(out, buffers)
    out.write("--- Alert ---\n")
    out.write(state.LEVELS[level])
    _alert(out)


def _pools(out, buffers, now_s):
    words = buffers.words
    seconds = now_s - buffers.at_s or 1
    at = 0
    for pool in mempool.pools():
        mempool.stats_into(words, pool)
        allocs = words[state.ALLOCS]
        since = allocs - buffers.allocs[at]
        if since < 0:  # reset_stats() came between
            since = allocs
        size = pool.block_size
        out.write(pool.name)
        _write(out, " Pool: ", words[state.USED] // size, "/")
        _write(out, "", words[state.CAPACITY] // size, " blocks (")
        _write(out, "", words[state.UTILIZATION], "%), Failures: ")
        _write(out, "", words[state.FAILURES], ", Rate: ")
        _write(out, "", since // seconds, " alloc/s, Peak: ")
        _write(out, "", words[state.PEAK] // size, " blocks\n")
        if now_s != buffers.at_s:
            buffers.allocs[at] = allocs
        at += 1
    buffers.at_s = now_s


def _owners(out):
    for owner in mempool.owners():
        try:
            name = owner.name
            used = owner.used
            quota = owner.quota
        except ValueError:  # closed since
            continue
        out.write(name)
        _write(out, ": ", used, " bytes")
        if quota:
            _write(out, " of ", quota)
        _write(out, ", peak ", owner.peak)
        _write(out, ", denied ", owner.denied, "\n")


def _heaps(out, buffers):
    heaps = buffers.heaps
    count = mempool.heaps_into(heaps)
    if count > 1:  # the names only; of the figures nothing is allocated
        try:
            names = mempool.heaps()
        except MemoryError:
            names = None
        for at in range(count - 1):
            out.write(names[at].name if names else "heap")
            _write(out, ": ", heaps[4 * at] - heaps[4 * at + 1], " bytes used, ")
            _write(out, "", heaps[4 * at + 1], " free, largest ")
            _write(out, "", heaps[4 * at + 2], ", least ever free ")
            _write(out, "", heaps[4 * at + 3], "\n")
    at = 4 * (count - 1)  # the GC heap is the last
    free = heaps[at + 1]
    largest = heaps[at + 2]
    _write(out, "GC heap: ", heaps[at] - free, " bytes used, ")
    _write(out, "", free, " free, largest run ")
    _write(out, "", largest, ", fragmentation ")
    _write(out, "", state.split(free, largest), " %\n")


def _alert(out):
    alert = state.alert
    age_s = alert.age_s()
    if age_s is None:
        out.write("; no alert since boot\n")
    else:
        out.write("; last alert ")
        out.write(state.LEVELS[alert.level])
        out.write(" of ")
        out.write(alert.name)
        _write(out, " ", age_s, " s ago\n")
    for name in alert.suspects:
        out.write("suspected leak: ")
        out.write(name)
        out.write("\n")


def benchmark():
    """What each operation costs on this machine, by its own clock -> str, a line an operation."""
    lines = []
    for operation, unit, least, median, most in mempool.benchmark():
        if not lines:
            lines.append("%-12s %8s %8s %8s  %s" % ("operation", "min", "median", "max", unit))
        lines.append("%-12s %8d %8d %8d" % (operation, least, median, most))
    return "\n".join(lines)
