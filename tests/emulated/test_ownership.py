"""What C owns, Python cannot use, give back or attach, however it came by the handle."""

import machine
import pytest
from waiting import PROGRAM_S

SOURCE = """
import _platform, array, mempool, time
_platform.stress_start(100)
while len(mempool.leaks(0)) < 6:
    time.sleep_ms(1)
_platform.ticker(0)  # the interrupt stops, and holds what it holds
held = mempool.leaks(0)
assert len(held) > 3 and mempool.stats().used > 0
mempool.reset_stats()
into = bytearray(2)
for handle, owner, size, age_ms in held:
    assert owner is None
    assert mempool.give(handle) == mempool.E_FOREIGN
    assert mempool.write(handle, 0, b"x") == mempool.E_FOREIGN
    assert mempool.read(handle, 0, into) == mempool.E_FOREIGN
    try:
        mempool.Block().attach(handle)
        raise SystemExit("attached what C owns")
    except ValueError as error:
        assert str(error) == "handle is foreign"
assert mempool.stats().refused == 3 * len(held), mempool.stats()
words = array.array("I", [0] * 4 * len(held))
assert mempool.leaks_into(words, 0) == len(held)
assert [words[4 * n] for n in range(len(held))] == [entry[0] for entry in held]
interrupts, takes, gives, errors, left = _platform.stress_stop()
assert left == len(held) and errors == 0 and takes == gives, (left, errors, takes, gives)
for handle, owner, size, age_ms in held:
    assert mempool.give(handle) == mempool.E_STALE
assert mempool.stats().used == 0 and mempool.check() == 0
"""


@pytest.mark.parametrize("target", ["cm3", "rv32"])
def test_blocks_of_c_are_foreign(target):
    with machine.Machine(target) as board:
        status, output = board.run(SOURCE, timeout=PROGRAM_S)
        assert status == 0, output.decode() + board.traceback
