"""Soft resets with the event bus at work: no callback into the old program, what was queued comes
back, C's subscribers go on.
"""

import random
import threading

from boardrun import run
from waiting import PROGRAM_S

RESETS = 30


FIRST = """
import _platform, mempool, time
from eventbus import EventBus, bus
_platform.sink("*")
kept = []
sub = bus.subscribe("*", lambda event: kept.append(event.keep()))
listener = bus.listen("*", depth=4)
own = EventBus(queue=4)
owned = own.subscribe("*", print)
bus.publish("first.a", n=1)
time.sleep_ms(10)
assert len(kept) == 1
bus.pause()
own.pause()
for n in range(4):
    assert bus.publish("first.b", n=n) and own.publish("first.c", n=n)
block = bus.block(100)
bus.publish("first.d", block)
time.sleep_ms(10)
assert _platform.sink_read()[0] == 6, _platform.sink_read()
assert mempool.stats().used > 0
sub = bus.subscribe("second.*", lambda event: print("called in the old program"))
bus.resume()
bus.pause()
"""

SECOND = """
import _platform, mempool, time
assert mempool.stats().used == 0, mempool.leaks(0)
assert _platform.publish("second.a", 2, b"\\x01") == 0  # from C, before anyone imports the bus
time.sleep_ms(20)
assert _platform.sink_read()[0] == 7, _platform.sink_read()
from eventbus import bus
assert bus.publish("second.b", n=1) and bus.publish("first.a", n=2)
time.sleep_ms(20)
assert _platform.sink_read()[0] == 9, _platform.sink_read()
seen = []
sub = bus.subscribe("second.*", lambda event: seen.append(event["n"]))
for n in range(3):
    assert bus.publish("second.c", n=n)
time.sleep_ms(20)
assert seen == [0, 1, 2], seen
assert sub.delivered == 3
assert _platform.sink_read()[0] == 12
_platform.sink_stop()
assert mempool.stats().used == 0 and mempool.check() == 0
"""


def test_the_old_program_is_not_called_and_c_goes_on(board):
    run(board, FIRST)
    board.soft_reset()
    assert run(board, SECOND) == ""


def test_topics_of_old_programs_make_room(board):
    """However many lives had how many topics of their own; those of C stay."""
    run(
        board,
        "import _platform\n_platform.sink('keep.me')\n_platform.publish('keep.me', 2, b'\\x01')",
    )
    for life in range(4):
        run(
            board,
            f"""
from eventbus import bus
import boardcfg
for n in range(boardcfg.MEMORY_POOL_EVENT_TOPICS - 1):
    assert bus.publish("life.{life}.topic.%d" % n), n
assert not bus.publish("one.more")
assert bus.publish("keep.me")
""",
        )
        board.soft_reset()
    run(
        board,
        """
import _platform, time
from eventbus import bus
assert _platform.publish("keep.me", 2, b"\\x01") == 0
time.sleep_ms(20)
assert _platform.sink_read()[0] == 6, _platform.sink_read()
""",
    )


SOURCES_RUN = """
import _platform, time
from eventbus import CRITICAL, bus
_platform.sink("*")
_platform.source_timer("tick.old", 200)
_platform.source_edge("line.old", CRITICAL)
sub = bus.subscribe("*", lambda event: heard.append(event["sequence"]))
heard = []
_platform.edge(5)
while len(heard) < 50:
    time.sleep_ms(1)
sub.cancel()
sub = bus.subscribe("*", lambda event: print("called in the old program"))
"""

SOURCES_STOPPED = """
import _platform, mempool, time
seen = _platform.sink_read()[0]
_platform.edge(3)  # not armed in this life
time.sleep_ms(30)
assert _platform.sink_read()[0] == seen > 50, (_platform.sink_read(), seen)
timer, line = _platform.source_stop()  # the counts of the old life
assert line == (5, 5, 0), line
assert timer[0] == timer[1] + timer[2], timer
# The first that the sink does not see leaves a gap before this one.
payload = b"\\xa1\\x68sequence\\x1a" + timer[0].to_bytes(4, "big")
assert _platform.publish("tick.old", 2, payload) == 0
time.sleep_ms(20)
count, missing, longest_us, bins = _platform.sink_read()
assert count == seen + 1 and bins[24] == 0, (count, seen, bins)
made_way = _platform.sink_stop()
assert missing == timer[2] + made_way, (missing, timer, made_way)
assert count == timer[1] + line[1] + 1 - made_way, (count, timer, line, made_way)
# The next life has sources of its own, on the old topics, too.
from eventbus import bus
heard = []
sub = bus.subscribe("*.old", lambda event: heard.append(event.topic))
_platform.source_timer("tick.old", 200)
_platform.source_edge("line.old", 0)
_platform.edge(2)
while len(heard) < 20:
    time.sleep_ms(1)
timer, line = _platform.source_stop()
assert line == (2, 2, 0) and timer[0] >= 10, (timer, line)
time.sleep_ms(20)
assert heard.count("line.old") == 2, heard
sub.cancel()
assert mempool.stats().used == 0 and mempool.check() == 0
"""


def test_sources_stop_and_c_subscribers_go_on(board):
    for _ in range(5):
        run(board, SOURCES_RUN)
        board.soft_reset()
        assert run(board, SOURCES_STOPPED) == ""
        board.soft_reset()


# Publishes, listens and is called in every way until it is stopped, out of callbacks too.
LIFE = """
import _platform, gc, mempool, time
from eventbus import HIGH, LOW, EventBus, bus
assert mempool.stats().used == 0, mempool.leaks(0)
assert mempool.check() == 0
assert bus.process() == 0
life = {life}
wrong = []
def call(event):
    if event["life"] != life:
        wrong.append(event["life"])
    if event["n"] & 15 == 0:
        held.append(event.keep())
        if len(held) > 3:
            held.pop(0).free()
def busy(event):
    for _ in range(50):
        pass
held = []
bus.subscribe("life.*", call)
bus.subscribe("timer", busy)
listener = bus.listen("*", depth=3)
own = EventBus(queue=3)
own.subscribe("*", call)
_platform.source_timer("timer", 300, LOW)
_platform.source_edge("line", HIGH)
print("alive")
n = 0
while True:
    n += 1
    bus.publish("life.a", n=n, life=life, priority=n & 3)
    own.publish("life.b", n=n, life=life)
    block = bus.block(40)
    bus.publish("raw", block)
    _platform.edge()
    if n & 7 == 0:
        listener.get()
        bus.subscribe("timer", call, once=True).cancel()
    if n & 31 == 0:
        bus.pause()
        gc.collect()
        bus.resume()
    assert not wrong, wrong
"""


def test_resets_out_of_the_middle_of_work(board):
    chance = random.Random(20261125)
    run(board, "import _platform\n_platform.sink('line')")
    for life in range(1, RESETS + 1):
        stops = []

        def stop_soon(data, stops=stops):
            if not stops:
                stops.append(threading.Timer(chance.uniform(0.002, 0.1), board.interrupt))
                stops[0].start()

        board.show = stop_soon
        status, output = board.run(LIFE.format(life=life), timeout=PROGRAM_S)
        said = f"life {life}: {output.decode()}{board.traceback}"
        assert stops, said
        stops[0].join()
        assert status == 1 and "KeyboardInterrupt" in board.traceback, said
        board.soft_reset()
    board.show = None
    run(
        board,
        f"""
import _platform, mempool
count, missing, longest_us, bins = _platform.sink_read()
assert count > {RESETS} and sum(bins) == count and bins[24] == 0, (count, bins)
_platform.sink_stop()
assert mempool.stats().used == 0 and mempool.check() == 0
""",
    )
