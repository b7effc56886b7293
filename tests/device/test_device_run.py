"""The on-device suite on the emulated boards, through the serial line and mpremote: nearly all of
it on one of them, the parts and a few tests on the other.
"""

import ast
import subprocess
from pathlib import Path

import pytest
from waiting import PROGRAM_S

ROOT = Path(__file__).resolve().parents[2]
MPY = ROOT / "tests/mpy"
# What it must say of a board that lacks something, and of the tests of other targets.
LACKING = {
    "part watchdog_reset": "the firmware has no machine.WDT",
    "bus_collect.py": "it is for unix unix32",
    "bus_threads.py": "it is for unix unix32",
    "bus_unlocked.py": "it is for unix unix32",
    "sockets.py": "it is for unix unix32",
    "wait_slices.py": "it is for unix unix32",
    "threads.py": "it is for unix unix32",
}


def figure(report, name):
    """Of a part that runs for 2 s or 5 s, and longer on a busy computer."""
    (number,) = (value for key, value in report["figures"].items() if key.startswith(name))
    return int(number)


def check_report(done, board):
    report = done.report
    assert report["passed"] and report["ended"] == ""
    assert report["board"]["board"] == board
    names = [key for key, _ in report["board"]["boardcfg"]]
    assert "MEMORY_POOL_TINY_COUNT" in names
    assert report["board"]["stats"]["capacity"] == 20480
    assert report["cycles"][0] == "cycles"
    rows = {row[0]: row[1:] for row in report["cycles"][1:]}
    assert {"take", "give", "stats"} <= set(rows)
    assert all(0 < least <= median <= most for least, median, most in rows.values())
    assert figure(report, "interrupts: in ") > 50
    assert figure(report, "stress: takes in ") > 50
    assert report["figures"]["software reset: cause"] == "software"
    for text in (f"# mempool on {board}: passed", "| take |", "MEMORY_POOL_TINY_COUNT=128"):
        assert text in done.markdown
    assert report["summary"] in done.out


def test_nearly_all_on_rv32(device):
    files = [file for file in sorted(MPY.glob("*.py")) if file.name != "demo_cold_room.py"]
    done = device("--port", "qemu:rv32", *files)
    assert done.status == 0, done.out + done.err
    check_report(done, "QEMU_RV32")
    assert len(done.results) == len(files) + 8
    for name, result in done.results.items():
        if name in LACKING:
            assert (result["verdict"], result["reason"]) == ("not on this board", LACKING[name])
        else:
            assert (result["verdict"], result["reason"]) == ("ok", ""), result


def test_quickly_on_cm3_by_make():
    files = " ".join(f"tests/mpy/{name}.py" for name in ("block", "session", "bus_events"))
    command = ["make", "--no-print-directory", "test-device", "PORT=qemu:cm3", f"FILES={files}"]
    command.append("PARTS=who cycles interrupts soft_reset")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PROGRAM_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed: 7 ok; " in done.stdout
    assert "# mempool on QEMU_CM3: passed" in (ROOT / "build/device/REPORT.md").read_text()


@pytest.mark.parametrize("name", ["soft_reset_1", "soft_reset_2", "reset_1", "reset_2", "who"])
def test_parts_are_programs(name):
    ast.parse((ROOT / f"tests/device/parts/{name}.py").read_text())


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ([], None),
        (["PARTS=who cycles"], '--parts "who cycles"'),
        (["PARTS="], '--parts ""'),
        (["PARTS= "], '--parts ""'),
    ],
)
def test_make_hands_parts_on(given, asked):
    """Without PARTS= all run, with nothing behind it none."""
    command = ["make", "-n", "--no-print-directory", "test-device", "PORT=x", *given]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (line,) = [line for line in lines.splitlines() if "tools/device.py" in line]
    assert asked in line if asked else "--parts" not in line
