"""The stubs say what the firmware has: names, attributes, keywords and answers, seen on unix."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator

import machine
import pytest
import stubs
from waiting import PATIENCE_S

MODULES = ["mempool", "eventbus", "appmodule", "boardcfg", "memdiag"]

# For each class of the stub: an expression that makes a live one, after these lines.
PRELUDE = """
import io, json, gc, uctypes
from array import array
import mempool, eventbus, appmodule, boardcfg, memdiag
[getattr(memdiag, name) for name in memdiag._FILES]  # which loads them
LAYOUT = {"a": uctypes.UINT32 | 0}
def fresh(names):
    return {name: VALUES[name]() for name in names}
VALUES = {
    "size": lambda: 8,
    "critical": lambda: False,
    "spill": lambda: None,
    "timeout_ms": lambda: 0,
    "owner": lambda: None,
    "block": lambda: mempool.Block(),
    "handle": lambda: mempool.take(8),
    "offset": lambda: 0,
    "buf": lambda: bytearray(4),
    "array": lambda: array("I", [0] * 17),
    "min_age_ms": lambda: 0,
    "pool": lambda: mempool.SMALL,
    "blocks": lambda: 1,
    "callback": lambda: print,
    "n": lambda: 3,
    "name": lambda: "someone",
    "quota": lambda: 256,
    "layout": lambda: LAYOUT,
    "layout_type": lambda: 2,
    "factory": lambda: mempool.Struct(LAYOUT),
    "role": lambda: boardcfg.items() and "buzzer",
    "module": lambda: appmodule.Module("m"),
    "budget_us": lambda: 1000,
    "on_report": lambda: print,
    "topic": lambda: "a.b",
    "data": lambda: [1, {"k": None}],
    "priority": lambda: 1,
    "fields": lambda: 5,
    "pattern": lambda: "a.*",
    "once": lambda: True,
    "depth": lambda: 2,
    "policy": lambda: 2,
    "queue": lambda: 4,
    "max_ms": lambda: 1,
    "key": lambda: "value",
    "default": lambda: 3,
    "exception": lambda: AWAITED(),
    "out": lambda: io.StringIO(),
    "log": lambda: None,
    "request": lambda: "map",
    "low": lambda: 70,
    "critical": lambda: 90,
    "period_ms": lambda: 100,
    "wdt": lambda: Dog,
    "bus": lambda: eventbus.bus,
    "on_alert": lambda: print,
    "patience": lambda: 3,
    "window_s": lambda: 30,
    "windows": lambda: 4,
    "buffers": lambda: ("a", "b"),
    "history": lambda: 4,
    "blackbox": lambda: memdiag.BlackBox(mempool.noinit),
    "now_ms": lambda: 100,
    "store": lambda: mempool.noinit,
    "edge": lambda: True,
    "why": lambda: "because",
    "port": lambda: 0,
    "host": lambda: "127.0.0.1",
    "client": lambda: Broker,
    "period_s": lambda: 60,
    "qos": lambda: 1,
    "discovery": lambda: "",
    "ready": lambda: (lambda: True),
    "on_connect": lambda: (lambda: None),
    "timeout_s": lambda: 1,
    "longest": lambda: 1024,
    "managed": lambda: False,
    "gc_heap": lambda: False,
    "payload": lambda: b"snapshot",
}
class AWAITED(Exception): pass
class Broker:
    @staticmethod
    def publish(topic, msg, retain, qos): pass
class Dog:
    @staticmethod
    def feed(): pass
def an_event():
    kept = []
    with eventbus.bus.subscribe("a.b", lambda event: kept.append(event.keep())):
        eventbus.bus.publish("a.b", value=5)
        eventbus.bus.process()
    return kept[0]
MAKE = {
    "Block": lambda: mempool.alloc(8),
    "Pool": lambda: mempool.TINY,
    "Owner": lambda: mempool.Owner("someone"),
    "Stats": lambda: mempool.stats(),
    "Heap": lambda: mempool.heaps()[-1],
    "Noinit": lambda: mempool.noinit,
    "Cost": lambda: mempool.benchmark()[0],
    "Struct": lambda: mempool.Struct(LAYOUT),
    "Structure": lambda: mempool.Struct(LAYOUT)(),
    "Module": lambda: appmodule.Module("m"),
    "Manager": lambda: appmodule.Manager(),
    "EventBus": lambda: eventbus.bus,
    "Event": an_event,
    "Raw": lambda: an_event().raw,
    "Subscription": lambda: eventbus.bus.subscribe("a.b", print),
    "Listener": lambda: eventbus.bus.listen("a.b"),
    "BusStats": lambda: eventbus.bus.stats(),
    "track": lambda: memdiag.track("a", None).__enter__(),
    "Responder": lambda: memdiag.Responder(0),
    "Monitor": lambda: memdiag.Monitor(),
    "BlackBox": lambda: memdiag.BlackBox(mempool.noinit),
    "History": lambda: memdiag.Monitor().history,
    "Telemetry": lambda: memdiag.Telemetry(Broker, "modesp/v1/a/b/memory"),
}
"""


@pytest.fixture(scope="session")
def run():
    """run(source) -> what a program printed on unix, after the prelude."""

    def execute(source: str) -> str:
        with machine.Machine("unix") as unix:
            status, output = unix.run(PRELUDE + source, timeout=PATIENCE_S)
            assert status == 0, unix.traceback + output.decode()
        return output.decode()

    return execute


def functions(module: str) -> Iterator[stubs.Function]:
    """Every function and method of a stub, and the constructors of its real classes."""
    stub = stubs.load(module)
    yield from (one for one in stub.functions.values() if one.path not in NOT_CALLED)
    for one in stub.classes.values():
        for overloads in one.methods.values():
            for method in overloads:
                typing = one.only_typing and method.path.endswith("__init__")
                if not typing and method.path not in NOT_CALLED:
                    yield method


# What asyncio calls, and nobody else: test_awaiting() does. And what runs until a key is pressed.
NOT_CALLED = {"Listener.send", "Listener.throw", "stream", "Monitor.run", "Telemetry.run"}
CALLS = [(module, function) for module in MODULES for function in functions(module)]
CALL_IDS = [f"{module}.{function.path}" for module, function in CALLS]


@pytest.mark.parametrize("module", MODULES)
def test_names(run, module):
    source = f"""
live = [n for n in dir({module}) if not n.startswith("_")]
modules = [n for n in live if type(getattr({module}, n)) is type(json)]
print(json.dumps([n for n in live if n not in modules]))
"""
    assert set(json.loads(run(source))) == stubs.load(module).names


@pytest.mark.parametrize("module", MODULES)
def test_constants(run, module):
    stub = stubs.load(module)
    constants = {name: text for name, text in stub.values.items() if " = " in text}
    source = f"print(json.dumps({{n: getattr({module}, n) for n in {sorted(constants)!r}}}))"
    live = json.loads(run(source))
    assert live == {
        name: ast.literal_eval(text.split(" = ")[1]) for name, text in constants.items()
    }


@pytest.mark.parametrize("module", MODULES)
def test_types_of_values(run, module):
    stub = stubs.load(module)
    plain = {
        name: text.removeprefix("Final[").removesuffix("]")
        for name, text in stub.values.items()
        if " = " not in text
    }
    source = f"""
names = {sorted(plain)!r}
print(json.dumps({{n: type(getattr({module}, n)).__name__ for n in names}}))
"""
    told = {name: text.split("[")[0] for name, text in plain.items()}
    # The type of the only object of its kind has the object's name.
    assert json.loads(run(source)) == {
        name: "noinit" if text == "Noinit" else text for name, text in told.items()
    }


@pytest.mark.parametrize(
    ("module", "name"),
    [(m, c) for m in MODULES for c in stubs.load(m).classes],
)
def test_attributes(run, module, name):
    one = stubs.load(module).classes[name]
    source = f"""
thing = MAKE[{name!r}]()
print(json.dumps([n for n in dir(thing) if not n.startswith("_")]))
"""
    live = set(json.loads(run(source)))
    if one.is_tuple:
        live -= set(dir(tuple))
    if name == "Structure":
        live.discard("a")  # a field of the layout
    assert live == {*one.attributes, *one.methods} - {"__init__"}


def test_stats_in_order(run):
    """stats() and stats_into() go by the order of the stub."""
    names = stubs.load("mempool").classes["Stats"].attributes
    source = f"""
b = mempool.alloc(100)
words = array("I", [0] * 17)
mempool.stats_into(words)
now = mempool.stats()
print(json.dumps([list(words), list(now), [getattr(now, n) for n in {names!r}]]))
"""
    words, now, by_name = json.loads(run(source))
    assert words == now == by_name and len(words) == len(names)


def call_lines(module: str, function: stubs.Function) -> list[str]:
    """Python that calls in every way that the signature allows, and in some that it forbids."""
    class_name, _, method = function.path.rpartition(".")
    if method == "__init__":
        target = f"{module}.{class_name}"
    elif method == "attach":
        target = "mempool.Block().attach"  # the one in MAKE is full
    elif class_name:
        target = f"MAKE[{class_name!r}]().{method}"
    else:
        target = f"{module}.{method}"
    free_first = "v.get('block') and v['block'].free()"
    positional = function.positional_only + function.either
    required = [name for name in positional if name in function.required]
    lines = [
        "def call(fixed, named):",
        f"    target = {target}",
        "    v = fresh(fixed + named)",
        "    answer = target(*[v[n] for n in fixed], **{n: v[n] for n in named})",
        f"    {free_first}",
        "    return answer",
        f"answer = call({required!r}, [])",
        f"call({positional!r}, {['fields'] if function.any_keyword else []!r})",
        f"call({function.positional_only!r}, {function.either + function.keyword_only!r})",
    ]
    for name in function.positional_only:
        rest = [other for other in positional if other != name]
        lines += ["try:", f"    call({rest!r}, [{name!r}])", "except TypeError:", "    pass"]
        lines += ["else:", f"    print('took {name} by keyword')"]
    if required:
        lines += ["try:", f"    call({required[:-1]!r}, [])", "except TypeError:", "    pass"]
        lines += ["else:", f"    print('did without {required[-1]}')"]
    if not function.any_keyword:
        lines += ["try:", f"    call({required!r}, ['min_age_ms', 'role', 'callback', 'handle'])"]
        lines += ["except TypeError:", "    pass", "else:", "    print('took any keyword')"]
    return lines


# What an annotation promises, as an expression over the live `answer`.
ANSWERS = {
    "None": "answer is None",
    "int": "type(answer) is int",
    "int | None": "answer is None or type(answer) is int",
    "Block": "type(answer) is mempool.Block and answer",
    "mempool.Block": "type(answer) is mempool.Block",
    "Stats": "len(answer) == 17 and answer.capacity == answer.used + answer.free",
    "tuple[Pool, ...]": "answer == (mempool.TINY, mempool.SMALL, mempool.MEDIUM, "
    "mempool.LARGE, mempool.XLARGE)",
    "tuple[Owner, ...]": "all(type(one) is mempool.Owner for one in answer)",
    "Structure": "type(answer.a) is int",
    "mempool.Structure": "type(answer.a) is int",
    "list[Cost]": "answer[0].min <= answer[0].median <= answer[0].max and answer[0].unit == 'ns'",
    "bool": "answer is True",
    "Event": "type(answer) is eventbus.Event and answer['value'] == 5",
    "Event | None": "answer is None",
    "Any": "answer == 5",
    "str": "type(answer) is str and answer",
    "list[str]": "answer == ['value']",
    "Subscription": "type(answer) is eventbus.Subscription",
    "Listener": "type(answer) is eventbus.Listener",
    "BusStats": "len(answer.dropped) == 4 and len(answer.latency_us) == 2",
    "_M": "isinstance(answer, appmodule.Module)",
}


@pytest.mark.parametrize(("module", "function"), CALLS, ids=CALL_IDS)
def test_call(run, module, function):
    unknown = set(function.parameters) - set(PRELUDE_VALUES)
    assert not unknown, f"give {unknown} a value in PRELUDE"
    lines = call_lines(module, function)
    if "__init__" not in function.path and function.returns in ANSWERS:
        lines.append(f"assert {ANSWERS[function.returns]}, answer")
    lines.append("print('called')")
    output = run("\n".join(lines))
    assert output == "called\n"


PRELUDE_VALUES = {line.split('"')[1] for line in PRELUDE.splitlines() if line.startswith('    "')}


def test_special_methods(run):
    """What the stub says of operators holds: len, bool, index, iteration, ==, buffer, with."""
    source = """
b = mempool.alloc(4)
b[:] = b"abcd"
assert len(b) == 4 and b and b[0] == 97 and b[-1] == 100 and bytes(b[1:3]) == b"bc"
assert b"bc" in b and 100 in b
assert list(b) == [97, 98, 99, 100] and b == b"abcd" and bytes(memoryview(b)) == b"abcd"
assert type(b[1:3]) is mempool.Block
with b as same:
    assert same is b
for name in ("capacity", "handle", "pool", "owner"):
    try:
        getattr(b, name)
        print("a freed Block has a", name)
    except ValueError:
        pass
assert not b
T = mempool.Struct(LAYOUT)
with T(owner=mempool.Owner("special"), critical=True, spill=False, timeout_ms=0) as s:
    s.a = 5
    assert s.a == 5
    assert bytes(s) and s.pool is mempool.TINY and s.owner.name == 'special'
print(json.dumps([type(x).__name__ for x in (mempool.trace(1)[0])]))
print(json.dumps([type(x).__name__ for x in (mempool.alloc(3), mempool.leaks(0)[0])[1]]))
"""
    trace, leak = run(source).splitlines()
    types = {"int", "str", "NoneType", "Owner"}
    assert set(json.loads(trace)) | set(json.loads(leak)) <= types
    assert json.loads(trace)[:3] == ["str", "int", "int"]
    assert json.loads(leak)[0] == "int" and json.loads(leak)[2:] == ["int", "int"]


def test_special_methods_of_the_bus(run):
    """The same of events, their bytes, subscriptions and listeners."""
    source = """
event = an_event()
assert "value" in event and "x" not in event and event.get("x") is None
with event as same:
    assert same is event and same.data == {"value": 5}
for name in ("topic", "priority", "time_ms", "seq", "data", "raw"):
    try:
        getattr(event, name)
        print("an event that is over has a", name)
    except ValueError:
        pass
event = an_event()
raw = event.raw
cbor = b"\\xa1evalue\\x05"
assert len(raw) == 8 and raw and raw[-1] == 5 and raw[1:7] == b"evalue" and raw == cbor
assert 5 in raw and b"val" in raw and list(raw)[0] == 0xa1 and bytes(memoryview(raw)) == cbor
assert type(event.topic) is str
assert {type(x) for x in (event.priority, event.time_ms, event.seq)} == {int}
with eventbus.bus.subscribe("a", print) as sub, eventbus.bus.listen("a") as listener:
    assert sub.pattern == listener.pattern == "a"
assert eventbus.bus.filter is None and eventbus.bus.on_error is None and eventbus.bus.filtered == 0
eventbus.bus.filter = lambda topic, priority: (topic, priority) != ("a", eventbus.NORMAL)
assert eventbus.bus.publish("a") is False and eventbus.bus.filtered == 1
eventbus.bus.filter = None
errors = []
eventbus.bus.on_error = lambda sub, error: errors.append((sub, type(error)))
with eventbus.bus.subscribe("a", lambda event: event["x"]) as sub:
    eventbus.bus.publish("a", y=1)
    eventbus.bus.process()
assert errors == [(sub, KeyError)], errors
"""
    assert run(source) == ""


def test_awaiting(run):
    """send and throw are what asyncio calls of what a task awaits; ended, it is over for all."""
    source = """
import asyncio
listener = eventbus.bus.listen("a")
eventbus.bus.publish("a", n=1)
eventbus.bus.process()
try:
    print(listener.send(None))
except StopIteration as error:
    assert error.value["n"] == 1
try:
    print(listener.throw(AWAITED()))
except AWAITED:
    pass
async def both():
    eventbus.bus.publish("a", n=2)
    assert (await listener)["n"] == 2
    eventbus.bus.publish("a", n=3)
    async for event in listener:
        assert event["n"] == 3
        listener.cancel()
    try:
        print(await listener)
    except StopAsyncIteration:
        pass
asyncio.run(both())
"""
    assert run(source) == ""


@pytest.mark.parametrize("module", MODULES)
def test_everything_is_documented(module):
    assert stubs.undocumented(module) == []
