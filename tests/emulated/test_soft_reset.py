"""Soft resets of the emulated boards: what Python owned comes back, what C owns stays, old handles
are stale, nothing fires into the next program; a hundred in a row, most out of the middle of work.
"""

import random
import threading

from boardrun import run
from waiting import PROGRAM_S

RESETS = 100


def test_python_blocks_come_back(board):
    run(board, "import mempool\nmempool.reset_stats()")
    handles = run(
        board,
        """
import mempool, uctypes
kept = [mempool.alloc(n) for n in (1, 40, 100, 200, 500)]
views = [block[1:] for block in kept]
owner = mempool.Owner("first life", 1000)
owned = owner.alloc(300)
struct = mempool.Struct({"a": uctypes.UINT32 | 0})()
loose = [mempool.take(64) for _ in range(10)] + [owner.take(10)]
mempool.on_pressure(print)
print([block.handle for block in kept] + [owned.handle, struct.handle] + loose)
""",
    ).strip()
    board.soft_reset()
    output = run(
        board,
        f"""
import mempool
stats = mempool.stats()
assert stats.used == 0 and stats.requested == 0, stats
assert stats.reclaimed == 18 and stats.refused == 0, stats
assert stats.allocs == stats.frees == 18, stats
assert mempool.owners() == ()
for handle in {handles}:
    assert mempool.give(handle) == mempool.E_STALE
    assert mempool.write(handle, 0, b"x") == mempool.E_STALE
    try:
        mempool.Block().attach(handle)
        raise SystemExit("attached a handle of an earlier life")
    except ValueError as error:
        assert str(error) == "handle is stale"
# Edges that the callback of the first life would have printed.
taken = [mempool.take(100) for _ in range(mempool.MEDIUM.count)]
for handle in taken:
    mempool.give(handle)
assert mempool.Owner("second life").used == 0 and len(mempool.owners()) == 1
assert mempool.check() == 0
""",
    )
    assert output == ""


def test_blocks_of_c_stay(board):
    run(
        board,
        """
import _platform, mempool, time
mine = [mempool.take(32) for _ in range(8)]
_platform.stress_start(100)
while mempool.stats().used < 1024:  # so much that some is held at any moment
    time.sleep_ms(1)
""",
    )
    board.soft_reset()
    run(
        board,
        """
import _platform, mempool
used = mempool.stats().used
assert used > 0, "the interrupt held nothing"
interrupts, takes, gives, errors, held = _platform.stress_stop()
assert errors == 0 and held > 0 and takes == gives, (errors, held, takes, gives)
assert mempool.stats().used == 0 and mempool.check() == 0
""",
    )


def test_a_life_without_the_module(board):
    run(board, "import mempool\nh = mempool.take(100)\nb = mempool.alloc(10)")
    board.soft_reset()
    board.soft_reset()
    run(board, "print('nothing imported')")
    board.soft_reset()
    run(board, "import mempool\nassert mempool.stats().used == 0 and mempool.check() == 0")


# One life: sees that the last one left nothing, then allocates in every way until it is stopped.
LIFE = """
import mempool, _platform, gc
mempool.on_pressure(lambda level, pool: told.append(({life}, level)))
errors, held = _platform.stress_stop()[3:]
assert errors == 0, errors
assert mempool.stats().used == 0, mempool.stats()
assert mempool.check() == 0 and mempool.owners() == ()
for handle in {handles}:
    assert mempool.give(handle) == mempool.E_STALE, handle
told = []
_platform.stress_start(150)
owner = mempool.Owner("life {life}", 4096)
blocks = [mempool.Block() for _ in range(12)]
print([mempool.take(16), owner.take(100), mempool.alloc(50).handle])
n = {life}
while True:
    n = n * 1103515245 + 12345 & 0x3fffffff
    block = blocks[n >> 8 & 7]
    if block:
        block.free()
    else:
        try:
            mempool.alloc_into(block, (n >> 12 & 511) + 1, spill=True)
            block[0] = 1
            view = block[0:1]
        except MemoryError:
            pass
    try:
        with mempool.alloc(n & 127 or 1, owner=owner, timeout_ms=n & 3) as c:
            h = c.detach()
            c.attach(h)
    except MemoryError:
        pass
    mempool.give(mempool.take(64))
    if n & 31 == 0:
        blocks[n >> 8 & 7] = mempool.Block()
        gc.collect()
    assert all(life == {life} for life, level in told), told
    del told[8:]
"""


def test_a_hundred_resets_in_the_middle_of_work(board):
    chance = random.Random(20261123)
    run(board, "import mempool, _platform\nmempool.reset_stats()\n_platform.stress_start(1000)")
    handles = "[]"
    for life in range(1, RESETS + 1):
        board.soft_reset()
        stops = []

        def stop_soon(data, stops=stops):
            """The program runs once it prints: it is stopped a while later."""
            if not stops:
                stops.append(threading.Timer(chance.uniform(0.002, 0.06), board.interrupt))
                stops[0].start()

        board.show = stop_soon
        status, output = board.run(LIFE.format(life=life, handles=handles), timeout=PROGRAM_S)
        said = f"life {life}: {output.decode()}{board.traceback}"
        assert stops, said
        stops[0].join()
        assert status == 1 and "KeyboardInterrupt" in board.traceback, said
        handles = output.decode().splitlines()[0]
    board.soft_reset()
    run(
        board,
        f"""
import mempool, _platform
interrupts, takes, gives, errors, held = _platform.stress_stop()
assert errors == 0 and takes == gives, (errors, takes, gives)
stats = mempool.stats()
assert stats.used == 0 and stats.reclaimed > {RESETS // 2}, stats
assert stats.allocs == stats.frees, stats
for handle in {handles}:
    assert mempool.give(handle) == mempool.E_STALE
assert mempool.check() == 0
""",
    )


def test_every_pool_is_whole_after_resets(board):
    """All blocks can be had, each once, however the lives before ended."""
    for life in range(10):
        run(
            board,
            f"""
import mempool
for pool in mempool.pools():
    handles = []
    while not handles or handles[-1] > 0:
        handles.append(mempool.take(pool.block_size))
    assert len(set(handles)) == pool.count + 1, (pool, len(handles), {life})
blocks = [mempool.Block() for _ in range(5)]
""",
        )
        board.soft_reset()
    run(board, "import mempool\nassert mempool.stats().used == 0 and mempool.check() == 0")
