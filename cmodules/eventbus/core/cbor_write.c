// cbor_write.c - the writer: heads in their shortest form, floats in the shorter of two. It sees floats as bits only, so
// that no chip needs its floating-point unit or a library in its place, in interrupts least of all.

#include "eventbus_cbor.h"
#include "eventbus_place.h"

#include <string.h>

// The first byte of an item: a major type in the upper 3 bits; the lower 5 are the argument itself below 24, from 24 on
// they say that it follows in 1, 2, 4 or 8 bytes.
#define FIRST_FALSE 0xf4u
#define FIRST_NULL 0xf6u
#define FIRST_BINARY32 0xfau
#define FIRST_BINARY64 0xfbu

// Of a binary32.
#define SIGN 0x80000000u
#define INFINITE 0x7f800000u
#define NOT_A_NUMBER 0x7fc00000u // the one that is written for all

// All that is written goes through here, each part of it whole or not at all.
static EVENTBUS_HOT void put(eventbus_cbor_writer_t *w, const void *bytes, uint32_t length) {
    uint32_t before = w->length;
    w->length = length <= UINT32_MAX - before ? before + length : UINT32_MAX;
    if (length != 0 && before <= w->room && length <= w->room - before) {
        memcpy(w->data + before, bytes, length);
    }
}

// A first byte, and the last `size` bytes of a number, most significant first.
static EVENTBUS_HOT void put_number(eventbus_cbor_writer_t *w, uint32_t first, uint64_t number, uint32_t size) {
    uint8_t bytes[1 + sizeof(number)];
    bytes[0] = (uint8_t)first;
    for (uint32_t i = size; i > 0; --i) {
        bytes[i] = (uint8_t)number;
        number >>= 8;
    }
    put(w, bytes, 1 + size);
}

static EVENTBUS_HOT void put_head(eventbus_cbor_writer_t *w, eventbus_cbor_kind_t kind, uint64_t argument) {
    uint32_t first = (uint32_t)kind << 5; // these kinds are numbered as major types
    if (argument < 24) {
        put_number(w, first | (uint32_t)argument, 0, 0);
        return;
    }
    unsigned log2_size = argument > UINT8_MAX ? 1 : 0;
    log2_size += argument > UINT16_MAX ? 1 : 0;
    log2_size += argument > UINT32_MAX ? 1 : 0;
    put_number(w, first | (24 + log2_size), argument, 1u << log2_size);
}

EVENTBUS_HOT void eventbus_cbor_uint(eventbus_cbor_writer_t *w, uint64_t value) {
    put_head(w, EVENTBUS_CBOR_UINT, value);
}

EVENTBUS_HOT void eventbus_cbor_negative(eventbus_cbor_writer_t *w, uint64_t n) {
    put_head(w, EVENTBUS_CBOR_NEGATIVE, n);
}

EVENTBUS_HOT void eventbus_cbor_int(eventbus_cbor_writer_t *w, int64_t value) {
    if (value < 0) {
        put_head(w, EVENTBUS_CBOR_NEGATIVE, ~(uint64_t)value);
    } else {
        put_head(w, EVENTBUS_CBOR_UINT, (uint64_t)value);
    }
}

EVENTBUS_HOT void eventbus_cbor_bytes(eventbus_cbor_writer_t *w, const void *bytes, uint32_t length) {
    put_head(w, EVENTBUS_CBOR_BYTES, length);
    put(w, bytes, length);
}

EVENTBUS_HOT void eventbus_cbor_text(eventbus_cbor_writer_t *w, const char *text, uint32_t length) {
    put_head(w, EVENTBUS_CBOR_TEXT, length);
    put(w, text, length);
}

EVENTBUS_HOT void eventbus_cbor_array(eventbus_cbor_writer_t *w, uint32_t items) {
    put_head(w, EVENTBUS_CBOR_ARRAY, items);
}

EVENTBUS_HOT void eventbus_cbor_map(eventbus_cbor_writer_t *w, uint32_t pairs) {
    put_head(w, EVENTBUS_CBOR_MAP, pairs);
}

EVENTBUS_HOT void eventbus_cbor_bool(eventbus_cbor_writer_t *w, bool value) {
    put_number(w, FIRST_FALSE + value, 0, 0);
}

EVENTBUS_HOT void eventbus_cbor_null(eventbus_cbor_writer_t *w) {
    put_number(w, FIRST_NULL, 0, 0);
}

EVENTBUS_HOT void eventbus_cbor_float(eventbus_cbor_writer_t *w, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    if ((bits & ~SIGN) > INFINITE) {
        bits = NOT_A_NUMBER;
    }
    put_number(w, FIRST_BINARY32, bits, sizeof(bits));
}

// The binary64 `high`:`low` as a binary32, into `bits`. -> whether it says the same.
static EVENTBUS_HOT bool narrow(uint32_t high, uint32_t low, uint32_t *bits) {
    uint32_t sign = high & SIGN;
    uint32_t exponent = high >> 20 & 0x7ffu;
    uint32_t fraction = (high & 0xfffffu) << 3 | low >> 29; // the upper 23 of its 52 bits
    bool lost = (low & 0x1fffffffu) != 0;                   // the other 29
    if (exponent == 0x7ff) {
        *bits = fraction != 0 || lost ? NOT_A_NUMBER : sign | INFINITE;
        return true;
    }
    uint32_t result;
    if (exponent >= 897 && exponent <= 1150) {
        // 2^-126 to 2^127: normal in both, whose biases are 1023 and 127
        result = (exponent - 896) << 23 | fraction;
    } else if (exponent >= 874 && exponent < 897) {
        // 2^-149 to below 2^-126: subnormal in binary32, the leading 1 written out and shifted right by 1 to 23
        uint32_t significand = 1u << 23 | fraction;
        uint32_t shift = 897 - exponent;
        result = significand >> shift;
        lost = lost || (result << shift) != significand;
    } else {
        // Zero is left, and what is too small or too large.
        result = 0;
        lost = lost || exponent != 0 || fraction != 0;
    }
    *bits = sign | result;
    return !lost;
}

EVENTBUS_HOT void eventbus_cbor_double(eventbus_cbor_writer_t *w, double value) {
    uint64_t wide;
    uint32_t bits;
    memcpy(&wide, &value, sizeof(wide));
    if (narrow((uint32_t)(wide >> 32), (uint32_t)wide, &bits)) {
        put_number(w, FIRST_BINARY32, bits, sizeof(bits));
    } else {
        put_number(w, FIRST_BINARY64, wide, sizeof(wide));
    }
}
