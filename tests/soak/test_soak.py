"""A month of the cold room with all its faults; and a broken invariant is found."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import run  # noqa: E402

TARGET = "unix"
MONTH_S = run.seconds("", "1")


@pytest.fixture(scope="module")
def built():
    run.build(TARGET)


def test_a_month(built, tmp_path, capfd):
    status, state = run.live(TARGET, MONTH_S, 1, tmp_path / "lives", thin=True)
    said = capfd.readouterr().out
    assert status == 0, said[-3000:]
    assert run.verdict(state) == []
    assert state["done_s"] == MONTH_S
    assert state["events"] > MONTH_S / run.DAY_S * 400_000
    assert set(state["resets"]) == {"soft", "exit", "orderly", "safe", "power"}
    assert len(state["wraps"]) > 90 and all(state["wraps"].values())
    assert state["looks"] >= MONTH_S / 3600


# What a life runs before it begins, and what it must then be ended with.
BREAKS = {
    "a block that nobody gives back": (
        "import mempool\nfrom refrigeration.records import Logger\n"
        "before = Logger._flush\n"
        "def flush(self):\n"
        "    if self.world.now_s == 3000:\n"
        "        mempool.take(32)\n"
        "    before(self)\n"
        "Logger._flush = flush\n",
        "blocks held by",
    ),
    "an event that the books do not see": (
        "from eventbus import bus\nfrom refrigeration.sensors import Sensors\n"
        "before = Sensors._complain\n"
        "def complain(self):\n"
        "    count, bus.filter = bus.filter, None\n"
        "    bus.publish('system.error', priority=1, error_code=0)\n"
        "    bus.filter = count\n"
        "    before(self)\n"
        "Sensors._complain = complain\n",
        "published and refused are not what was asked",
    ),
    "a GC heap that grows": (
        "from refrigeration.world import World\n"
        "kept = [None] * 20000\n"
        "before = World.step\n"
        "def step(self):\n"
        "    kept[self.now_s // 2] = self.now_s * 1.5\n"
        "    before(self)\n"
        "World.step = step\n",
        "the GC heap grows",
    ),
    "a record that is lost": (
        "from memdiag.backlog import Backlog\n"
        "before = Backlog.put\n"
        "def put(self, head, tail, alert):\n"
        "    return head[1] % 10 == 0 or before(self, head, tail, alert)\n"
        "Backlog.put = put\n",
        "records lost uncounted",
    ),
}


@pytest.mark.parametrize("what", BREAKS)
def test_what_is_broken_is_found(built, tmp_path, capfd, what):
    code, expected = BREAKS[what]
    status, state = run.live(TARGET, 4 * 3600, 1, tmp_path / "lives", nudge=code)
    heard = capfd.readouterr()
    said = heard.out + heard.err + "\n".join(run.verdict(state))
    assert expected in said, said[-2000:]
    assert status or run.verdict(state)


@pytest.mark.parametrize(
    "arguments, name, limit",
    [
        (["--years", "ten"], "YEARS", "0.003 to 100"),
        (["--years", "0"], "YEARS", "0.003 to 100"),
        (["--years", "101"], "YEARS", "0.003 to 100"),
        (["--years", "nan"], "YEARS", "0.003 to 100"),
        (["--months", "-1"], "MONTHS", "0.04 to 1200"),
        (["--seed", "0"], "SEED", "1 to 29999"),
        (["--seed", "1.5"], "SEED", "1 to 29999"),
        (["--years", "1", "--months", "1"], "YEARS or MONTHS", ""),
        (["--target", "cm3"], "TARGET", "unix or unix32"),
    ],
)
def test_wrong_arguments_are_named(arguments, name, limit):
    command = [sys.executable, str(HERE / "run.py"), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 2
    assert name in ended.stderr and limit in ended.stderr
    assert ended.stderr.count("\n") == 1 and not ended.stdout
