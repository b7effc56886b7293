"""The writer's own promises: the very bytes of each call, the shorter float, and a full buffer."""

from __future__ import annotations

import math
import random
import struct

import cbor2
import pytest
from cborlib import NULL, Writer, call, ffi, lib
from corelib import SCALE

# From appendix A of RFC 8949, where its form is ours.
APPENDIX = [
    ("uint", (0,), "00"),
    ("uint", (23,), "17"),
    ("uint", (24,), "1818"),
    ("uint", (1000,), "1903e8"),
    ("uint", (1000000,), "1a000f4240"),
    ("uint", (1000000000000,), "1b000000e8d4a51000"),
    ("uint", ((1 << 64) - 1,), "1bffffffffffffffff"),
    ("int", (10,), "0a"),
    ("int", (-1,), "20"),
    ("int", (-100,), "3863"),
    ("int", (-1000,), "3903e7"),
    ("int", (-(1 << 63),), "3b7fffffffffffffff"),
    ("int", ((1 << 63) - 1,), "1b7fffffffffffffff"),
    ("negative", (0,), "20"),
    ("negative", ((1 << 64) - 1,), "3bffffffffffffffff"),
    ("bool", (False,), "f4"),
    ("bool", (True,), "f5"),
    ("null", (), "f6"),
    ("bytes", (b"\1\2\3\4", 4), "4401020304"),
    ("text", (b"IETF", 4), "6449455446"),
    ("text", ("\u00fc".encode(), 2), "62c3bc"),
    ("array", (0,), "80"),
    ("array", (25,), "9819"),
    ("array", ((1 << 32) - 1,), "9affffffff"),
    ("map", (0,), "a0"),
    ("map", (256,), "b90100"),
    ("float", (100000.0,), "fa47c35000"),
    ("float", (1.1,), "fa3f8ccccd"),
    ("double", (1.1,), "fb3ff199999999999a"),
    ("double", (100000.0,), "fa47c35000"),
    ("double", (3.4028234663852886e38,), "fa7f7fffff"),
    ("double", (1.0e300,), "fb7e37e43c8800759c"),
    ("double", (-4.1,), "fbc010666666666666"),
    ("double", (math.inf,), "fa7f800000"),
    ("double", (-math.inf,), "faff800000"),
    ("double", (math.nan,), "fa7fc00000"),
    ("double", (-0.0,), "fa80000000"),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), APPENDIX)
def test_bytes_of_a_call(name, arguments, expected):
    function = getattr(lib, f"eventbus_cbor_{name}")
    assert call(lambda w: function(w, *arguments)).hex() == expected


EDGES = [n for bits in (8, 16, 32, 64) for n in ((1 << bits) - 1, 1 << bits) if n < 1 << 64]


@pytest.mark.parametrize("value", [0, 23, 24, *EDGES])
def test_heads_are_the_shortest(value):
    """Preferred serialization (RFC 8949, 4.1): what cbor2 writes, to the byte."""
    assert call(lambda w: lib.eventbus_cbor_uint(w, value)) == cbor2.dumps(value)
    assert call(lambda w: lib.eventbus_cbor_negative(w, value)) == cbor2.dumps(-1 - value)


def bits_of_a_double(bits: int) -> float:
    return struct.unpack(">d", bits.to_bytes(8, "big"))[0]


def expected_double(value: float) -> bytes:
    """The rule of the contract, by Python's own conversion."""
    if math.isnan(value):
        return bytes.fromhex("fa7fc00000")
    try:
        narrow = struct.pack(">f", value)
    except OverflowError:
        narrow = b""
    if narrow and struct.unpack(">f", narrow)[0] == value:
        return b"\xfa" + narrow
    return b"\xfb" + struct.pack(">d", value)


def test_doubles_of_every_exponent():
    """Around each edge of the fraction; what binary32 has, and its neighbours that it has not."""
    fractions = {
        0,
        1,
        (1 << 52) - 1,
        1 << 51,
        1 << 29,
        1 << 28,
        (1 << 28) - 1,
        (1 << 52) - (1 << 29),
    }
    fractions |= {1 << bit for bit in range(52)}
    fractions |= {(1 << 52) - (1 << bit) for bit in range(52)}
    narrow = 0
    for exponent in range(1 << 11):
        for fraction in (
            fractions if 860 <= exponent <= 1160 or exponent == 2047 else (0, 1, 1 << 51)
        ):
            for sign in (0, 1):
                value = bits_of_a_double(sign << 63 | exponent << 52 | fraction)
                written = call(lambda w, value=value: lib.eventbus_cbor_double(w, value))
                assert written == expected_double(value), value.hex()
                narrow += written[0] == 0xFA
    assert narrow > 10000


def test_random_doubles_and_floats():
    numbers = random.Random(1)
    for _ in range(20000 * SCALE):
        value = bits_of_a_double(numbers.getrandbits(64))
        assert call(lambda w: lib.eventbus_cbor_double(w, value)) == expected_double(value)  # noqa: B023
        bits = numbers.getrandbits(32).to_bytes(4, "big")
        (value,) = struct.unpack(">f", bits)
        expected = b"\xfa" + (bits if not math.isnan(value) else b"\x7f\xc0\0\0")
        for function in (lib.eventbus_cbor_float, lib.eventbus_cbor_double):
            assert call(lambda w: function(w, value)) == expected  # noqa: B023


@pytest.mark.parametrize("bits", [1, 1 << 51, (1 << 52) - 1, 1 << 29, 0x2000000, 1 << 51 | 1])
@pytest.mark.parametrize("sign", [0, 1])
def test_every_nan_is_one(bits, sign):
    wide = ffi.new("uint64_t *", sign << 63 | 0x7FF << 52 | bits)
    value = ffi.cast("double *", wide)[0]
    assert call(lambda w: lib.eventbus_cbor_double(w, value)).hex() == "fa7fc00000"
    narrow = ffi.new("uint32_t *", sign << 31 | 0xFF << 23 | (bits & 0x7FFFFF or 1))
    value = ffi.cast("float *", narrow)[0]
    assert call(lambda w: lib.eventbus_cbor_float(w, value)).hex() == "fa7fc00000"


def test_the_length_does_not_wrap():
    """A writer that only measures goes on to UINT32_MAX and stays there."""
    most = (1 << 32) - 1
    writer = Writer(16)
    lib.eventbus_cbor_bytes(writer.c, NULL, most - 5)
    assert writer.length == most
    for _ in range(2):
        lib.eventbus_cbor_text(writer.c, NULL, most)
        lib.eventbus_cbor_null(writer.c)
        assert writer.length == most
    assert writer.written()[0] == 0x5A
    assert writer.written()[5:] == b"\xa5" * 11


def test_what_no_longer_fits_stays_out():
    """What comes behind an item that did not fit is not written in its place, short as it is."""
    writer = Writer(6)
    lib.eventbus_cbor_null(writer.c)
    lib.eventbus_cbor_text(writer.c, b"hello!", 6)
    lib.eventbus_cbor_null(writer.c)
    assert writer.length == 9
    assert writer.written() == b"\xf6\x66\xa5\xa5\xa5\xa5"


def test_strings_of_nothing():
    assert call(lambda w: lib.eventbus_cbor_bytes(w, NULL, 0)) == b"\x40"
    assert call(lambda w: lib.eventbus_cbor_text(w, NULL, 0)) == b"\x60"
