"""Boards and tests that misbehave: one line each, the rest goes on or ends as fits, and the status
is that of a failure.
"""

import os
import pty
import select
import threading
import time
import tty

import device_link
from waiting import PATIENCE_S, PROGRAM_S

GOOD = "print('all is well')\n"


def test_what_fails_does_not_stop_the_rest(device, script):
    files = [
        script("a_raises", "x = {}\nx['missing']\n"),
        script("b_hangs", "# timeout: 0.2\nprint('so far')\nwhile True:\n    pass\n"),
        script("c_prints", "# timeout: 0.2\nwhile True:\n    print('still here')\n"),
        script("d_differs", "print('something')\n"),
        script("e_exits", "raise SystemExit(3)\n"),
        script("f_broken", "print('unfinished'\n"),
        script("g_restarts", "import _platform\n_platform.reset()\n"),
        script("h_skips", "print('SKIP')\n"),
        script("i_elsewhere", "# targets: unix\n1 / 0\n"),
        script("j_ends", "import machine\nmachine.reset()\n"),
        script("k_good", GOOD),
    ]
    files[3].with_suffix(".exp").write_text("another thing\n")
    done = device("--port", "qemu:rv32", "--parts", "who", *files)
    assert done.status == 1, done.out
    found = {
        name: (result["verdict"], result["reason"])
        for name, result in done.results.items()
        if name != "part who"
    }
    assert found == {
        "a_raises.py": ("FAIL", "KeyError: missing"),
        "b_hangs.py": ("FAIL", "it hangs: b_hangs.py had not ended after 2 s"),
        "c_prints.py": (
            "FAIL",
            "it hangs: c_prints.py had not ended after 2 s, and still prints",
        ),
        "d_differs.py": ("FAIL", "it prints something else"),
        "e_exits.py": ("FAIL", "it failed"),
        "f_broken.py": ("FAIL", "SyntaxError: invalid syntax"),
        "g_restarts.py": (
            "FAIL",
            "it restarts: the board restarted in the middle of g_restarts.py",
        ),
        "h_skips.py": (
            "not on this board",
            "it says SKIP: the firmware is built without what it tests",
        ),
        "i_elsewhere.py": ("not on this board", "it is for unix"),
        "j_ends.py": (
            "FAIL",
            "no result: qemu:rv32 has ended: the emulated board was switched off",
        ),
        "k_good.py": ("ok", ""),
    }
    assert "FAILED: 2 ok, 8 FAIL, 2 not on this board" in done.out
    assert done.report["passed"] is False
    assert "# mempool on QEMU_RV32: FAILED" in done.markdown
    assert "+something" in done.markdown and "KeyError" in done.markdown


class Line:
    """A serial port with an emulated board behind it, which goes away some seconds after a word
    was said."""

    def __init__(self, emulator, word, seconds):
        self.word, self.seconds = word, seconds
        self.board = os.open(emulator.port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.board)
        self.host, end = pty.openpty()
        tty.setraw(end)
        self.port = os.ttyname(end)
        os.close(end)
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()

    def _carry(self):
        said = b""
        cut = time.monotonic() + PROGRAM_S
        while time.monotonic() < cut:
            try:
                ready = select.select([self.host, self.board], [], [], 0.05)[0]
                if self.host in ready:
                    os.write(self.board, os.read(self.host, 256))
                if self.board in ready:
                    data = os.read(self.board, 256)
                    os.write(self.host, data)
                    said += data
                    if self.word in said:
                        said = b""
                        cut = time.monotonic() + self.seconds
            except OSError:  # nobody has the port open now
                time.sleep(0.01)
        os.close(self.host)
        os.close(self.board)


def test_a_board_that_is_slow_to_answer_gets_the_whole_program():
    """Each piece of it is acknowledged a second late, as by an emulator on a busy computer."""
    host, end = pty.openpty()
    tty.setraw(end)
    name = os.ttyname(end)
    program = "x = 1  # of several pieces\n" * 3
    got = bytearray()

    def answer():
        held = b""
        while not held.endswith(b"\x05A\x01"):
            held += os.read(host, 1)
        time.sleep(1)
        os.write(host, b"R\x01\x20\x00")
        while True:
            got.extend(os.read(host, 1))
            if got.endswith(b"\x04"):
                break
            if len(got) % 32 == 0:
                time.sleep(1)
                os.write(host, b"\x01")
        os.write(host, b"\x04")

    thread = threading.Thread(target=answer, daemon=True)
    try:
        with device_link.Board(name) as board:
            os.close(end)
            os.write(host, b">")
            thread.start()
            board.start(program)
            thread.join(PATIENCE_S)
    finally:
        os.close(host)
    assert got.decode() == program + "\x04"


def test_a_port_that_vanishes(device, script):
    files = [
        script("a_good", GOOD),
        script("b_cut", "# timeout: 600\nprint('PULL')\nwhile True:\n    pass\n"),
        script("c_never", GOOD),
        script("d_never", GOOD),
    ]
    emulator = device_link.Emulator("rv32")
    try:
        line = Line(emulator, b"PULL", 0.3)
        done = device("--port", line.port, "--wait", "2", "--parts", "", *files)
        line.thread.join(PATIENCE_S)
    finally:
        emulator.stop()
    assert done.status == 1, done.out
    verdicts = {name: result["verdict"] for name, result in done.results.items()}
    assert verdicts == {
        "a_good.py": "ok",
        "b_cut.py": "FAIL",
        "c_never.py": "not run",
        "d_never.py": "not run",
    }
    assert f"no result: {line.port} vanished" in done.results["b_cut.py"]["reason"]
    assert done.err.count("\n") == 1 and done.err.startswith("test-device: ended early: ")
    assert line.port in done.err and "1 ok, 1 FAIL, 2 not run" in done.out
    assert "It ended early" in done.markdown


def refused(done, *parts):
    """Before anything ran: one line, and no report."""
    assert done.status == 1 and done.out == "" and done.report is None
    assert done.err.count("\n") == 1 and done.err.startswith("test-device: ")
    for part in parts:
        assert part in done.err, done.err


def test_no_port(device):
    refused(device(), "PORT=/dev/ttyUSB0", "PORT=qemu:cm3")


def test_missing_port(device):
    refused(device("--port", "/dev/ttyNOT7"), "/dev/ttyNOT7 is not there; ")


def test_unknown_emulator(device):
    refused(device("--port", "qemu:z80"), "emulated boards are qemu:cm3, qemu:rv32")


def test_unknown_part_and_file(device):
    refused(device("--port", "qemu:rv32", "--parts", "who magic"), "no part 'magic'", "stress")
    refused(device("--port", "qemu:rv32", "/none.py"), "/none.py is not there")


def test_nobody_answers(device):
    host, end = pty.openpty()
    name = os.ttyname(end)
    os.close(end)
    try:
        refused(device("--port", name, "--wait", "2"), f"{name} does not answer")
    finally:
        os.close(host)
