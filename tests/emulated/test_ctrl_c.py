"""Ctrl-C while alloc waits for a block: the wait ends at once, and no block is lost or taken."""

import os
import signal
import threading
import time

import machine
import pytest
from waiting import PROGRAM_S

WAITS = """
import mempool
mempool.reset_stats()
taken = [mempool.take(512) for _ in range(mempool.XLARGE.count)]
block = mempool.Block()
print("waiting")
try:
    {wait}
except KeyboardInterrupt:
    print("interrupted")
assert not block and mempool.XLARGE.used == mempool.XLARGE.count, mempool.XLARGE
assert mempool.stats().failures == 0, mempool.stats()
for handle in taken:
    assert mempool.give(handle) == 0
mempool.alloc_into(block, 512, timeout_ms=10)
block.free()
assert mempool.stats().used == 0 and mempool.check() == 0
"""


@pytest.mark.parametrize("target", ["unix", "cm3", "rv32"])
@pytest.mark.parametrize(
    "wait",
    [
        "mempool.alloc_into(block, 512, timeout_ms=600000)",
        "mempool.alloc(512, spill=True, timeout_ms=600000)",
        "mempool.Struct({'x': 511})(timeout_ms=600000)",
    ],
)
def test_ctrl_c_ends_a_wait(target, wait):
    with machine.Machine(target) as board:
        timers = []

        def interrupt():
            if target == "unix":
                os.kill(board.console.process.pid, signal.SIGINT)
            else:
                board.interrupt()

        def stop_soon(data):
            if not timers:
                timers.append(threading.Timer(0.3, interrupt))
                timers[0].start()

        board.show = stop_soon
        start = time.monotonic()
        status, output = board.run(WAITS.format(wait=wait), timeout=PROGRAM_S)
        assert timers, board.traceback
        timers[0].join()
        assert (status, output) == (0, b"waiting\ninterrupted\n"), board.traceback
        assert time.monotonic() - start < 300  # long before the wait would end by itself
