"""What an event may not carry: each kind of it refused, and what lies just this side accepted."""

from __future__ import annotations

import time

import pytest
from cborlib import DEPTH, NULL, Payload, check, ffi, lib, memory_of, nested
from cbormodel import acceptable

# Refused by the reader already, whatever is around it.
UNREADABLE = {
    "nothing": "",
    "tag": "c0 00",
    "tag of a date": "c1 1a514b67b0",
    "tag of one byte": "d8 18 00",
    "tag of itself": "d9d9f7 00",
    "bignum": "c2 49 010000000000000000",
    "undefined": "f7",
    "simple 0": "e0",
    "simple 16": "f0",
    "simple 19": "f3",
    "false in two bytes": "f8 14",
    "null in two bytes": "f8 16",
    "simple 31 in two bytes": "f8 1f",
    "simple 32": "f8 20",
    "simple 255": "f8 ff",
    "reserved simple 28": "fc",
    "reserved simple 29": "fd",
    "reserved simple 30": "fe",
    "break": "ff",
    "indefinite bytes": "5f 41 61 ff",
    "indefinite text": "7f 61 61 ff",
    "indefinite array": "9f 00 ff",
    "indefinite map": "bf 61 61 00 ff",
    "indefinite uint": "1f 00",
    "indefinite negative": "3f 00",
    "indefinite tag": "df 00",
    "bytes cut": "42 61",
    "text cut": "62 61",
    "bytes of all of 32 bits": "5a ffffffff 00",
    "text of all of 32 bits": "7a ffffffff 00",
    "bytes of 2^32": "5b 0000000100000000 00",
    "bytes of 2^63": "5b 8000000000000000 00",
    "text of all of 64 bits": "7b ffffffffffffffff 00",
    "text that wraps a pointer": "7b fffffffffffffff7 00",
    "array of 2^32": "9b 0000000100000000 00",
    "array of all of 32 bits": "9a ffffffff 00 00 00 00 00",
    "array of all of 64 bits": "9b ffffffffffffffff 00",
    "array of one more": "83 00 00",
    "map of 2^31": "ba 80000000 61 61 00",
    "map of 2^63": "bb 8000000000000000 61 61 00",
    "map of all of 64 bits": "bb ffffffffffffffff 61 61 00",
    "map of one more": "a2 61 61 00",
}
UNREADABLE |= {
    f"reserved argument {info} of major type {major}": f"{major << 5 | info:02x} 00 00"
    for major in range(8)
    for info in (28, 29, 30)
}

# Refused by the check: a whole is wrong whose heads are good.
UNFIT = {
    "one byte more": "00 00",
    "one item more": "80 f6",
    "an int as key": "a1 01 02",
    "a negative int as key": "a1 20 02",
    "bytes as key": "a1 41 61 02",
    "null as key": "a1 f6 02",
    "a float as key": "a1 fa3f800000 02",
    "an array as key": "a1 80 02",
    "a map as key": "a1 a0 02",
    "the second key is none": "a2 61 61 61 62 01 61 63",
    "a key of an inner map": "81 a1 61 61 a1 01 02",
    "a key behind an inner map": "a2 61 61 a1 61 62 01 02 03",
    "a tag within": "81 c0 00",
    "undefined within": "82 00 f7",
    "undefined as value": "a1 61 61 f7",
    "an indefinite array within": "81 9f ff",
    "a value is missing": "a1 61 61",
    "an inner array is short": "82 82 00 00",
    "an inner array takes too much": "82 81 00",
    "an inner map takes too much": "82 a1 61 61 00",
}

# RFC 3629 by the byte.
BAD_TEXT = {
    "a continuation alone": "80",
    "the last continuation alone": "bf",
    "two continuations": "80 bf",
    "2 bytes, one": "c3",
    "2 bytes, no continuation": "c3 28",
    "2 bytes, a lead again": "c3 c3",
    "3 bytes, one": "e2",
    "3 bytes, two": "e2 82",
    "3 bytes, the third is none": "e2 82 28",
    "3 bytes, the second is none": "e2 28 a1",
    "4 bytes, one": "f0",
    "4 bytes, two": "f0 9f",
    "4 bytes, three": "f0 9f 98",
    "4 bytes, the second is none": "f0 28 8c bc",
    "4 bytes, the third is none": "f0 90 28 bc",
    "4 bytes, the fourth is none": "f0 90 8c 28",
    "overlong NUL": "c0 80",
    "overlong slash": "c0 af",
    "overlong U+007F": "c1 bf",
    "overlong U+0000 of 3": "e0 80 80",
    "overlong U+07FF of 3": "e0 9f bf",
    "overlong U+0000 of 4": "f0 80 80 80",
    "overlong U+FFFF of 4": "f0 8f bf bf",
    "the first surrogate": "ed a0 80",
    "the last high surrogate": "ed af bf",
    "the first low surrogate": "ed b0 80",
    "the last surrogate": "ed bf bf",
    "a pair of surrogates": "ed a0 80 ed b0 80",
    "U+110000": "f4 90 80 80",
    "U+13FFFF": "f4 bf bf bf",
    "U+140000": "f5 80 80 80",
    "5 bytes": "f8 88 80 80 80",
    "6 bytes": "fc 84 80 80 80 80",
    "no UTF-8 at all": "fe",
    "nor this": "ff",
    "Latin 1": "e4 6f",
}
GOOD_TEXT = [
    "\0", "a", "\x7f", "\x80", "\u07ff", "\u0800", "\u0fff", "\u1000", "\ucfff", "\ud7ff",
    "\ue000", "\uffff", "\U00010000", "\U0003ffff", "\U00040000", "\U000fffff", "\U0010ffff",
]  # fmt: skip

# Unusual, and fine.
ACCEPTED = {
    "0 of 1 byte": "18 00",
    "0 of 2 bytes": "19 0000",
    "0 of 4 bytes": "1a 00000000",
    "0 of 8 bytes": "1b 0000000000000000",
    "-1 of 8 bytes": "3b 0000000000000000",
    "a length of 8 bytes": "7b 0000000000000001 61",
    "an array whose length has 8 bytes": "9b 0000000000000001 00",
    "a map whose length has 8 bytes": "bb 0000000000000001 60 00",
    "an empty array": "80",
    "an empty map": "a0",
    "no bytes": "40",
    "no text": "60",
    "a key of no bytes": "a1 60 00",
    "a key twice": "a2 61 61 00 61 61 01",
    "a NaN with a payload": "fb 7ff0000000000001",
    "bytes that are no text": "42 c0 80",
    "neighbours that are full": "84 80 a0 82 80 80 a1 60 a0",
}


def cases(table: dict[str, str]):
    return pytest.mark.parametrize("data", [*map(bytes.fromhex, table.values())], ids=list(table))


def head(length: int) -> bytes:
    assert length < 24
    return bytes([0x60 + length])


@cases(UNREADABLE)
def test_unreadable(data):
    payload = Payload(data)
    assert payload.read() is None
    assert payload.skip() is None
    assert not payload.check()
    assert not acceptable(data)
    for around in (b"\x81", b"\xa1\x61a", b"\x82\0"):
        assert not check(around + data)
        assert Payload(around + data).skip() is None


@cases(UNFIT)
def test_unfit(data):
    assert not check(data)
    assert not acceptable(data)


@cases(BAD_TEXT)
def test_text_that_is_no_utf8(data):
    """As a value, as a key, and behind or before what is good; the reader does not look."""
    for text in (data, b"ok" + data, data + b"ok", "é".encode() + data):
        item = head(len(text)) + text
        assert not check(item)
        assert not check(b"\xa1" + item + b"\x00")
        assert not check(b"\xa1\x60" + item)
        assert not check(b"\x82\x00" + item)
        assert not acceptable(item)
        assert Payload(item).skip() == Payload(item).read() == len(item)


@pytest.mark.parametrize("text", GOOD_TEXT, ids=ascii)
def test_text_at_the_edges(text):
    data = text.encode()
    for item in (head(len(data)) + data, head(2 * len(data) + 1) + data + b"x" + data):
        assert check(item)
        assert check(b"\xa1" + item + b"\x00")
        assert not check(item[:-1])


@cases(ACCEPTED)
def test_unusual_and_fine(data):
    assert check(data)
    assert acceptable(data)
    assert Payload(data).skip() == len(data)


def test_a_depth_that_is_allowed_and_one_that_is_not():
    for inner in (b"\x01", b"\x61x", b"\x80", b"\xa0"):
        containers = inner in (b"\x80", b"\xa0")  # an empty one counts
        for depth in range(DEPTH + 4):
            fine = depth + containers <= DEPTH
            for data in nested(depth, inner):
                assert check(data) == fine == acceptable(data)
                assert Payload(data).skip() == (len(data) if fine else None)
    assert DEPTH == 4


def test_depth_is_left_again():
    """Neighbours may each go as deep as the first."""
    deep = b"\x81\xa1\x61k\x81\x00"
    assert check(b"\x83" + deep * 3)
    assert check(b"\xa2\x61a" + deep + b"\x61b" + deep)
    assert not check(b"\x82" + deep + b"\x81" + deep)


def test_a_million_levels_are_refused_at_once():
    data = b"\x81" * 1000000
    begin = time.process_time()
    assert not check(data)
    assert Payload(data).skip() is None
    assert time.process_time() - begin < 1


@pytest.mark.parametrize(
    "start", [b"\x9a\xff\xff\xff\xff", b"\x9b" + b"\xff" * 8, b"\x9b\0\0\0\1\0\0\0\0"]
)
def test_work_is_bounded_by_the_bytes(start):
    """Items that are announced and not there cost nothing; ten thousand such checks are quick."""
    data = (start + b"\x80" * 10)[:10]
    payload = Payload(data)
    begin = time.process_time()
    for _ in range(10000):
        assert not payload.check()
    assert time.process_time() - begin < 5


def test_a_string_of_4_gib_is_refused():
    """Its length has no place in 32 bits. There is no such memory here, and none is looked at."""
    memory = memory_of(b"\x7b\0\0\0\1\0\0\0\0" + b"\x7a\xff\xff\xff\xff")
    item = ffi.new("eventbus_cbor_item_t *")
    end = memory + (1 << 33)
    assert lib.eventbus_cbor_read(memory, end, item) == NULL
    behind = lib.eventbus_cbor_read(memory + 9, end, item)
    assert behind == memory + 9 + 5 + (1 << 32) - 1
    assert item.length == (1 << 32) - 1


def test_nothing_at_all():
    assert not lib.eventbus_cbor_check(NULL, 0)
    assert lib.eventbus_cbor_skip(NULL, NULL) == NULL
    assert lib.eventbus_cbor_read(NULL, NULL, ffi.new("eventbus_cbor_item_t *")) == NULL


def test_every_input_of_one_or_two_bytes():
    """And of three where the first two may be the beginning of something."""
    for data in (bytes([a]) for a in range(256)):
        assert check(data) == acceptable(data), data.hex()
    longer = []
    for data in (bytes([a, b]) for a in range(256) for b in range(256)):
        assert check(data) == acceptable(data), data.hex()
        if data[0] in (0x62, 0x81, 0x82, 0xA1):
            longer.append(data)
    for start in longer:
        for data in (start + bytes([c]) for c in range(256)):
            assert check(data) == acceptable(data), data.hex()
