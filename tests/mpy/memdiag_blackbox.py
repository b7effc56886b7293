# memdiag.BlackBox: what one life leaves to the next, told whole, missing or corrupt, at whatever
# byte it was damaged. That resets and kill -9 leave it: tests/emulated/test_blackbox.py.
# timeout: 180
import binascii
import gc
import struct
import sys

import boardcfg
import memdiag
import mempool
import micropython
import uctypes
from memdiag import BlackBox, Monitor

noinit = mempool.noinit
TRACED = boardcfg.MEMORY_POOL_TRACE_ALLOCATIONS
UNIX = sys.platform in ("linux", "darwin")


def raises(error, call, *arguments):
    try:
        call(*arguments)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s" % (error.__name__, arguments))


def missing_is_said():
    noinit[:] = bytes(len(noinit))
    told = BlackBox(noinit).read()
    assert told["state"] == "missing" and told["why_not"] == "noinit holds no black box", told
    assert told["reset_cause"] == noinit.reset_cause
    assert told["snapshot"] is None and told["operations"] == [] and told["why"] == ""


missing_is_said()


def what_it_keeps():
    box = BlackBox(noinit)
    first = mempool.Owner("first")
    second = mempool.Owner("second owner 15")
    held = [first.take(30) for _ in range(3)] + [second.take(400)]
    loose = mempool.take(100)
    freed = second.take(10)
    assert mempool.give(freed) == 0 and mempool.give(freed) == mempool.E_STALE
    box.flags[3] = 1
    box.save("safe state: all of it " + "\xe9" * 20)
    stats = mempool.stats()
    told = memdiag.blackbox(noinit)  # of a store that is named: what is in it now
    assert told["state"] == "valid" and told["why_not"] == "" and told["lives"] == 1, told
    assert abs(told["uptime_s"] - mempool.uptime_s()) <= 1
    # Cut after whole letters.
    assert told["why"] == "safe state: all of it " + "\xe9" * 11, told["why"]
    snapshot = told["snapshot"]
    for name in ("capacity", "used", "free", "peak", "utilization", "allocs", "frees"):
        assert snapshot[name] == getattr(stats, name), (name, snapshot, stats)
    for name in ("failures", "spills", "reclaimed", "refused", "denied", "heap_used"):
        assert snapshot[name] == getattr(stats, name), (name, snapshot, stats)
    for name in ("requested", "waste", "level"):
        assert snapshot[name] == getattr(stats, name), (name, snapshot, stats)
    for pool in mempool.pools():
        one = snapshot["pools"][pool.name]
        expected = (pool.block_size, pool.count, pool.used, pool.free, pool.peak)
        found = [one[key] for key in ("block_size", "count", "used", "free", "peak")]
        assert tuple(found) == expected, (one, pool)
    owners = snapshot["owners"]
    assert owners["first"]["used"] == 96 and owners["second owner 15"]["used"] == 512, owners
    assert owners["nobody"]["used"] == 128
    assert len(snapshot["suspects"]) == 1
    operations = told["operations"]
    if TRACED:
        assert told["not_traced"] == ""
        last = [(what, handle, size, owner) for what, handle, size, owner, _ in operations[-8:]]
        assert last == [
            ("take", held[0], 30, "first"),
            ("take", held[1], 30, "first"),
            ("take", held[2], 30, "first"),
            ("take", held[3], 400, "second owner 15"),
            ("take", loose, 100, None),
            ("take", freed, 10, "second owner 15"),
            ("give", freed, 10, "second owner 15"),
            ("refuse", freed, last[-1][2], last[-1][3]),
        ], last
        assert all([0 <= age_ms < 60000 for _, _, _, _, age_ms in operations])
    else:
        assert operations == [] and "TRACE_ALLOCATIONS" in told["not_traced"]
    for handle in held + [loose]:
        mempool.give(handle)
    # `why` stays until the next; the last 32 operations are kept, and no more.
    for _ in range(20):
        mempool.give(mempool.take(33))
    box.save()
    told = memdiag.blackbox(noinit)
    assert told["why"].startswith("safe state") and len(told["operations"]) == 32 * TRACED
    box.save("")
    assert memdiag.blackbox(noinit)["why"] == ""
    # The names of owners that came later.
    owner = mempool.Owner("late")
    block = owner.alloc(64)
    box.save()
    assert memdiag.blackbox(noinit)["snapshot"]["owners"]["late"]["used"] == 64
    block.free()
    # Of many names those that matter are whole.
    many = [mempool.Owner("a long name %02d" % nth) for nth in range(10)]
    held = many[7].take(30)
    box.save("", True)
    owners = memdiag.blackbox(noinit)["snapshot"]["owners"]
    assert owners["a long name 07"]["used"] == 32, owners
    mempool.give(held)


what_it_keeps()


def another_life():
    """A second BlackBox finds what the first has left, and that is what blackbox() tells."""
    box = BlackBox(noinit)
    assert box.read()["lives"] == 2 - 1 and memdiag.blackbox()["state"] == "valid"
    assert box.raw == bytes(noinit)[: len(box.raw)] and len(box.raw) >= 256
    box.save("second life")
    assert memdiag.blackbox()["why"] == ""  # still the life before
    assert memdiag.blackbox(noinit)["lives"] == 2
    assert BlackBox(noinit).read()["why"] == "second life"


another_life()


def every_byte_of_noinit():
    """Behind the back of its CRC, as a stray pointer of C would."""
    BlackBox(noinit).save("to be damaged")
    size = len(noinit)
    stray = uctypes.bytearray_at(uctypes.addressof(noinit), size)
    for at in range(size):
        stray[at] ^= 1 << at % 8
        told = memdiag.blackbox(noinit)
        expected = "missing" if noinit.reset_cause == "power-on" else "corrupt"
        assert told["state"] == expected and told["why_not"], (at, told)
        stray[at] ^= 1 << at % 8
        if at % 64 == 0:
            assert memdiag.blackbox(noinit)["why"] == "to be damaged"
            gc.collect()
    assert memdiag.blackbox(noinit)["why"] == "to be damaged"


every_byte_of_noinit()


def no_heap():
    box = BlackBox(noinit)
    monitor = Monitor(bus=None, blackbox=box)
    mem_alloc = gc.mem_alloc
    monitor.tick(0)
    gc.collect()
    gc.disable()
    before = mem_alloc()
    for nth in range(1, 150):
        monitor.tick(1000 * nth)
    after = mem_alloc()
    gc.enable()
    monitor.stop()
    print("GC heap of 149 periods with a black box:", after - before, "bytes")
    assert after == before


no_heap()


# Without any heap, as where it is full, it still says why, and who holds what: a name that is
# new is there once there is room for it.
def locked_heap():
    box = BlackBox(noinit)
    box.save("running")
    leaky = mempool.Owner("leaky")
    held = [leaky.take(500), leaky.take(500)]
    why = "safe state: no GC heap " + "\xe9" * 20
    micropython.heap_lock()
    try:
        box.save(why, True)
        box.save()
    finally:
        micropython.heap_unlock()
    told = memdiag.blackbox(noinit)
    assert told["state"] == "valid" and told["why"] == why[:23] + "\xe9" * 10, told
    assert told["snapshot"]["used"] == 1024
    assert {"used": 1024} in told["snapshot"]["owners"].values(), told["snapshot"]["owners"]
    box.save()
    assert memdiag.blackbox(noinit)["snapshot"]["owners"]["leaky"] == {"used": 1024}
    for handle in held:
        mempool.give(handle)
    return leaky


leaky = locked_heap()


def by_the_monitor():
    """Every period, at an edge before the callback, and with the suspects."""
    box = BlackBox(noinit)
    seen = []

    def on_alert(level, what):
        told = memdiag.blackbox(noinit)
        seen.append((level, told["snapshot"]["pools"]["TINY"]["used"]))
        if level == 2:
            box.save("safe state: %s is full" % what.name)

    monitor = Monitor(bus=None, blackbox=box, on_alert=on_alert, window_s=1, windows=3)
    monitor.tick(0)
    held = []
    for _ in range(mempool.TINY.count):
        held.append(mempool.alloc(32, critical=True, spill=False).detach())
    monitor.tick(1000)
    assert seen == [(2, mempool.TINY.count)], seen
    told = memdiag.blackbox(noinit)
    assert told["why"] == "safe state: TINY is full" and told["snapshot"]["level"] == 2
    for handle in held:
        mempool.give(handle)
    monitor.tick(2000)
    held = []
    for nth in range(4):
        held.append(leaky.take(200))
        monitor.tick(3000 + 1000 * nth)
    assert monitor.suspects == ["leaky"], monitor.suspects
    assert memdiag.blackbox(noinit)["snapshot"]["suspects"] == ["leaky"]
    for handle in held:
        mempool.give(handle)
    monitor.stop()

    # A store that fails stops nothing.
    class Full:
        def save(self, why, edge):
            raise OSError(28)

    monitor = Monitor(bus=None, blackbox=Full())
    monitor.tick(0)
    monitor.tick(1000)
    assert monitor.faults == 2 and monitor.samples == 2
    monitor.stop()


by_the_monitor()

# ---- Bad arguments
assert "store must be mempool.noinit" in raises(TypeError, BlackBox, bytearray(512))
assert "store must be mempool.noinit" in raises(TypeError, BlackBox, 5)
text = raises(ValueError, BlackBox, noinit[:100])
assert "bytes or more, not 100 (CONFIG_MEMORY_POOL_NOINIT_BYTES)" in text, text
assert raises(TypeError, BlackBox(noinit).save, 5) == "why must be a str, not int"
half = BlackBox(noinit[:256])  # a smaller one keeps less
half.save("half")
assert memdiag.blackbox(noinit[:256])["why"] == "half"
assert "another size" in memdiag.blackbox(noinit)["why_not"]


def file():
    import os

    path = "/tmp/mempool-blackbox-%d.bin" % (os.urandom(4)[0] << 8 | os.urandom(1)[0])

    def contents():
        with open(path, "rb") as f:
            return f.read()

    def put(data):
        with open(path, "wb") as f:
            f.write(data)

    try:
        told = memdiag.blackbox(path)
        assert told["state"] == "missing" and path in told["why_not"], told
        box = BlackBox(path)
        assert box.read()["state"] == "missing"
        box.save("one")
        first = contents()
        box.save("two")
        two = contents()
        box.close()
        assert len(first) == 1024 and len(two) == 2048 and two[:1024] == first
        assert memdiag.blackbox(path)["why"] == "two"
        # One record, cut or damaged at every byte.
        for at in range(1024):
            put(first[:at])
            told = memdiag.blackbox(path)
            assert told["state"] == ("corrupt" if at else "missing") and told["why_not"], (
                at,
                told,
            )
            put(first[:at] + bytes([first[at] ^ 1 << at % 8]) + first[at + 1 :])
            told = memdiag.blackbox(path)
            assert told["state"] == "corrupt" and told["why_not"], (at, told)
        # Two: the older is there, whatever happens to the newer, and that is said.
        for at in range(1024):
            put(two[: 1024 + at])
            told = memdiag.blackbox(path)
            assert told["why"] == "one" and bool(told["why_not"]) == (at > 0), (at, told)
            put(two[: 1024 + at] + bytes([two[1024 + at] ^ 1]) + two[1025 + at :])
            told = memdiag.blackbox(path)
            assert told["why"] == "one" and "damaged" in told["why_not"], (at, told)
        # The next write goes over the damaged one.
        box = BlackBox(path)
        box.save("three")
        assert memdiag.blackbox(path)["why"] == "three" and memdiag.blackbox(path)["lives"] == 2
        assert memdiag.blackbox(path)["why_not"] == ""
        box.close()
        # Whole by its CRC, and no record of this firmware all the same.
        strange = bytearray(1024)
        strange[:4] = first[:4]
        strange[4:8] = struct.pack("<I", binascii.crc32(strange))
        put(strange)
        told = memdiag.blackbox(path)
        assert told["state"] == "corrupt" and "no blocks" in told["why_not"], told
        assert told["snapshot"] is None and told["uptime_s"] is None
        put(b"not a black box at all" * 100)
        assert BlackBox(path).read()["state"] == "corrupt"
    finally:
        os.remove(path)
    assert raises(OSError, BlackBox, "/nowhere/x") == "[Errno 2] ENOENT: black box /nowhere/x"
    assert raises(OSError, BlackBox, "/tmp") == "[Errno 21] EISDIR: black box /tmp"
    assert raises(OSError, memdiag.blackbox, "/tmp") == "[Errno 21] EISDIR: black box /tmp"
    full = BlackBox("/dev/full")
    try:
        full.save()
        raise SystemExit("a full disk is not told")
    except OSError as fault:
        assert fault.errno == 28 and "black box /dev/full" in str(fault), fault
    full.close()


if UNIX:
    file()
assert mempool.stats().used == 0 and mempool.check() == 0
