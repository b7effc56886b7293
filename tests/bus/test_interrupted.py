"""Ctrl-C, as a real signal, at random moments of whatever the bus does: the program gets it, and
the bus goes on, with no block lost and no lock held.
"""

import os
import random
import signal
import time

import machine
import pytest
from waiting import PATIENCE_S

SIGNALS = 60

PROGRAM = """
import gc
import time
import mempool
from eventbus import EventBus, bus

def got(event):
    calls.append(event["v"])
    if len(calls) > 8:
        del calls[:]

def work():
    while True:
        {work}

calls = []
own = EventBus(queue=4)
subs = [bus.subscribe("a", got), own.subscribe("a", got)]
listener = bus.listen("a", 4)
caught = 0
while caught < {signals}:
    try:
        print(".", end="")
        work()
    except KeyboardInterrupt:
        caught += 1
del calls[:]
bus.publish("a", v=1)
own.publish("a", v=2)
deadline = time.ticks_add(time.ticks_ms(), 60000)
while len(calls) < 2 and time.ticks_diff(deadline, time.ticks_ms()) > 0:
    time.sleep_ms(1)
assert sorted(calls) == [1, 2], calls
for sub in subs:
    sub.cancel()
listener.cancel()
for _ in range(4):
    gc.collect()
    [str(i) for i in range(40)]
assert mempool.stats().used == 0 and mempool.check() == 0, mempool.leaks(0)
print("whole")
"""


@pytest.mark.parametrize(
    "work",
    [
        "bus.publish('a', v=3, s='text')",
        "own.publish('a', v=3); own.process()",
        "bus.publish('a', v=3); event = listener.get(); event and event.keep().free()",
        "with_sub = bus.subscribe('a', got); bus.publish('a', v=3); with_sub.cancel()",
        "lost = own.listen('a'); own.publish('a', v=[1, 2]); own.process(); lost.cancel()",
        "block = bus.block(20); block[0] = 1; bus.publish('b', block); block.free()",
    ],
)
def test_a_signal_at_any_moment(work):
    pauses = random.Random(work)
    with machine.Machine("unix") as board:

        def interrupt(data):
            # One at a time: each is answered by a dot.
            for _ in range(data.count(b".")):
                time.sleep(pauses.uniform(0.001, 0.012))
                os.kill(board.console.process.pid, signal.SIGINT)

        board.show = interrupt
        status, output = board.run(PROGRAM.format(work=work, signals=SIGNALS), timeout=PATIENCE_S)
        assert status == 0 and output.endswith(b"whole\n"), board.traceback or output[-500:]
