"""Values there and back: what the C writer writes cbor2 reads, and the other way round."""

from __future__ import annotations

import math
import struct

import cbor2
import pytest
from cborlib import DEPTH, NULL, Payload, Writer, check, lib, nested, read, write
from corelib import SCALE
from hypothesis import given, settings
from hypothesis import strategies as st

MANY = 1000 * SCALE
SOME = 300 * SCALE

LENGTHS = (0, 1, 22, 23, 24, 25, 254, 255, 256, 257, 65535, 65536, 65537)
INTS = sorted(
    {sign * (1 << bit) + near for bit in range(65) for near in (-2, -1, 0, 1) for sign in (1, -1)}
    | {sign * near for near in (22, 23, 24, 25) for sign in (1, -1)}
)
INTS = [value for value in INTS if -(1 << 64) <= value < 1 << 64]
FLOATS = [
    0.0, -0.0, 1.0, -1.5, 0.1, 65504.0, 65505.0, 1e300, math.inf, -math.inf, math.nan, -math.nan,
    2.0**-14, 2.0**-24, 2.0**-25,  # the least of binary16, normal and subnormal
    2.0**-126, 2.0**-127, 2.0**-149, 2.0**-150, 3 * 2.0**-150,
    (2 - 2.0**-23) * 2.0**127, 2.0**128, (2 - 2.0**-24) * 2.0**127,
    2.0**-1022, 5e-324,
]  # fmt: skip

texts = st.text(max_size=30)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 64), (1 << 64) - 1),
    st.integers(0, len(INTS) - 1).map(lambda i: INTS[i]),
    st.floats(),
    st.floats(width=32),
    st.floats(width=16),
    texts,
    st.binary(max_size=30),
)


@st.composite
def nested_to(draw, depth: int, leaves: st.SearchStrategy) -> object:
    """Values of at most so many containers within each other; half of them are containers."""
    kind = draw(st.integers(0, 3)) if depth else 0
    if kind < 2:
        return draw(leaves)
    inner = nested_to(depth - 1, leaves)
    if kind == 2:
        return draw(st.lists(inner, max_size=3))
    return draw(st.dictionaries(texts, inner, max_size=3))


values = nested_to(DEPTH, scalars)


def shown(value: object) -> str:
    """Tells apart what == does not: kinds of numbers, signs of zeros; a NaN is a NaN."""
    return repr(value)


def agree(value: object) -> None:
    """A value goes through writer, check and reader, and through cbor2 at either end."""
    ours = write(value)
    assert shown(cbor2.loads(ours)) == shown(value)
    for canonical in (False, True):
        theirs = cbor2.dumps(value, canonical=canonical)
        for data in (ours, theirs):
            payload = Payload(data)
            assert payload.check()
            assert payload.skip() == len(data)
        assert shown(read(theirs)) == shown(cbor2.loads(theirs))
    assert shown(read(ours)) == shown(value)


@settings(max_examples=MANY)
@given(values)
def test_any_value(value):
    agree(value)


@settings(max_examples=MANY)
@given(scalars)
def test_any_scalar(value):
    agree(value)


def test_edges():
    for value in FLOATS:
        agree(value)
    for value in INTS:
        agree(value)
        assert write(value) == cbor2.dumps(value), "not the shortest form"


@pytest.mark.parametrize("length", LENGTHS)
def test_lengths(length):
    text = ("é" * length)[: (length + 1) // 2] + "x" * (length - (length + 1) // 2)
    for value in (
        "x" * length,
        text,
        bytes(i & 255 for i in range(length)),
        [None] * length,
        {f"{i:x}": i for i in range(length)},
    ):
        agree(value)
        assert write(value) == cbor2.dumps(value), "not the shortest form"


# No floats: cbor2 writes them all as 64 bits, or as 16 where that is enough.
exact = st.one_of(
    st.none(), st.booleans(), st.integers(-(1 << 64), (1 << 64) - 1), texts, st.binary()
)


@settings(max_examples=SOME)
@given(nested_to(DEPTH + 1, exact))
def test_written_as_cbor2_writes(value):
    """The shortest forms, byte for byte; the writer knows no depth."""
    assert write(value) == cbor2.dumps(value)


@settings(max_examples=SOME)
@given(values)
def test_too_little_room(value):
    """Nothing is written outside, whatever the room; the length is what it would take."""
    whole = write(value)
    rooms = {*range(min(len(whole), 12)), len(whole) // 2, max(0, len(whole) - 1)}
    for room in rooms:
        writer = Writer(room).value(value)
        writer.written()
        assert writer.length == len(whole)
    ample = Writer(len(whole) + 3).value(value)
    assert ample.length == len(whole)
    assert ample.written()[: len(whole)] == whole


@settings(max_examples=SOME)
@given(values)
def test_each_beginning_is_refused(value):
    whole = write(value)
    cuts = range(len(whole)) if len(whole) < 60 else {0, 1, 9, len(whole) // 2, len(whole) - 1}
    for cut in cuts:
        payload = Payload(whole[:cut])
        assert not payload.check()
        assert payload.skip() is None
    assert not check(whole + b"\0")
    assert Payload(whole + b"\0").skip() == len(whole)


@settings(max_examples=SOME)
@given(st.dictionaries(texts, nested_to(2, scalars), max_size=8), texts)
def test_find(pairs, other):
    """Every key, and only those, in what either writes."""
    for data in (write(pairs), cbor2.dumps(pairs)):
        payload = Payload(data)
        for key, value in pairs.items():
            at = payload.find(key)
            assert at is not None
            found, behind = payload.value(at)
            assert shown(found) == shown(value)
            assert payload.skip(at) == behind
        for key in {other, f"{other}x", *(key[:-1] for key in pairs), *(f"{k} " for k in pairs)}:
            assert (payload.find(key) is not None) == (key in pairs)


@pytest.mark.parametrize("value", [None, 7, "a", b"a", [], ["a", 1], [{"a": 1}], 0.5])
def test_find_wants_a_map(value):
    assert Payload(write(value)).find("a") is None


def test_find_the_first_of_two():
    payload = Payload(b"\xa3\x61a\x01\x61b\x02\x61a\x03")
    assert payload.value(payload.find("a")) == (1, 4)
    assert payload.value(payload.find("b")) == (2, 7)
    assert payload.find("a\0") is None
    assert payload.find("") is None


def test_find_behind_what_is_malformed():
    assert Payload(b"\xa2\x61a\x1c\x61b\x02").find("a") == 3, (
        "the value is the caller's to look at"
    )
    assert Payload(b"\xa2\x61a\x1c\x61b\x02").find("b") is None
    assert Payload(b"\xa2\x01\x01\x61b\x02").find("b") is None, "a key that is no text"
    assert Payload(b"\xa2\x61a\x01\x62b").find("b") is None
    for data in nested(DEPTH + 1, b"\x01"):
        assert Payload(b"\xa2\x61a" + data + b"\x61b\x02").find("b") is None
    assert not lib.eventbus_cbor_find(NULL, 0, b"a", 1)


def test_every_binary16():
    """Widened bit by bit; what is not a number keeps its bits as well as its kind."""
    for half in range(1 << 16):
        payload = Payload(b"\xf9" + half.to_bytes(2, "big"))
        assert payload.read() == 3
        assert payload.item.kind == lib.EVENTBUS_CBOR_FLOAT
        (value,) = struct.unpack(">e", half.to_bytes(2, "big"))
        if math.isnan(value):
            expected = (half & 0x8000) << 16 | 0x7F800000 | (half & 0x3FF) << 13
        else:
            expected = int.from_bytes(struct.pack(">f", value), "big")
        assert payload.item.value == expected, hex(half)
