"""The page in a real terminal: how it begins, how it ends, and what it leaves behind."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time

import pytest
from tool import ENVIRONMENT, ROOT
from waiting import PATIENCE_S

PAGE_BEGINS = b"\x1b[?1049h"
PAGE_ENDS = b"\x1b[?1049l"


class Terminal:
    def __init__(self, *arguments):
        self.host, end = pty.openpty()
        termios.tcsetwinsize(end, (48, 120))
        self.before = termios.tcgetattr(end)
        self.process = subprocess.Popen(
            [sys.executable, "tools/monitor.py", *map(str, arguments)],
            cwd=ROOT,
            stdin=end,
            stdout=end,
            stderr=end,
            start_new_session=True,
            env=ENVIRONMENT | {"TERM": "xterm-256color"},
        )
        self.end = end
        self.shown = b""

    def until(self, text):
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown[-2000:]
            if select.select([self.host], [], [], 0.1)[0]:
                self.shown += os.read(self.host, 65536)

    def ended(self):
        """Its status, when all that it said is read."""
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None or select.select([self.host], [], [], 0.2)[0]:
            assert time.monotonic() < deadline, self.shown[-2000:]
            if select.select([self.host], [], [], 0.1)[0]:
                self.shown += os.read(self.host, 65536)
        return self.process.returncode

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.host)
        os.close(self.end)


@pytest.fixture
def terminal():
    made = []

    def start(*arguments):
        made.append(Terminal(*arguments))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.mark.parametrize("how", [b"q", b"\x03", signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_whatever_ends_it_the_terminal_is_as_it_was(terminal, responder, tmp_path, how):
    record, page = tmp_path / "r.jsonl", tmp_path / "o.html"
    one = terminal(
        *("--port", responder.url, "--period", "100"),
        *("--record", record, "--report", page),
    )
    one.until(PAGE_BEGINS)
    one.until(b"FAKE")
    if isinstance(how, bytes):
        os.write(one.host, how)
    else:
        one.process.send_signal(how)
    assert one.ended() == 0, one.shown[-2000:]
    assert PAGE_ENDS in one.shown and b"Traceback" not in one.shown
    assert one.shown.rindex(b"open it in a browser") > one.shown.rindex(PAGE_ENDS)
    assert termios.tcgetattr(one.end) == one.before
    assert record.read_text().count('"live"') >= 1 and "<svg" in page.read_text()


def test_trouble_is_shown_on_it(terminal):
    one = terminal("--port", "udp://127.0.0.1:9")
    one.until(b"nobody answers at udp://127.0.0.1:9")
    os.write(one.host, b"q")
    assert one.ended() == 0
