# What the diagnostics see: snapshot() for programs and the wire, the map of blocks, leaks; and the
# buffers into which the figures are read without a byte of the GC heap.
import json
from array import array

import boardcfg
import mempool
from eventbus import bus

FIELDS = (
    "capacity",
    "used",
    "free",
    "peak",
    "utilization",
    "allocs",
    "frees",
    "failures",
    "spills",
    "reclaimed",
    "refused",
    "denied",
    "heap_used",
    "requested",
    "waste",
    "largest_free",
    "level",
)
# Their places in what stats_into() fills.
CAPACITY, USED, FREE, PEAK, UTILIZATION, ALLOCS, FREES, FAILURES, SPILLS = range(9)
RECLAIMED, REFUSED, DENIED, HEAP_USED, REQUESTED, WASTE, LARGEST, LEVEL = range(9, 17)

HEAPS = 6  # more than any chip has; each 4 words
RESERVE = boardcfg.MEMORY_POOL_EMERGENCY_RESERVE
LEVELS = ("NORMAL", "LOW", "CRITICAL")


class Alert:
    """What a Monitor last told: `level` and `name` of the pool, `at_s` (None: nothing yet), and
    the owners under suspicion."""

    def __init__(self):  # all of them at once: an edge takes no heap for a new attribute
        self.level = 0
        self.name = ""
        self.at_s = None
        self.suspects = ()

    def told(self, level, name):
        self.level = level
        self.name = name
        self.at_s = mempool.uptime_s()

    def age_s(self):
        return None if self.at_s is None else mempool.uptime_s() - self.at_s


alert = Alert()
monitor = None  # the Monitor that was made last


def percent(part, whole):
    """Whole percent, 0 of nothing; of small ints only, whatever the size."""
    if whole > 1 << 22:
        return part // (whole // 100)
    return part * 100 // whole if whole else 0


def words():
    return array("I", bytes(4 * len(FIELDS)))


def heap_words():
    return array("I", bytes(16 * HEAPS))


def split(free, largest):
    """Fragmentation of a heap: percent of what is free that lies beyond the largest run."""
    return 100 - percent(largest, free) if free else 0


def snapshot():
    """Everything as one dict of plain values, for JSON or a program. docs/memdiag.md has it."""
    total = mempool.stats()
    result = {"uptime_s": mempool.uptime_s(), "board": boardcfg.BOARD}
    for at in range(len(FIELDS)):
        result[FIELDS[at]] = total[at]
    result["fragmentation"] = percent(total.waste, total.used)
    result["reserve"] = RESERVE
    result["check"] = mempool.check()
    result["pools"] = {pool.name: _pool(pool) for pool in mempool.pools()}
    result["owners"] = owners = {}
    for owner in mempool.owners():
        try:
            owners[owner.name] = {
                "quota": owner.quota,
                "used": owner.used,
                "peak": owner.peak,
                "denied": owner.denied,
            }
        except ValueError:  # closed since
            pass
    result["heaps"] = heaps = {}
    for name, size, free, largest, least in mempool.heaps():
        heaps[name] = {"total": size, "free": free, "largest": largest, "minimum_ever": least}
    gc = heaps.pop("gc")
    result["gc"] = {
        "used": gc["total"] - gc["free"],
        "free": gc["free"],
        "largest": gc["largest"],
        "fragmentation": split(gc["free"], gc["largest"]),
    }
    stats = bus.stats()
    result["bus"] = {
        "published": stats.published,
        "delivered": stats.delivered,
        "dropped": list(stats.dropped),
        "refused": stats.refused,
        "high_water": stats.high_water,
        "queue_free": stats.queue_free,
        "latency_us": list(stats.latency_us),
    }
    result["alert"] = None
    if alert.at_s is not None:
        result["alert"] = {"level": alert.level, "name": alert.name, "age_s": alert.age_s()}
    result["suspects"] = list(alert.suspects)
    return result


def _pool(pool):
    stats = pool.stats()
    size = pool.block_size
    return {
        "block_size": size,
        "count": stats.capacity // size,
        "used": stats.used // size,
        "free": stats.free // size,
        "peak": stats.peak // size,
        "allocs": stats.allocs,
        "failures": stats.failures,
        "level": stats.level,
    }


def to_json():
    return json.dumps(snapshot())


def leaks(min_age_ms=60000):
    """Blocks held so long -> list of (handle, owner's name, size, age_ms), oldest first."""
    return [
        (handle, owner.name if owner else None, size, age_ms)
        for handle, owner, size, age_ms in mempool.leaks(min_age_ms)
    ]


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDE"


def maps():
    """-> {pool: a character a block}, {letter: owner}; {} and {} without DIAGNOSTICS."""
    if not boardcfg.MEMORY_POOL_DIAGNOSTICS:
        return {}, {}
    blocks = {}
    seen = 0
    for pool in mempool.pools():
        marks = bytearray(pool.count)
        count = mempool.map_into(pool, marks)
        for at in range(count):
            mark = marks[at]
            seen |= 1 << mark
            marks[at] = ord("." if mark == 0 else "#" if mark == 1 else _LETTERS[mark - 2])
        blocks[pool.name] = str(marks, "utf-8")
    legend = {}
    if seen & 2:
        legend["#"] = "nobody"
    for owner in mempool.owners():
        number = owner.number
        if seen >> number + 1 & 1:
            legend[_LETTERS[number - 1]] = owner.name
    return blocks, legend


def map():
    """A character a block: "." free, "#" nobody's, a letter its owner; then who is which."""
    blocks, legend = maps()
    if not blocks:
        raise NotImplementedError("CONFIG_MEMORY_POOL_DIAGNOSTICS is off")
    lines = ["%-7s%s" % (pool.name, blocks[pool.name]) for pool in mempool.pools()]
    lines.append(". free" + "".join("  %s %s" % item for item in sorted(legend.items())))
    return "\n".join(lines)
