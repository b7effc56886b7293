"""Thousands of generated values, both ways: what MicroPython's encoder writes, CPython's cbor2
reads; what cbor2 writes, a subscriber in MicroPython reads.
"""

from __future__ import annotations

import math
import struct

import cbor2
import hypothesis
import machine
import pytest
from hypothesis import strategies as st
from waiting import PATIENCE_S

VALUES = 3000
CHUNK = 250
LARGEST = 496  # bytes of a payload
EDGES = [0, 23, 24, 255, 256, 65535, 65536, (1 << 30) - 1, 1 << 30, (1 << 31) - 1, 1 << 31]
EDGES += [(1 << 32) - 1, 1 << 32, (1 << 62) - 1, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]

INTS = st.one_of(
    st.integers(-(1 << 64), (1 << 64) - 1),
    st.integers(-1000, 1000),
    st.sampled_from([sign * edge for edge in EDGES for sign in (1, -1)]),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    INTS,
    st.floats(),
    st.text(max_size=40),
    st.binary(max_size=40),
)


def nested(depth):
    """Values of at most `depth` containers within each other."""
    if depth == 0:
        return SCALARS
    inner = nested(depth - 1)
    return st.one_of(
        SCALARS,
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(st.text(max_size=10), inner, max_size=5),
    )


def literal(value):
    """A value as a program in MicroPython has it, its floats to the bit."""
    if isinstance(value, float):
        return f"F({struct.pack('<d', value).hex()!r})"
    if isinstance(value, list):
        return f"[{','.join(map(literal, value))}]"
    if isinstance(value, tuple):
        return f"({''.join(literal(item) + ',' for item in value)})"
    if isinstance(value, dict):
        return f"{{{','.join(f'{ascii(k)}:{literal(v)}' for k, v in value.items())}}}"
    return ascii(value)


def plain(value):
    """As it arrives: tuples as lists."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def same(a, b):
    """Equal, of the same types; nan is itself."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack("<d", a) == struct.pack("<d", b) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return a == b


@pytest.fixture(scope="module")
def values():
    found = []

    @hypothesis.settings(
        max_examples=VALUES * 2, database=None, derandomize=True, deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(nested(4))
    def collect(value):
        if len(cbor2.dumps(value)) <= LARGEST:
            found.append(value)

    collect()
    room = LARGEST - 3  # the largest strings that fit
    found += ["x" * room, b"x" * room, ["x" * (room - 1)], {"": "\u20ac" * ((room - 2) // 3)}]
    assert len(found) >= VALUES
    return found


PRELUDE = """
import struct, _platform
from eventbus import bus
def F(text):
    return struct.unpack("<d", bytes.fromhex(text))[0]
def same(a, b):
    if type(a) is not type(b):
        return False
    if type(a) is float:
        return struct.pack("<d", a) == struct.pack("<d", b) or (a != a and b != b)
    if type(a) is list:
        return len(a) == len(b) and all([same(x, y) for x, y in zip(a, b)])
    if type(a) is dict:
        return sorted(a) == sorted(b) and all([same(a[k], b[k]) for k in a])
    return a == b
got = []
def take(event):
    got.append((bytes(event.raw), event.data))
sub = bus.subscribe("v", take)
def deliver():
    while bus.process():
        pass
"""


def run(unix, source):
    status, output = unix.run(PRELUDE + source, timeout=PATIENCE_S)
    assert status == 0, unix.traceback + output.decode()[-2000:]
    return output.decode().split()


def chunks(values):
    return [values[i : i + CHUNK] for i in range(0, len(values), CHUNK)]


def test_cbor2_reads_what_micropython_publishes(values):
    with machine.Machine("unix") as unix:
        for chunk in chunks(values):
            lines = [f"for value in ({''.join(literal(value) + ',' for value in chunk)}):"]
            lines += ["    assert bus.publish('v', value) is True", "    deliver()"]
            lines += ["    print(got.pop()[0].hex())"]
            written = run(unix, "\n".join(lines))
            assert len(written) == len(chunk)
            for value, text in zip(chunk, written, strict=True):
                assert same(cbor2.loads(bytes.fromhex(text)), plain(value)), (value, text)


def test_micropython_reads_what_cbor2_writes(values):
    with machine.Machine("unix") as unix:
        for chunk in chunks(values):
            pairs = [f"({literal(plain(value))},{cbor2.dumps(value).hex()!r})" for value in chunk]
            lines = [f"for value, text in ({','.join(pairs)},):"]
            lines += ["    assert _platform.publish('v', 2, bytes.fromhex(text)) == 0"]
            lines += ["    deliver()", "    raw, data = got.pop()"]
            lines += ["    assert same(data, value), (data, value)"]
            lines += ["    assert raw == bytes.fromhex(text)", "print('read')"]
            assert run(unix, "\n".join(lines)) == ["read"]


# What cbor2 can write and events do not carry is refused, and nothing is published.
REFUSED = {
    "a tag": cbor2.CBORTag(1, 5),
    "a set": {1, 2},
    "undefined": cbor2.undefined,
    "a simple value": cbor2.CBORSimpleValue(99),
    "an int beyond 64 bits": 1 << 64,
    "a key that is no text": {1: 2},
    "five containers": [[[[[]]]]],
}


@pytest.mark.parametrize("what", REFUSED)
def test_micropython_refuses(what):
    text = cbor2.dumps(REFUSED[what]).hex()
    source = f"print(_platform.publish('v', 2, bytes.fromhex({text!r})), len(got))"
    with machine.Machine("unix") as unix:
        status, count = run(unix, source + "\ndeliver()\nassert not got")
    assert int(status) < 0 and count == "0"
