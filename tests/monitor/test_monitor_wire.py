"""Lines from a device, in whatever pieces and among whatever else they come."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from monitor_wire import LONGEST, Garbage, Record, Wire, Words, printable


def pieces(data, cuts):
    edges = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[a:b] for a, b in zip(edges, edges[1:], strict=False)]


def feed(data, cuts=()):
    wire = Wire()
    return [item for piece in pieces(data, cuts) for item in wire.feed(piece)]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(VALUES, max_size=5), st.lists(st.integers(0, 10**6)), st.booleans())
def test_every_line_comes_whole_however_it_is_cut(values, cuts, terminal):
    end = b"\r\n" if terminal else b"\n"
    data = b"".join(b"\x1e" + json.dumps(value).encode() + end for value in values)
    assert feed(data, cuts) == [Record(value) for value in values]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=40)), st.lists(st.integers(0, 10**6)))
def test_whatever_comes_a_line_after_it_is_understood(noise, cuts):
    data = b"".join(noise) + b"\n" + b'\x1e{"a": 1}\n'
    assert feed(data, cuts)[-1] == Record({"a": 1})


def test_a_line_that_the_next_one_cuts_is_garbage():
    items = feed(b'\x1e{"a": 1\x1e{"b": 2}\n')
    assert items == [Garbage("a line cut off after 7 bytes"), Record({"b": 2})]


def test_what_a_program_prints_is_words():
    assert feed(b"hello\r\n\r\nworld\x1e1\n") == [Words("hello"), Words("world"), Record(1)]


def test_what_is_no_text_is_garbage():
    assert [type(x) for x in feed(b"\xff\xfe\xfd\n" + b"\x01\x02\x03\x04\n")] == [Garbage] * 2


def test_numbers_that_json_has_not_and_depths_without_end_are_garbage():
    assert [type(x) for x in feed(b"\x1eNaN\n\x1e" + b"[" * 100_000 + b"\n\x1e{}\n")] == [
        Garbage,
        Garbage,
        Record,
    ]


def test_a_flood_without_an_end_is_not_kept():
    wire = Wire()
    items = [item for _ in range(5) for item in wire.feed(b"x" * LONGEST)]
    assert [type(item) for item in items] == [Garbage] * 4
    assert len(wire.held) <= LONGEST
    assert wire.feed(b"\n\x1e1\n")[-1] == Record(1)


def test_nothing_moves_the_cursor():
    assert printable(b"a\x1b[2J\x07b\r") == "a\ufffd[2J\ufffdb\ufffd"
