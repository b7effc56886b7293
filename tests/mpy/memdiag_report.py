# The report, the snapshot and the map say what the pools say; into a stream, and to a program.
import gc
import io
import json
import sys

import boardcfg
import memdiag
import mempool
import micropython

mempool.reset_stats()  # on a board others were here before
text = memdiag.report()
lines = text.split("\n")
assert lines[0] == "=== Memory Pool Diagnostics Report ===", lines[0]
assert lines[2] == "Overall Utilization: 0 %", lines[2]

alice = mempool.Owner("alice", 4096)
held = [alice.alloc(100), mempool.alloc(20), alice.alloc(512)]
stats = mempool.stats()
text = memdiag.report()


def value(name):
    for line in text.split("\n"):
        if line.startswith(name + ": "):
            return line[len(name) + 2 :]
    raise SystemExit("the report has no line %s" % name)


assert value("Total Capacity") == "%d bytes" % stats.capacity
assert value("Currently Allocated") == "%d bytes" % stats.used == "%d bytes" % (128 + 32 + 512)
assert value("Peak Allocated") == "%d bytes" % stats.peak
assert value("Fragmentation Index").startswith("%d %%" % (stats.waste * 100 // stats.used))
assert value("Waste").startswith("%d bytes" % (672 - 632))
assert value("Largest Free Block") == "512 bytes"
assert value("alice") == "640 bytes of 4096, peak 640, denied 0"
for pool in mempool.pools():
    line = value(pool.name + " Pool")
    used = "%d/%d blocks (%d%%), Failures: 0, Rate: " % (
        pool.used,
        pool.count,
        pool.used * 100 // pool.count,
    )
    assert line.startswith(used) and " alloc/s, Peak: %d blocks" % pool.peak in line, line
assert "GC heap: " in text and "fragmentation" in text
assert "NORMAL; no alert since boot" in text

# What is refused, denied and reclaimed shows.
mempool.give(-7)
small = mempool.Owner("small", 32)
assert small.take(33) == mempool.E_QUOTA
text = memdiag.report()
assert value("Refused Operations") == "1 stale, double or foreign, 1 beyond a quota"
assert value("small") == "0 bytes of 32, peak 0, denied 1"

# A stream gets the same; with the heap locked all but the names.
into = io.StringIO()
assert memdiag.report(into) is None
into = into.getvalue()
assert [line.split(":")[0] for line in into.split("\n")] == [
    line.split(":")[0] for line in text.split("\n")
]


class Sink:
    def write(self, piece):
        said.append(piece)


said = []
memdiag.report(Sink())
assert "".join(said).split("\n")[2:8] == text.split("\n")[2:8]
out = io.StringIO(4096)
micropython.heap_lock()
try:
    memdiag.report(out)
finally:
    micropython.heap_unlock()
text = out.getvalue()
assert "not listed: no GC heap" in text or "alice: " in text
assert value("Currently Allocated") == "672 bytes" and value("XLARGE Pool").startswith("1/")

# The heap nearly full: of what it needs there is enough.
gc.collect()
if sys.platform != "linux":
    hog = []
    try:
        while True:
            hog.append(bytearray(512))
    except MemoryError:
        pass
    hog.pop()  # half a kilobyte is left
    out = io.StringIO(16)
    memdiag.report(sys.stdout)
    hog = None
    print()

try:
    memdiag.report([])
    raise SystemExit("a report into a list")
except TypeError as fault:
    assert str(fault) == "out must be None or have write(), as a file has; not list"

# snapshot(): plain values, the same through JSON.
shot = memdiag.snapshot()
stats = mempool.stats()
for name in "capacity used free peak requested waste largest_free level refused denied".split():
    assert shot[name] == getattr(stats, name), name
assert shot["board"] == boardcfg.BOARD and shot["check"] == 0 and shot["uptime_s"] >= 0
assert shot["owners"]["alice"] == {"quota": 4096, "used": 640, "peak": 640, "denied": 0}
for pool in mempool.pools():
    one = shot["pools"][pool.name]
    assert one["used"] == pool.used and one["count"] == pool.count == one["used"] + one["free"]
    assert one["block_size"] == pool.block_size and one["level"] == 0
assert shot["alert"] is None and shot["suspects"] == []
heap = shot["gc"]
assert heap["used"] > 0 and heap["largest"] <= heap["free"] and 0 <= heap["fragmentation"] <= 100
assert "gc" not in shot["heaps"]
again = json.loads(memdiag.to_json())
assert again["owners"] == shot["owners"] and sorted(again) == sorted(shot)

# map(): a character a block.
drawn = memdiag.map().split("\n")
for line, pool in zip(drawn, mempool.pools()):
    name, blocks = line.split()
    assert name == pool.name and len(blocks) == pool.count
    assert pool.count - blocks.count(".") == pool.used
letters = dict(item.split(" ") for item in drawn[-1].split("  "))
assert letters["."] == "free" and letters["#"] == "nobody"
letter = [key for key, name in letters.items() if name == "alice"][0]
assert drawn[2].split()[1].count(letter) == 1 and drawn[0].count("#") == 1

# leaks(): by name.
assert sorted((owner or "", size) for _, owner, size, _ in memdiag.leaks(0)) == [
    ("", 20),
    ("alice", 100),
    ("alice", 512),
]
assert memdiag.leaks() == []

for block in held:
    block.free()
assert "#" not in memdiag.map() and memdiag.leaks(0) == []

# benchmark(): a line an operation, the unit in the head.
table = memdiag.benchmark().split("\n")
assert table[0].split()[:4] == ["operation", "min", "median", "max"] and len(table) == 7
assert table[0].split()[4] in ("ns", "cycles")

try:
    memdiag.nothing
    raise SystemExit("memdiag.nothing is there")
except AttributeError:
    pass
