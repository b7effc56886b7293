# Values of every type where the bus looks at one, payloads that change while they are published,
# and errors of those who are told of errors.
import gc

import eventbus
import mempool
from eventbus import HIGH, EventBus, bus


def raises(error, call, *args, **kw):
    try:
        call(*args, **kw)
    except error as caught:
        return str(caught)
    raise AssertionError("no %s from %s%s" % (error.__name__, call, args))


class Instance:
    pass


TEXT = "".join(["va", "lue" * 9])  # no name of the program: a str of its own
OBJECTS = [None, True, 0, 7, 1 << 70, 1.5, "x", TEXT, b"x", (), [], {}, Instance, Instance(), len]


def others(*types):
    return [item for item in OBJECTS if not isinstance(item, types)]


def deliver(which=bus):
    while which.process():
        pass


got = []
sub = bus.subscribe("t", lambda event: got.append(event.data))

# ---- What an event may carry, and what it may not.
for item in (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    0.1,
    -0.0,
    "x",
    TEXT,
    "",
    b"x",
    bytearray(b"y"),
    (),
    (1,),
):
    assert bus.publish("t", item)
    deliver()
    want = list(item) if isinstance(item, tuple) else item
    assert got.pop() == want, item
for item in (Instance, Instance(), len, object(), {1, 2}, range(3), 1 << 70, 1j, memoryview(b"x")):
    raises((TypeError, ValueError), bus.publish, "t", item)
    raises((TypeError, ValueError), bus.publish, "t", [item])
    raises((TypeError, ValueError), bus.publish, "t", field=item)
for key in others(str):
    try:
        payload = {key: 1}
    except TypeError:
        continue  # it is no key of any dict
    raises(TypeError, bus.publish, "t", payload)
# A dict that keys were taken out of has holes.
holes = {"k%d" % i: i for i in range(9)}
for i in range(0, 9, 2):
    del holes["k%d" % i]
assert bus.publish("t", holes)
deliver()
assert got.pop() == holes

# ---- Topics, priorities, callbacks, patterns.
for item in others(str):
    raises(TypeError, bus.publish, item)
    raises(TypeError, bus.subscribe, item, print)
    raises(TypeError, bus.listen, item)
for item in others(int, bool):
    raises(TypeError, bus.publish, "t", 1, item)
    raises(TypeError, bus.block, item)
    raises(TypeError, EventBus, item)
raises(TypeError, bus.publish)
raises(TypeError, bus.publish, "t", 1, topic="t")
assert "twice" in raises(TypeError, lambda: bus.publish("t", a=1, **{"a": 2}))
raises(TypeError, bus.publish, "t", 1, a=1)

# ---- What an Event is asked.
seen = []


def ask(event):
    for key in others(str):
        raises(TypeError, lambda: event[key])
        raises(TypeError, event.get, key)
        raises(TypeError, lambda: key in event)
    assert event["a"] == 1 and event.get("b") is None and event.get(TEXT, 5) == 2
    assert TEXT in event and "b" not in event and sorted(event.keys()) == ["a", TEXT]
    raises(KeyError, lambda: event["b"])
    raises(TypeError, lambda: event + 1)
    raises(TypeError, lambda: event < event)
    raises((TypeError, AttributeError), lambda: -event.raw)
    assert event.raw and len(event.raw) > 5
    raises(AttributeError, setattr, event, "topic", "x")
    seen.append(1)


with bus.subscribe("ask", ask) as asked:
    assert bus.publish("ask", {"a": 1, TEXT: 2})
    deliver()
    raises(AttributeError, setattr, asked, "delivered", 5)
    raises(AttributeError, setattr, asked, "other", 5)
    assert asked.pattern == "ask" and asked.delivered == 1
    raises(AttributeError, lambda: asked.other)
assert seen == [1] and "ended" in repr(asked)


def ask_raw(event):
    assert bytes(event.raw) == b"raw"
    for call in (event.keys, lambda: event["a"], lambda: "a" in event):
        raises(TypeError, call)
    seen.append(2)


def ask_scalar(event):
    for call in (event.keys, lambda: event["a"]):
        raises(TypeError, call)
    seen.append(3)


for callback, payload in ((ask_raw, bus.block(3)), (ask_scalar, 5), (ask_scalar, [1])):
    if callback is ask_raw:
        payload[:] = b"raw"
    with bus.subscribe("ask", callback):
        assert bus.publish("ask", payload)
        deliver()
assert seen == [1, 2, 3, 3], seen

# ---- A bus, its filter, a listener.
for item in others():
    if item is not None and not callable(item):
        raises(TypeError, setattr, bus, "filter", item)
        raises(TypeError, setattr, bus, "on_error", item)
raises(AttributeError, delattr, bus, "filter")
raises(AttributeError, delattr, bus, "on_error")
raises(AttributeError, setattr, bus, "other", 1)
bus.__del__()  # as the collector would call it of another bus: the default one goes on
assert bus.publish("t", 1)
deliver()
assert got.pop() == 1
listener = bus.listen("l", 2)
assert repr(listener) == "<Listener l, 0 of 2 waiting>"
raises(AttributeError, setattr, listener, "dropped", 1)
raises(AttributeError, lambda: listener.other)
assert listener.pattern == "l" and (listener.delivered, listener.dropped) == (0, 0)
for i in range(3):
    bus.publish("l", i)
deliver()
assert repr(listener) == "<Listener l, 2 of 2 waiting>" and listener.dropped == 1
for _ in range(2):
    raises(StopIteration, listener.send, None)  # as an awaitable that has what is awaited
raises(RuntimeError, listener.send, None)  # no task waits here
listener.cancel()
assert repr(listener).endswith(", ended>")

# ---- A view of a Block is no Block to hand over, and neither is one that is freed.
block = bus.block(8)
for item in (block[4:8], block[0:8]):
    raises((TypeError, ValueError), bus.publish, "t", item)
plain = mempool.alloc(32)
assert "no room" in raises(ValueError, bus.publish, "t", plain)
plain.free()
raises(ValueError, bus.publish, "t", plain)
block.free()

# ---- A payload that its filter changes is not published half: it is refused, no block is lost.
used = mempool.stats().used
for replacement in (object(), "longer than what was measured", 1 << 60):
    payload = [1]

    def change(topic, priority):
        payload[0] = replacement
        return True

    bus.filter = change
    raises((RuntimeError, TypeError), bus.publish, "t", payload)
    assert mempool.stats().used == used
bus.filter = lambda topic, priority: priority != HIGH
assert not bus.publish("t", 1, HIGH) and bus.publish("t", 1)
bus.filter = None
deliver()
got.clear()

# ---- Errors of on_error; what asks the program to end gets through, and ends nothing of the bus.
told = []


def fail(error):
    def on(*args):
        told.append(error)
        raise error

    return on


class Unprintable(Exception):
    def __str__(self):
        raise self.args[0]

    __repr__ = __str__


for first, second, ends in (
    (ValueError("first"), ValueError("second"), None),
    (ValueError("first"), SystemExit(3), SystemExit),
    (ValueError("first"), KeyboardInterrupt(), KeyboardInterrupt),
    (Unprintable(SystemExit(4)), ValueError("second"), SystemExit),
    (ValueError("first"), Unprintable(SystemExit(5)), SystemExit),
    (Unprintable(ValueError("inner")), Unprintable(ValueError("inner")), None),
    (SystemExit(6), None, SystemExit),
):
    own = EventBus(queue=4)
    own.on_error = fail(second) if second else None
    with own.subscribe("t", fail(first)):
        assert own.publish("t", 1)
        ended = None
        try:
            deliver(own)
            for _ in range(50):
                gc.collect()  # the doorbell's turn may come here
        except (SystemExit, KeyboardInterrupt) as error:
            ended = type(error)
        assert ended is ends, (first, second, ended)
        assert own.process() == 0
    own = None
sub.cancel()
gc.collect()
gc.collect()
assert eventbus.HIGH == 1 and mempool.stats().used == 0 and mempool.check() == 0
