"""memdiag.BlackBox over resets of the emulated boards, and over kill -9 on this computer: the next
life reads what the last one did, or that there is nothing, or that it is damaged.
"""

import json
import random
import signal
import subprocess

import machine
from boardrun import run
from waiting import PATIENCE_S

FIRST = """
import memdiag, mempool
box = memdiag.BlackBox()
monitor = memdiag.Monitor(blackbox=box, bus=None)
logger = mempool.Owner("logger")
kept = [logger.alloc(100) for _ in range(3)]
kept.pop().free()
monitor.tick(0)
box.save("safe state: the door fell off")
"""
SECOND = """
import json, memdiag
print(json.dumps(memdiag.blackbox()))
"""
STRAY = """
import mempool, uctypes
from uctypes import UINT8
stray = uctypes.struct(uctypes.addressof(mempool.noinit) + 100, {"byte": UINT8 | 0})
stray.byte ^= 4
"""


def told(board):
    return json.loads(run(board, SECOND))


def is_the_first_life(found):
    assert found["state"] == "valid" and found["why_not"] == "", found
    assert found["why"] == "safe state: the door fell off"
    snapshot = found["snapshot"]
    assert snapshot["owners"]["logger"]["used"] == 256
    assert snapshot["pools"]["MEDIUM"]["used"] == 2 and snapshot["pools"]["MEDIUM"]["peak"] == 3
    last = [(what, size, owner) for what, _, size, owner, _ in found["operations"][-5:]]
    assert (
        last
        == [
            *[("take", 100, "logger")] * 3,
            ("give", 100, "logger"),
            ("take", 512, "memdiag"),
        ]
        or last[:4].count(("take", 100, "logger")) == 3
    ), last


def test_power_on_leaves_nothing(board):
    found = told(board)
    assert found["state"] == "missing" and "power-on" in found["why_not"], found
    assert found["snapshot"] is None and found["operations"] == []


def test_a_reset_leaves_it(board):
    run(board, FIRST)
    board.hard_reset()
    found = told(board)
    is_the_first_life(found)
    assert found["reset_cause"] == "software"
    # It is there until the next life has something to save.
    board.hard_reset()
    is_the_first_life(told(board))
    run(board, FIRST)
    board.hard_reset()
    assert told(board)["lives"] == 2


def test_a_soft_reset_leaves_it(board):
    run(board, FIRST)
    board.soft_reset()
    found = told(board)
    is_the_first_life(found)
    assert found["reset_cause"] == "power-on"


def test_a_damaged_one_is_said_to_be_so(board):
    run(board, FIRST + STRAY)
    board.hard_reset()
    found = told(board)
    assert found["state"] == "corrupt" and found["reset_cause"] == "software", found
    assert found["why_not"] == "noinit did not come through the reset whole"


# ---- kill -9

LIVING = """
import memdiag, mempool, time
box = memdiag.BlackBox("blackbox.bin")
leaky = mempool.Owner("leaky")
nth = 0
while True:
    if nth % 1000 == 0:
        leaky.take(30)
    nth += 1
    box.save("save %d" % nth)
    if nth == 11:
        print("ready")
"""
AFTER = """
import json, memdiag
print(json.dumps(memdiag.blackbox()))
"""


def test_kill_leaves_it(tmp_path):
    binary = str(machine.binary("unix"))

    def read():
        done = subprocess.run(
            [binary, "-c", AFTER],
            cwd=tmp_path,
            capture_output=True,
            timeout=PATIENCE_S,
            check=True,
        )
        return json.loads(done.stdout)

    assert read()["state"] == "missing"
    chance = random.Random(1)
    for life in range(1, 13):
        process = subprocess.Popen([binary, "-c", LIVING], cwd=tmp_path, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            process.wait(chance.random() / 10)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        assert process.wait(PATIENCE_S) == -signal.SIGKILL
        found = read()
        assert found["state"] == "valid" and found["lives"] == life, found
        saves = int(found["why"].split()[1])
        assert saves > 10
        assert found["snapshot"]["owners"]["leaky"]["used"] == 32 * ((saves - 1) // 1000 + 1)
