# Events as subscribers see them: fields, the time they are good for, keep, raw bytes.
import gc
import io
import time

import boardcfg
import mempool
from eventbus import NORMAL, bus

out = {}


def deliver():
    while bus.process():
        pass


def raises(error, function, *args):
    try:
        function(*args)
    except error as exc:
        return str(exc)
    raise AssertionError(function)


def look(event):
    out["again"] = event
    assert event.topic == "sensor.t" and event.priority == NORMAL
    assert event["value"] == 25 and event["unit"] == "C" and event["ok"] is True
    assert "value" in event and "nothing" not in event and "valu" not in event
    assert event.get("value") == 25 and event.get("nothing") is None and event.get("x", 7) == 7
    assert event.keys() == ["value", "unit", "ok"], event.keys()
    assert event.data == {"value": 25, "unit": "C", "ok": True}
    assert raises(KeyError, lambda: event["nothing"]) == "nothing"
    raises(TypeError, lambda: event[0])
    raises(TypeError, lambda: 5 in event)
    out["seq"] = event.seq
    out["late"] = time.ticks_diff(time.ticks_ms(), event.time_ms)
    try:
        event["value"] = 1
        raise SystemExit("stored")
    except TypeError:
        pass
    try:
        event.topic = "x"
        raise SystemExit("stored")
    except AttributeError:
        pass
    raises(ValueError, event.free)  # not kept


sub = bus.subscribe("sensor.t", look)
errors = []
bus.on_error = lambda sub, error: errors.append(error)
bus.publish("sensor.t", value=25, unit="C", ok=True)
deliver()
assert not errors, errors
assert 0 <= out["late"] < 1000, out
first = out["seq"]
bus.publish("sensor.t", value=25, unit="C", ok=True)
deliver()
assert out["seq"] == first + 1 and not errors

# After its time, the reused object is no event; in a later callback it is the current one.
event = out["again"]
for use in (
    lambda: event["value"],
    lambda: event.topic,
    lambda: event.data,
    lambda: event.raw,
    lambda: event.get("value"),
    lambda: "value" in event,
    event.keys,
    event.keep,
    event.__enter__,
):
    assert "over" in raises(ValueError, use)
assert repr(event) == "<Event, over>"
sub.cancel()


def later(current):
    out["same"] = current is event and event["n"] == 5


with bus.subscribe("later", later):
    bus.publish("later", n=5)
    deliver()
assert out["same"] is True


# keep: outlives the callback, counts as a reference, freed as a Block is.
def keeper(event):
    out["kept"] = event.keep()
    out["twice"] = out["kept"].keep()


with bus.subscribe("keep", keeper):
    bus.publish("keep", {"a": [1, 2]})
    deliver()
kept, twice = out.pop("kept"), out.pop("twice")
assert kept["a"] == [1, 2] and twice.topic == "keep"
assert mempool.stats().used == 32
kept.free()
kept.free()
raises(ValueError, lambda: kept["a"])
assert mempool.stats().used == 32 and twice["a"] == [1, 2]
with twice as same:
    assert same is twice
assert mempool.stats().used == 0
raises(ValueError, twice.keep)

# One that is dropped is given back by the collector.
with bus.subscribe("keep", lambda event: out.update(kept=event.keep())):
    bus.publish("keep", 1)
    deliver()
assert mempool.stats().used == 32
out.clear()
for _ in range(10):  # nothing on the stack looks like it any more
    gc.collect()
    [i for i in range(20)]
    if mempool.stats().used == 0:
        break
assert mempool.stats().used == 0


# Payloads that are no dict, and raw ones.
def other(event):
    out["data"] = event.data
    out["no"] = raises(TypeError, lambda: event["x"]), raises(TypeError, event.keys)


with bus.subscribe("other", other):
    for value in (None, 5, [1, 2], "text"):
        bus.publish("other", value)
        deliver()
        assert out["data"] == value and "data" in out["no"][0]


def raw(event):
    view = event.raw
    assert (
        len(view) == 6
        and view[0] == 97
        and view[-1] == 0
        and view == b"abcde\0"
        and bytes(view) == b"abcde\0"
    )
    assert b"cd" in view and 99 in view and b"x" not in view
    assert bytes(view[1:3]) == b"bc" and view[1:3][1:] == b"c" and list(view[:2]) == [97, 98]
    assert bool(view) and not view[0:0]
    raises(IndexError, lambda: view[6])
    raises(NotImplementedError, lambda: view[::2])
    raises(TypeError, lambda: exec("view[0] = 1", {"view": view}))
    raises((TypeError, ValueError), io.BytesIO(b"123").readinto, view)
    readonly = memoryview(view)
    raises(TypeError, lambda: exec("m[0] = 1", {"m": readonly}))
    raises(TypeError, lambda: event["x"])
    assert event.data == b"abcde\0"
    out["view"] = view
    out["kept"] = event.keep()


with bus.subscribe("raw", raw):
    block = bus.block(6)
    block[:] = b"abcde\0"
    assert bus.publish("raw", block) is True
    raises(ValueError, lambda: block[0])
    deliver()
assert not errors, errors
raises(ValueError, len, out["view"])
again = out["kept"].raw
assert again == b"abcde\0"
out["kept"].free()
raises(ValueError, len, again)

# CBOR of an ordinary event, as others read it.
with bus.subscribe("cbor", lambda event: out.update(cbor=bytes(event.raw))):
    bus.publish("cbor", {"a": [1, -2, None], "b": "x"})
    deliver()
assert out["cbor"] == b"\xa2aa\x83\x01!\xf6abax", out["cbor"]

# Nobody else can give an event's block back.
with bus.subscribe("hold", lambda event: out.update(kept=event.keep())):
    bus.publish("hold", 1)
    deliver()
if boardcfg.MEMORY_POOL_DIAGNOSTICS:
    handle = mempool.leaks(0)[0][0]
    assert mempool.give(handle) == mempool.E_FOREIGN
    raises(ValueError, mempool.Block().attach, handle)
assert out["kept"].data == 1
out["kept"].free()
assert not errors, errors
assert mempool.stats().used == 0 and mempool.check() == 0
