# track(): what a piece of a program takes, holds on to, and how long it was.
import sys

import memdiag
import mempool

said = []
with memdiag.track("algorithm", said.append) as spent:
    kept = mempool.alloc(200)
    with mempool.alloc(512):
        pass
assert (spent.blocks, spent.bytes) == (1, 256), (spent.blocks, spent.bytes)
assert spent.time_us > 0 and spent.gc_bytes > 0 and spent.name == "algorithm"
capacity = mempool.stats().capacity
line = "algorithm: utilization 0 -> %d %%, +1 blocks, +256 bytes, " % (25600 // capacity)
assert said[0].startswith(line) and said[0].endswith(" us"), said

with memdiag.track("quiet", None) as spent:
    kept.free()
assert (spent.blocks, spent.bytes) == (-1, -256)

# A piece that takes longer than ticks_us() can tell on 32 bits, by the uptime.


class Later:
    pools = mempool.pools
    stats_into = mempool.stats_into
    now_s = 40

    def uptime_s():
        return Later.now_s


span = sys.modules["memdiag.span"]
span.mempool = Later
with memdiag.track("long", None) as spent:
    Later.now_s += 1200
span.mempool = mempool
assert spent.time_us == 1200000000 and spent.blocks == 0, spent.time_us

# An exception goes on its way, and is accounted for.
try:
    with memdiag.track("failing", said.append):
        mempool.take(40)
        raise KeyError("x")
except KeyError:
    pass
assert said[1].startswith("failing: utilization 0 -> 0 %, +1 blocks, +64 bytes, "), said


# A log that fails raises, and never in place of what the body raised.
def fails(line):
    raise OSError(line)


try:
    with memdiag.track("logged", fails):
        pass
    raise SystemExit("the log's error is lost")
except OSError as fault:
    assert str(fault).startswith("logged: utilization ")
try:
    with memdiag.track("both", fails):
        raise KeyError("x")
except KeyError:
    pass
