# Thousands of random operations against a plain model of what must come of them. The seed is
# printed where it fails.
# timeout: 240
import array
import gc
import sys

import boardcfg
import mempool
import uctypes

# The model keeps a copy of every block: the emulated boards' GC heap has room for some of them.
ROUNDS, MOST = (120000, 500) if sys.platform == "linux" else (9000, 60)
STRICT = boardcfg.MEMORY_POOL_STRICT_MODE
RESERVE = boardcfg.MEMORY_POOL_EMERGENCY_RESERVE
POOLS = mempool.pools()
state = 0


def rnd(n):
    # xorshift32: the same on every machine
    global state
    state ^= state << 13 & 0xFFFFFFFF
    state ^= state >> 17
    state ^= state << 5 & 0xFFFFFFFF
    return state % n


def pick(items):
    return items[rnd(len(items))]


class Held:
    # What the model knows of one block: its handle, its size, its bytes, and the Block that holds
    # it, if any.
    def __init__(self, handle, size, block=None):
        self.handle = handle
        self.size = size
        self.block = block
        self.bytes = None
        self.views = []

    def fill(self):
        self.bytes = bytes([rnd(256)]) * self.size
        assert mempool.write(self.handle, 0, self.bytes) == self.size


live = {}
stale = [0] * 16
empties = [mempool.Block() for _ in range(4)]
owners = [None]
for n in range(min(3, boardcfg.MEMORY_POOL_OWNERS)):
    owners.append(mempool.Owner("fuzz%d" % n, 2048 * n))
words = array.array("I", [0] * 64)
dropped = 0
counts = {}
WEIRD = (0, 1, -1, 31, 32, 33, 512, 513, 1 << 13, 1 << 29, (1 << 30) - 1, 1 << 30, 1 << 31)
WEIRD = WEIRD + (-(1 << 31), 1 << 64, True)
T = mempool.Struct({"a": uctypes.UINT32 | 0, "b": uctypes.UINT8 | 40})


def count(name):
    counts[name] = counts.get(name, 0) + 1


def add(held):
    assert held.handle not in live, "one block, two holders"
    live[held.handle] = held
    held.fill()


def remove(held):
    del live[held.handle]
    stale[rnd(len(stale))] = held.handle
    for view in held.views:
        try:
            view[0]
            raise SystemExit("a view of a free block can be read")
        except ValueError:
            pass
    if held.block is not None:
        assert not held.block
        empties.append(held.block)


def random_size():
    return rnd(512) + 1 if rnd(4) == 0 else rnd(rnd(512) + 1) + 1


def alloc():
    size = random_size()
    critical, spill, owner = rnd(4) == 0, rnd(3) == 0, pick(owners)
    into = rnd(2)
    # Looked at before: making the exception may run the collector, which gives dropped blocks
    # back.
    fits = [pool for pool in POOLS if pool.block_size >= size]
    kept = 0 if critical else RESERVE
    room = [pool for pool in fits[: 5 if spill else 1] if pool.free > kept]
    try:
        if into and empties:
            block = empties.pop(rnd(len(empties)))
            held = block
            mempool.alloc_into(block, size, critical=critical, spill=spill, owner=owner)
        else:
            held = None
            block = mempool.alloc(size, critical=critical, spill=spill, owner=owner)
    except MemoryError as error:
        if held is not None:
            assert not held
            empties.append(held)
        if "memory allocation failed" in str(error):
            return  # MicroPython's own: a small heap was full
        if owner is None:
            assert STRICT and not room, "refused, and there was room"
        count("refused")
        return
    assert len(block) == size and block.owner is owner
    if block.pool is not None:
        assert block.capacity == block.pool.block_size >= size
        assert spill or block.capacity < 2 * size or block.capacity == 32
    add(Held(block.handle, size, block))
    count("alloc")


def take():
    size = pick(WEIRD) if rnd(4) == 0 else random_size()
    owner = pick(owners)
    handle = mempool.take(size) if owner is None else owner.take(size)
    if handle > 0:
        assert 1 <= size <= 512
        add(Held(handle, int(size)))
        count("take")
    else:
        assert handle in (mempool.E_EXHAUSTED, mempool.E_SIZE, mempool.E_QUOTA)
        assert (handle == mempool.E_SIZE) == (not 1 <= size <= 512)
        assert owner is not None or handle != mempool.E_QUOTA


def end():
    if not live:
        return
    held = pick(list(live.values()))
    way = rnd(6)
    if held.block is None or way == 0:
        assert mempool.give(held.handle) == 0
    elif way == 1:
        with held.block:
            pass
    elif way == 2:
        assert mempool.give(held.block.detach()) == 0
    else:
        held.block.free()
    remove(held)
    assert mempool.give(held.handle) == mempool.E_STALE
    count("end")


def hand_over():
    if not live:
        return
    held = pick(list(live.values()))
    if held.block is not None:
        assert held.block.detach() == held.handle and not held.block
        empties.append(held.block)
        held.block = None
        held.views = []
    elif empties:
        block = empties.pop()
        block.attach(held.handle)
        assert block == held.bytes
        held.block = block
    count("hand over")


def use():
    if not live:
        return
    held = pick(list(live.values()))
    offset, length = rnd(held.size + 4), rnd(40)
    data = bytes([rnd(256)]) * length
    block = held.block
    way = rnd(6)
    if way == 0:
        result = mempool.write(held.handle, offset, data)
        if offset + length <= held.size:
            assert result == length
            held.bytes = held.bytes[:offset] + data + held.bytes[offset + length :]
        else:
            assert result == mempool.E_RANGE
    elif way == 1:
        into = bytearray(length)
        result = mempool.read(held.handle, offset, into)
        if offset + length <= held.size:
            assert result == length and into == held.bytes[offset : offset + length]
        else:
            assert result == mempool.E_RANGE and into == bytes(length)
    elif block is None:
        return
    elif way == 2:
        view = block[offset : offset + length]
        assert view == held.bytes[offset : offset + length]
        if len(view) and len(held.views) < 4:
            held.views.append(view)
    elif way == 3:
        try:
            block[offset : offset + length] = data
            assert offset + length <= held.size or length == 0
            held.bytes = held.bytes[:offset] + data + held.bytes[offset + length :]
        except ValueError:
            assert offset + length > held.size
    elif way == 4:
        index = offset - held.size // 2
        try:
            block[index] = 7
            assert -held.size <= index < held.size
            assert block[index] == 7
            changed = bytearray(held.bytes)
            changed[index] = 7
            held.bytes = bytes(changed)
        except IndexError:
            assert not -held.size <= index < held.size
    elif held.views:
        view = pick(held.views)
        before = bytes(view)
        view[0] = before[0]
        assert view == before and list(view[:3]) == list(before[:3])
    assert block is None or block == held.bytes
    count("use")


def misuse():
    handle = pick(stale) if rnd(2) else pick(WEIRD)
    if handle in live:
        return
    refusals = (mempool.E_STALE, mempool.E_FOREIGN)
    assert mempool.give(handle) in refusals, handle
    assert mempool.write(handle, 0, b"x") in refusals
    assert mempool.read(handle, 0, bytearray(1)) in refusals
    if empties:
        try:
            empties[-1].attach(handle)
            raise SystemExit("attached %s" % handle)
        except ValueError:
            pass
    if live:
        held = pick(list(live.values()))
        for forged in (held.handle ^ 1 << 13, held.handle ^ 1 << 29, -held.handle):
            assert forged in live or mempool.give(forged) in refusals
        if held.block is not None:
            for block in (held.block, mempool.Block()):
                try:
                    block.attach(held.handle)
                    raise SystemExit("a second owner")
                except ValueError:
                    pass
    try:
        mempool.alloc(pick((0, -1, 1 << 70, -(1 << 70))))
        raise SystemExit("no ValueError")
    except ValueError:
        pass
    count("misuse")


def struct():
    try:
        with T(owner=pick(owners)) as s:
            value = rnd(1 << 30)
            s.a = value
            s.b = value & 255
            assert s.a == value and s.b == value & 255 and s.handle not in live
    except MemoryError:
        return
    try:
        s.a
        raise SystemExit("a free struct can be read")
    except ValueError:
        count("struct")


def drop():
    global dropped
    try:
        block = mempool.alloc(random_size())
        block[0] = 1
        dropped += 1
        count("drop")
    except MemoryError:
        pass


def look():
    global dropped
    stats = mempool.stats()
    assert stats.used + stats.free == stats.capacity
    assert stats.requested <= stats.used <= stats.peak
    mempool.stats_into(words)
    mempool.leaks_into(words, rnd(2) * 60000)
    for owner in owners[1:]:
        assert owner.used <= owner.peak and (owner.quota == 0 or owner.used <= owner.quota), owner
    if rnd(8) == 0:
        str(POOLS)
        if MOST > 100:
            # Long texts and lists: more than a small and fragmented heap has in one piece.
            str(mempool.leaks(0))
            str([held.block for held in live.values()])
    if rnd(8) == 0:
        gc.collect()
        in_use = sum(pool.used for pool in POOLS)
        ours = sum(1 for held in live if held >> 10 & 7 <= 5)
        # The collector sees what looks like a pointer: a few dropped ones may stay.
        assert ours <= in_use <= ours + dropped, (ours, in_use, dropped)
        dropped = in_use - ours
    if rnd(16) == 0:
        for held in live.values():
            assert held.block is None or held.block == held.bytes
    assert mempool.check() == 0
    count("look")


def clear():
    while live:
        held = live[next(iter(live))]
        mempool.give(held.handle)
        remove(held)
    del empties[8:]


ACTIONS = (
    [alloc] * 10
    + [take] * 6
    + [end] * 13
    + [hand_over] * 4
    + [use] * 16
    + [misuse] * 4
    + [struct, drop, look]
)


def run(seed, rounds):
    global state
    state = seed
    step = 0
    try:
        for step in range(rounds):
            pick(ACTIONS)()
            if rnd(997) == 0 or len(live) > MOST:
                clear()
        clear()
        look()
    except BaseException:
        print("seed", seed, "step", step, "done", counts)
        raise


for seed in (20261123, 987654321, 5):
    run(seed, ROUNDS // 3)
clear()
for _ in range(3):
    gc.collect()
assert mempool.stats().used <= 512 * 3 and mempool.check() == 0
assert min(counts.values()) > 10 and len(counts) >= 9, counts
