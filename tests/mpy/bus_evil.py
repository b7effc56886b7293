# Objects and callbacks that do the wrong thing at the worst moment: a Block that is another by the
# time it is handed over, an Event whose listener is forgotten, buses that keep each other busy,
# exceptions that interrupt when they are printed.
import gc
import time

import eventbus
import mempool
import micropython
from eventbus import CRITICAL, HIGH, EventBus, bus

try:
    help(eventbus)
except NameError:
    pass  # a build without help()


def raises(error, action, *args, **fields):
    try:
        action(*args, **fields)
    except error:
        return
    raise AssertionError("no " + error.__name__)


def deliver(which=bus):
    while which.process():
        pass


NESTED = []
for _ in range(20):
    NESTED = [NESTED]


def settle():
    for _ in range(4):
        repr(NESTED)  # overwrites what dead frames have left, where a pointer could still be seen
        gc.collect()
        [str(i) for i in range(30)]


def nothing_left():
    assert mempool.stats().used == 0 and mempool.check() == 0, mempool.leaks(0)


def spin(ms, least=200):
    """The program's own work: so long, and so many turns, since a busy computer may give the
    emulator nothing for longer than that."""
    start = time.ticks_ms()
    while least > 0 or time.ticks_diff(time.ticks_ms(), start) < ms:
        least -= 1


def spin_until(condition, what):
    start = time.ticks_ms()
    while not condition():
        assert time.ticks_diff(time.ticks_ms(), start) < 60000, what
    return time.ticks_diff(time.ticks_ms(), start)


got = []
errors = []
bus.on_error = lambda sub, error: errors.append(type(error))


# ---- A filter that fills the Block anew, with no room for a header, which must not go over its
# bytes.
def refill(topic, priority):
    block.free()
    mempool.alloc_into(block, 32)
    block[:] = b"Z" * 32
    return True


with bus.subscribe("t", lambda event: got.append(bytes(event.raw))):
    block = bus.block(16)
    bus.filter = refill
    raises(ValueError, bus.publish, "t", block)
    assert bytes(block) == b"Z" * 32 and got == []
    block.free()
    # or empties it, or gives it away
    for action in (lambda: block.free(), lambda: mempool.give(block.detach())):
        block = bus.block(16)
        bus.filter = lambda topic, priority: action() or True
        raises(ValueError, bus.publish, "t", block)
    # or hands it over itself: the publish within is the one that counts
    block = bus.block(3)
    block[:] = b"abc"

    def hand_over(topic, priority):
        bus.filter = None
        return bus.publish("t", block)

    bus.filter = hand_over
    raises(ValueError, bus.publish, "t", block)
    assert bus.filter is None
    deliver()
    assert got == [b"abc"], got
    # A payload that changes under the filter is told, and not sent.
    fields = {"a": 1}
    bus.filter = lambda topic, priority: fields.update(b=2) or True
    raises(RuntimeError, bus.publish, "t", fields)

    def fails(topic, priority):
        raise OSError

    bus.filter = fails
    raises(OSError, bus.publish, "t", 1)
    bus.filter = None
nothing_left()


# ---- A Block that was handed over: its handle is nobody's of Python.
class Sub:
    def __int__(self):
        kept[0].free()
        return 0

    __index__ = __int__


kept = []
for size in (1, 2, 16, 17, 48, 112, 240, 496):
    block = bus.block(size)
    block[size - 1] = 7
    view = block[0:1]
    handle = block.handle
    with bus.subscribe("h", lambda event: kept.append(event.keep())):
        with block:
            assert bus.publish("h", block)
            assert not block and repr(block) == "<Block empty>"
            raises(ValueError, lambda: view[0])
            raises(ValueError, lambda: block[0])
            raises(ValueError, bus.publish, "h", block)
        assert mempool.give(handle) == mempool.E_FOREIGN
        assert mempool.write(handle, 0, b"x") == mempool.E_FOREIGN
        assert mempool.read(handle, 0, bytearray(1)) == mempool.E_FOREIGN
        raises(ValueError, block.attach, handle)
        deliver()
    raw = kept[0].raw
    assert len(raw) == size and raw[size - 1] == 7 and mempool.give(handle) == mempool.E_FOREIGN
    if size % 2:
        raises(ValueError, lambda: raw[Sub()])  # freed by its own index
    kept.pop().free()
    raises(ValueError, lambda: raw[0])
    assert mempool.give(handle) == mempool.E_STALE
    nothing_left()
for size in (17, 32, 128):  # 15 bytes to spare, or none
    with mempool.alloc(size) as block:
        raises(ValueError, bus.publish, "h", block)
        assert len(block) == size
owner = mempool.Owner("evil", 64)
with bus.subscribe("h", print):
    bus.pause()
    block = owner.alloc(10)
    assert bus.publish("h", block)
    assert owner.used == 32
    bus.clear()
    assert owner.used == 0
    bus.resume()
nothing_left()


# ---- Whoever has only the event of a listener may use it: its listener lives as long.
def orphan(n):
    listener = bus.listen("orphan")
    bus.publish("orphan", n=n)
    deliver()
    return listener.get()


orphans = [orphan(n) for n in range(12)]
settle()
assert [event["n"] for event in orphans] == list(range(12))
del orphans[:]
settle()
bus.clear()
left = mempool.stats().used
assert left <= 2 * 32, left  # the collector is conservative

# ---- What waits for a subscription that ends is given back, though nobody delivers on that bus.
for which in (bus, EventBus(queue=4)):
    sub = which.subscribe("w", print)
    which.pause()
    for n in range(3):
        which.publish("w", n)
    sub.cancel()
    assert mempool.stats().used <= left, which
    which.resume()
    assert which.stats().queue_free == (4 if which is not bus else bus.stats().queue_free)


# ---- Two buses that keep each other busy, their subscriptions come and go: the program goes on.
class PingPong:
    def __init__(self, bus):
        self.bus = bus
        self.other = None
        self.calls = 0
        self.start()

    def start(self):
        self.sub = self.bus.subscribe("x", self.on_x, once=True)

    def on_x(self, event):
        self.calls += 1
        self.start()
        self.other.bus.publish("x", priority=HIGH)


ping, pong = PingPong(EventBus(queue=4)), PingPong(EventBus(queue=4))
ping.other, pong.other = pong, ping
ping.bus.publish("x")
start = time.ticks_ms()
# By the bus's task, which rings again a millisecond later at the soonest.
spin_until(lambda: ping.calls > 2 and pong.calls > 2, (ping, pong))
spin(60)
most = time.ticks_diff(time.ticks_ms(), start) * 50
assert ping.calls < most, (ping.calls, most)
ping.sub.cancel()
pong.sub.cancel()


# So do buses that are made in the callbacks of others.
def offspring(event):
    got.append(EventBus(queue=1))
    if len(got) < 2000:
        subs.append(got[-1].subscribe("o", offspring, once=True))
        got[-1].publish("o")
    while len(got) > 4:
        got.pop(0)


del got[:]
subs = [bus.subscribe("o", offspring)]
bus.publish("o")
spin(30)
for sub in subs:
    sub.cancel()
del got[:], subs[:]
assert errors == [], errors


# ---- Exceptions that cannot be printed, or interrupt the program when they are.
class Unprintable(Exception):
    def __str__(self):
        raise self.args[0]

    __repr__ = __str__


def throws(event):
    raise error


bus.on_error = None
with bus.subscribe("e", throws) as sub:
    for inner, ends in (
        (ValueError(), False),
        (MemoryError(), False),
        (GeneratorExit(), False),
        (StopIteration(), False),
        (KeyboardInterrupt(), True),
        (SystemExit(3), True),
    ):
        error = Unprintable(inner)
        try:
            bus.publish("e")
            spin(5)
            bus.process()
            ended = False
        except (KeyboardInterrupt, SystemExit) as caught:
            ended = True
            assert caught is inner
        assert ended == ends, inner
    assert sub.delivered == 6
    # on_error that ends the program, replaces itself, or cancels
    error = ZeroDivisionError()

    def replaces(sub, error):
        bus.on_error = cancels

    def cancels(sub, error):
        sub.cancel()
        sub.cancel()

    bus.on_error = replaces
    bus.publish("e")
    deliver()
    bus.publish("e")
    deliver()
    bus.publish("e")
    deliver()
    assert sub.delivered == 8, sub
bus.on_error = lambda sub, error: errors.append(type(error))

# ---- Text that is no UTF-8, and a field that is there twice, are not sent.
with bus.subscribe("u", print):
    for text in ("\ud800", "a\udfff", "ok\ud83d\ude00", str(b"\xc0\x80", "utf-8")):
        raises(ValueError, bus.publish, "u", text)
        raises(ValueError, bus.publish, "u", {text: 1})
        raises(ValueError, bus.publish, "u", [text])
    raises(TypeError, lambda: bus.publish("u", a=1, **{"a": 2}))
    raises(TypeError, lambda: bus.publish("u", data=1, **{"data": 2}))
    raises(TypeError, lambda: bus.publish("u", **{"topic": "v"}))
    bus.clear()


# ---- A bus that is dropped while its callback runs, and one that is dropped with what waits.
def last(event):
    del holder[:]
    me[0].cancel()
    settle()
    got.append(event["n"])
    got.append(event.keep())


holder = [EventBus(queue=2)]
me = [holder[0].subscribe("l", last)]
holder[0].publish("l", n=5)
spin(20)
assert got[0] == 5 and got[1]["n"] == 5, got
got.pop().free()
del got[:], me[:]
for _ in range(6):
    other = EventBus(queue=4)
    sub = other.subscribe("l", print)
    other.pause()
    other.publish("l", 1)
    sub.cancel()
    listener = other.listen("*")
    other.publish("l", 2)
del other, sub, listener
settle()
assert mempool.stats().used <= left + 2 * 32, mempool.leaks(0)

# ---- Thousands of subscriptions come and go; a number of an ended one is nobody's.
first = bus.subscribe("n", print)
first.cancel()
for n in range(3000):
    with bus.subscribe("n", print), bus.listen("n"):
        pass
first.cancel()
assert first.delivered == 0 and repr(first) == "<Subscription n, delivered=0, dropped=0, ended>"

# ---- No heap at all: each call answers or raises MemoryError, and no block is lost.
EXPECTED = (MemoryError, ValueError, TypeError, AttributeError)
bus.on_error = lambda sub, error: None
listener = bus.listen("m")
with bus.subscribe("m", lambda event: kept.append(event.keep())):
    calls = (
        lambda: bus.publish("m", value=1),
        lambda: bus.publish("m", b"bytes", CRITICAL),
        lambda: bus.process(),
        lambda: listener.get().data,
        lambda: listener.get().raw,
        lambda: listener.get().keep(),
        lambda: bus.block(20),
        lambda: bus.listen("m"),
        lambda: bus.subscribe("m", print),
        lambda: bus.stats(),
        lambda: EventBus(),
        lambda: bus.publish("\ud800"),
        lambda: bus.publish("m", {1: 2}),
    )
    for call in calls:
        for _ in range(3):
            micropython.heap_lock()
            try:
                call()
            except EXPECTED:
                pass
            micropython.heap_unlock()
    deliver()
listener.cancel()
bus.clear()
while kept:
    kept.pop().free()
settle()
assert mempool.stats().used <= left + 4 * 32 and mempool.check() == 0, mempool.leaks(0)
