"""mempool.noinit over soft resets and resets of the emulated boards: a program finds the content
as it was, or that it is not there.
"""

from boardrun import run

WRITE = """
import mempool
mempool.noinit[:] = bytes(i * 7 & 255 for i in range(len(mempool.noinit)))
kept = mempool.alloc(100)
"""
FIND = """
import mempool
assert mempool.noinit.valid
assert mempool.noinit == bytes(i * 7 & 255 for i in range(len(mempool.noinit)))
assert mempool.stats().used == 0
print(mempool.noinit.reset_cause)
"""
FRESH = """
import mempool
assert not mempool.noinit.valid
assert mempool.noinit == bytes(len(mempool.noinit))
print(mempool.noinit.reset_cause)
"""
# Behind the back of the CRC, as a stray pointer of C would.
STRAY = """
import mempool, uctypes
from uctypes import UINT8
stray = uctypes.struct(uctypes.addressof(mempool.noinit) + 3, {"byte": UINT8 | 0})
stray.byte ^= 1
assert not mempool.noinit.valid
print("written")
"""


def test_power_on_finds_nothing(board):
    assert run(board, FRESH) == "power-on\n"


def test_a_soft_reset_keeps_it(board):
    run(board, WRITE)
    board.soft_reset()
    assert run(board, FIND) == "power-on\n"


def test_a_reset_of_the_machine_keeps_it(board):
    run(board, WRITE)
    for _ in range(3):
        board.hard_reset()
        assert run(board, FIND) == "software\n"


def test_a_stray_write_is_seen_by_the_next_life(board):
    run(board, WRITE)
    assert run(board, STRAY) == "written\n"
    board.hard_reset()
    assert run(board, FRESH) == "software\n"
