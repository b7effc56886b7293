// cbor_read.c - the reader, for bytes that may come from anywhere: nothing outside [at, end) is ever looked at, and every
// step of a walk uses up a byte.

#include "eventbus_cbor.h"
#include "eventbus_place.h"

#include <string.h>

// The kinds up to here are CBOR's major types 0 to 5.
_Static_assert(EVENTBUS_CBOR_UINT == 0 && EVENTBUS_CBOR_MAP == 5, "kinds are numbered as major types");
_Static_assert(EVENTBUS_CBOR_NULL == EVENTBUS_CBOR_FALSE + 2, "kinds are numbered as simple values");

#define MAJOR_SIMPLE 7u // false, true, null and the floats

// What the lower 5 bits of a head say.
enum {
    SIMPLE_FALSE = 20,
    SIMPLE_NULL = 22,
    ARGUMENT_8 = 24, // the argument follows in 1, 2, 4 or 8 bytes
    ARGUMENT_16 = 25,
    ARGUMENT_32 = 26,
    ARGUMENT_64 = 27,
};

// The bits of a binary16 as a binary32, which holds them all.
static EVENTBUS_HOT uint32_t widen(uint32_t half) {
    uint32_t sign = (half & 0x8000u) << 16;
    uint32_t exponent = half >> 10 & 0x1fu;
    uint32_t fraction = half & 0x3ffu;
    if (exponent == 31) {
        exponent = 255; // infinity, not a number
    } else if (exponent != 0) {
        exponent += 127 - 15; // the biases
    } else if (fraction != 0) {
        // Subnormal: the leading 1 goes where it is not written.
        exponent = 127 - 14;
        do {
            fraction <<= 1;
            --exponent;
        } while ((fraction & 0x400u) == 0);
        fraction &= 0x3ffu;
    }
    return sign | exponent << 23 | fraction << 13;
}

EVENTBUS_HOT const uint8_t *eventbus_cbor_read(const uint8_t *at, const uint8_t *end, eventbus_cbor_item_t *item) {
    if (at >= end) {
        return NULL;
    }
    uint32_t major = *at >> 5;
    uint32_t info = *at & 0x1fu;
    uint64_t value = info;
    ++at;
    if (info >= ARGUMENT_8) {
        size_t size = (size_t)1 << (info & 3u);
        if (info > ARGUMENT_64 || size > (size_t)(end - at)) {
            return NULL; // also what is reserved, and indefinite lengths
        }
        value = 0;
        do {
            value = value << 8 | *at++;
        } while (--size > 0);
    }
    item->kind = (eventbus_cbor_kind_t)major;
    item->length = 0;
    item->value = value;
    item->bytes = at;
    if (major <= EVENTBUS_CBOR_NEGATIVE) {
        return at;
    }
    if (major <= EVENTBUS_CBOR_MAP) {
        // Each item of an array needs a byte at least, each pair of a map two.
        size_t left = (size_t)(end - at);
        if (value > (major == EVENTBUS_CBOR_MAP ? left / 2 : left)) {
            return NULL;
        }
        if (major >= EVENTBUS_CBOR_ARRAY) {
            return at;
        }
        item->length = (uint32_t)value;
        return value <= UINT32_MAX ? at + (size_t)value : NULL;
    }
    if (major != MAJOR_SIMPLE) {
        return NULL; // a tag
    }
    if (info >= SIMPLE_FALSE && info <= SIMPLE_NULL) {
        item->kind = (eventbus_cbor_kind_t)(EVENTBUS_CBOR_FALSE + (info - SIMPLE_FALSE));
    } else if (info == ARGUMENT_16) {
        item->kind = EVENTBUS_CBOR_FLOAT;
        item->value = widen((uint32_t)value);
    } else if (info == ARGUMENT_32) {
        item->kind = EVENTBUS_CBOR_FLOAT;
    } else if (info == ARGUMENT_64) {
        item->kind = EVENTBUS_CBOR_DOUBLE;
    } else {
        return NULL; // undefined, or a simple value of no meaning
    }
    return at;
}

// RFC 3629: no longer than it need be, no surrogates, nothing beyond U+10FFFF. All three show in the second byte.
EVENTBUS_HOT bool eventbus_cbor_is_text(const void *text, size_t length) {
    const uint8_t *at = text;
    const uint8_t *end = at + length;
    while (at < end) {
        uint8_t first = *at++;
        if (first < 0x80) {
            continue;
        }
        if (first < 0xc2 || first > 0xf4) {
            return false;
        }
        uint8_t least = 0x80;
        uint8_t most = 0xbf;
        if (first == 0xe0) {
            least = 0xa0; // below U+0800: two bytes do
        } else if (first == 0xed) {
            most = 0x9f; // from U+D800: surrogates
        } else if (first == 0xf0) {
            least = 0x90; // below U+10000: three bytes do
        } else if (first == 0xf4) {
            most = 0x8f; // from U+110000
        }
        for (int more = 1 + (first >= 0xe0) + (first >= 0xf0); more > 0; --more) {
            if (at == end || *at < least || *at > most) {
                return false;
            }
            ++at;
            least = 0x80;
            most = 0xbf;
        }
    }
    return true;
}

// A container that is being walked through, or the world around the first item.
typedef struct {
    size_t left; // items still to come; of a map, keys and values
    bool map;
} level_t;

// -> what comes behind the whole item at `at`. `strict`: keys are text, and text is UTF-8.
static EVENTBUS_HOT const uint8_t *walk(const uint8_t *at, const uint8_t *end, bool strict) {
    level_t outer[EVENTBUS_CBOR_DEPTH];
    unsigned depth = 0;
    level_t level = { 1, false };
    for (;;) {
        eventbus_cbor_item_t item;
        at = eventbus_cbor_read(at, end, &item);
        if (at == NULL) {
            return NULL;
        }
        if (strict) {
            bool key = level.map && level.left % 2 == 0;
            if (item.kind == EVENTBUS_CBOR_TEXT ? !eventbus_cbor_is_text(item.bytes, item.length) : key) {
                return NULL;
            }
        }
        --level.left;
        if (item.kind == EVENTBUS_CBOR_ARRAY || item.kind == EVENTBUS_CBOR_MAP) {
            if (depth == EVENTBUS_CBOR_DEPTH) {
                return NULL;
            }
            outer[depth++] = level;
            level.map = item.kind == EVENTBUS_CBOR_MAP;
            level.left = (size_t)item.value << level.map;
        }
        while (level.left == 0) {
            if (depth == 0) {
                return at;
            }
            level = outer[--depth];
        }
    }
}

EVENTBUS_HOT const uint8_t *eventbus_cbor_skip(const uint8_t *at, const uint8_t *end) {
    return walk(at, end, false);
}

EVENTBUS_HOT bool eventbus_cbor_check(const void *payload, size_t length) {
    const uint8_t *at = payload;
    return length != 0 && walk(at, at + length, true) == at + length;
}

EVENTBUS_HOT const uint8_t *eventbus_cbor_find(const void *payload, size_t length, const char *key, size_t key_length) {
    const uint8_t *at = payload;
    const uint8_t *end = at + length;
    eventbus_cbor_item_t map;
    at = eventbus_cbor_read(at, end, &map);
    if (at == NULL || map.kind != EVENTBUS_CBOR_MAP) {
        return NULL;
    }
    for (size_t pairs = (size_t)map.value; pairs > 0; --pairs) {
        eventbus_cbor_item_t item;
        at = eventbus_cbor_read(at, end, &item);
        if (at == NULL || item.kind != EVENTBUS_CBOR_TEXT) {
            return NULL;
        }
        if (item.length == key_length && memcmp(item.bytes, key, key_length) == 0) {
            return at;
        }
        at = eventbus_cbor_skip(at, end);
        if (at == NULL) {
            return NULL;
        }
    }
    return NULL;
}
