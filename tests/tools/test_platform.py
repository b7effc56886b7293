"""The emulated boards' platform: a clock that runs, interrupts that come, Ctrl-C, soft reset."""

import threading
import time

import machine
import pytest
from waiting import PROGRAM_S


@pytest.fixture(params=["cm3", "rv32"])
def board(request):
    with machine.Machine(request.param) as board:
        yield board


def run(board, source, status=0):
    found, output = board.run(source, timeout=PROGRAM_S)
    assert found == status, output.decode() + board.traceback
    return output.decode()


def test_clocks_agree_and_never_go_back(board):
    """Each reading of one clock lies between two of the other, however long the computer leaves
    the emulator standing between them."""
    run(
        board,
        """
import time
def readings():
    return time.ticks_us(), time.time_ns(), time.ticks_us()
before = readings()
ms = time.ticks_ms()
last = us = time.ticks_us()
while time.ticks_diff(time.ticks_ms(), ms) < 300:
    now = time.ticks_us()
    assert time.ticks_diff(now, last) >= 0, (now, last)
    last = now
assert time.ticks_diff(time.ticks_us(), us) >= 299000
after = readings()
least_us, most_us = time.ticks_diff(after[0], before[2]), time.ticks_diff(after[2], before[0])
elapsed_us = (after[1] - before[1]) // 1000
assert least_us - 1000 <= elapsed_us <= most_us + 1000, (least_us, elapsed_us, most_us)
""",
    )


def test_sleeps_are_never_short(board):
    run(
        board,
        """
import time
for ms in (1, 2, 5, 20):
    start = time.ticks_us()
    time.sleep_ms(ms)
    assert time.ticks_diff(time.ticks_us(), start) >= ms * 1000, ms
for us in (10, 500, 120000):
    start = time.ticks_us()
    time.sleep_us(us)
    assert time.ticks_diff(time.ticks_us(), start) >= us, us
""",
    )


def test_clock_keeps_the_time_of_the_host(board):
    """Within a tenth: the emulator runs at the host's speed, however busy it is. What it says lies
    between two looks at the host's clock."""

    def readings():
        begin = time.monotonic()
        told = int(run(board, "import time\nprint(time.ticks_ms())")) / 1000
        return begin, told, time.monotonic()

    before = readings()
    time.sleep(2)
    after = readings()
    told = after[1] - before[1]
    assert 0.9 * (after[0] - before[2]) < told < 1.1 * (after[2] - before[0])


def test_asyncio_and_select(board):
    output = run(
        board,
        """
import asyncio, select, sys, time
async def say(text, ms):
    await asyncio.sleep_ms(ms)
    print(text)
async def main():
    await asyncio.gather(say("second", 500), say("first", 20))
asyncio.run(main())
poll = select.poll()
poll.register(sys.stdin, select.POLLIN)
start = time.ticks_ms()
assert poll.poll(50) == []
assert time.ticks_diff(time.ticks_ms(), start) >= 50
""",
    )
    assert output == "first\nsecond\n"


def test_ticker_interrupts_at_its_period(board):
    run(
        board,
        """
import _platform, time
_platform.ticker(500)
start = time.ticks_us()
first = _platform.interrupts()
# On a busy computer the emulator may need longer for them.
while time.ticks_diff(time.ticks_us(), start) < (
    400000 if _platform.interrupts() > first + 50 else 60000000
):
    pass
ticks = _platform.ticker(0)
# 800 where the host has time for all of them, and never more.
assert 40 <= ticks <= 1 + time.ticks_diff(time.ticks_us(), start) // 500, ticks
time.sleep_ms(20)
assert _platform.ticker(0) == ticks
""",
    )


def test_interrupts_preserve_every_register(board):
    """Arithmetic, floats and the collector under a fast interrupt give what they always give."""
    run(
        board,
        """
import _platform, gc
def work():
    total, f, made = 0, 1.5, []
    for i in range(4000):
        total = (total * 31 + i) & 0xffffff
        f = (f * 1.0001 + i) % 1000.0
        made.append((i, str(i)))
        if i % 500 == 0:
            made = made[-10:]
            gc.collect()
    return total, f, made[-1]
quiet = work()
_platform.ticker(30)
first = _platform.interrupts()
turns = 0
while turns < 5 or _platform.interrupts() < first + 1000:
    assert work() == quiet
    turns += 1
    assert turns < 1000, _platform.ticker(0)
assert _platform.ticker(0) >= 1000
""",
    )


def test_pools_under_interrupts(board):
    """An interrupt takes, fills, checks and gives while Python does the same."""
    output = run(
        board,
        """
import _platform, gc, mempool, time
_platform.stress_start(50)
start = time.ticks_ms()
first = _platform.interrupts()
n = 0
# On a busy computer the emulator may need longer for them.
while time.ticks_diff(time.ticks_ms(), start) < (
    3000 if _platform.interrupts() > first + 3000 else 60000
):
    h = mempool.take(1 + n * 37 % 512)
    if h > 0:
        data = bytes([n & 255]) * 8
        mempool.write(h, 0, data[:1])
        got = bytearray(1)
        assert mempool.read(h, 0, got) == 1 and got[0] == n & 255
        assert mempool.give(h) == 0
        assert mempool.give(h) == mempool.E_STALE
    n += 1
    if n % 200 == 0:
        assert mempool.check() == 0
interrupts, takes, gives, errors, held = _platform.stress_stop()
print(interrupts, takes, gives, errors)
assert mempool.check() == 0 and mempool.stats().used == 0
""",
    )
    interrupts, takes, gives, errors = map(int, output.split())
    assert interrupts > 2000 and takes > 800
    assert gives == takes and errors == 0


def test_ctrl_c_stops_a_busy_loop(board):
    timers = []

    def stop_soon(data):
        if not timers:
            timers.append(threading.Timer(0.3, board.interrupt))
            timers[0].start()

    board.show = stop_soon
    status, output = board.run("print('busy')\nwhile True:\n    pass", timeout=PROGRAM_S)
    timers[0].join()
    assert (status, output) == (1, b"busy\n")
    assert "KeyboardInterrupt" in board.traceback


def test_soft_reset_keeps_the_clock_and_ends_the_ticker(board):
    before = int(
        run(board, "import _platform, time\n_platform.ticker(100)\nprint(time.ticks_ms())")
    )
    for _ in range(5):
        board.soft_reset()
    after = run(
        board,
        """
import _platform, time
first = _platform.ticker(0)
interrupts = _platform.interrupts()
start = time.ticks_ms()
while _platform.interrupts() < interrupts + 20:  # the system's own go on
    assert time.ticks_diff(time.ticks_ms(), start) < 60000
assert _platform.ticker(0) == first
print(time.ticks_ms())
""",
    )
    assert int(after) > before


def test_namespace_is_fresh_after_a_soft_reset(board):
    run(board, "left_over = 1")
    assert run(board, "print('left_over' in globals())") == "True\n"
    board.soft_reset()
    assert run(board, "print('left_over' in globals())") == "False\n"


def test_rv32_names_the_cause_of_a_trap():
    shown = bytearray()
    with machine.Machine("rv32", show=shown.extend) as board:
        with pytest.raises(machine.MachineError, match="status 1"):
            board.run(
                "@micropython.asm_rv32\ndef bad():\n    data(4, 0xffffffff)\nbad()",
                timeout=PROGRAM_S,
            )
    assert b"platform: illegal instruction pc=" in shown


def test_instructions_are_counted_to_the_instruction():
    source = """
import _platform
def cost():
    a = _platform.cycles()
    b = _platform.cycles()
    return b - a
cost()
print(min(cost() for _ in range(20)))
"""
    costs = set()
    for _ in range(2):
        with machine.Machine("rv32", icount=True) as board:
            costs.add(run(board, source))
    assert len(costs) == 1 and 0 < int(costs.pop()) < 2000
