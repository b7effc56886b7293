"""The edge source on unix: a signal from another process is an event, and an interpreter that ends
with its sources running ends well."""

import os
import signal

import machine
import pytest
from waiting import PATIENCE_S

LINE_SIGNAL = signal.SIGRTMIN + 7  # firmware/platform/bus_machine_unix.c

OUTSIDE = """
import _platform, sys, time
from eventbus import bus
seen = []
sub = bus.subscribe("line.*", lambda event: seen.append((event["sequence"], event["level"])))
_platform.sink("line.*")
_platform.source_edge("line.outside")
sys.stdout.write("armed\\n")
start = time.ticks_ms()
while len(seen) < 20 and time.ticks_diff(time.ticks_ms(), start) < 60000:
    time.sleep_ms(1)
timer, line = _platform.source_stop()
assert line == (20, 20, 0), line
assert seen == [(n, 1 - n % 2) for n in range(20)], seen
assert _platform.sink_read()[:2] == (20, 0), _platform.sink_read()
sys.stdout.write("disarmed\\n")
time.sleep_ms(200)
assert _platform.source_stop()[1] == line and len(seen) == 20
"""

RUNNING = """
import _platform, time
from eventbus import bus
seen = []
sub = bus.subscribe("*", lambda event: seen.append(event["sequence"]))
_platform.sink("*")
_platform.source_timer("tick.fast", 50)
_platform.source_edge("line.front")
start = time.ticks_ms()
while len(seen) < 100:
    _platform.edge()
    assert time.ticks_diff(time.ticks_ms(), start) < 60000, len(seen)
"""


@pytest.mark.parametrize("target", ["unix", "unix32"])
def test_a_signal_from_outside_is_an_event(target):
    with machine.Machine(target) as board:

        def trigger(data):
            for _ in range(20 if data.startswith(b"armed") else 3):
                os.kill(board.console.process.pid, LINE_SIGNAL)

        board.show = trigger
        status, output = board.run(OUTSIDE, timeout=PATIENCE_S)
        assert (status, output) == (0, b"armed\ndisarmed\n"), output.decode() + board.traceback


@pytest.mark.parametrize("target", ["unix", "unix32"])
def test_an_interpreter_may_end_with_sources_running(target):
    for _ in range(10):
        with machine.Machine(target) as board:
            status, output = board.run(RUNNING, timeout=PATIENCE_S)
            assert (status, output) == (0, b""), output.decode() + board.traceback
