// cbor_fuzz.c - random and damaged payloads for the reader, and buffers too small for the writer; made for the sanitizers.
//
//      cbor_fuzz SEED ROUNDS EVERY FILE
//
// Each payload is read in memory of exactly its size. One of EVERY goes into FILE, with what the check said of it:
// verdict (1 byte), length (2 bytes, the lower first), bytes. The same arguments give the same file on every machine.

#include "eventbus_cbor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 256u // bytes of a payload

static uint32_t state;
static uint32_t touched; // a sum of all strings, so that no compiler leaves their reading out

// xorshift32
static uint32_t below(uint32_t limit) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return (uint32_t)(((uint64_t)state * limit) >> 32);
}

static void expect(bool holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "FAIL: %s\n", what);
        exit(1);
    }
}

// ---- Making ------------------------------------------------------------------------------------------------------

static const char *const keys[] = { "", "a", "b", "unit", "value", "a key of more than twenty-four bytes" };
#define KEYS (sizeof(keys) / sizeof(keys[0]))

static void make_text(eventbus_cbor_writer_t *w) {
    static const uint32_t first[] = { 0, 0x80, 0x800, 0xe000, 0x10000 };
    static const uint32_t count[] = { 0x80, 0x780, 0xd000, 0x2000, 0x100000 };
    char text[64];
    uint32_t length = 0;
    for (uint32_t n = below(12); n > 0; --n) {
        uint32_t range = below(5);
        uint32_t code = first[range] + below(count[range]);
        uint32_t more = code < 0x80 ? 0 : code < 0x800 ? 1
                                      : code < 0x10000 ? 2
                                                       : 3;
        static const uint8_t lead[] = { 0, 0xc0, 0xe0, 0xf0 };
        text[length++] = (char)(lead[more] | code >> 6 * more);
        while (more-- > 0) {
            text[length++] = (char)(0x80 | (code >> 6 * more & 0x3f));
        }
    }
    eventbus_cbor_text(w, text, length);
}

// One call of below() to an expression: their order would be the compiler's.
static uint64_t any_number(void) {
    uint64_t number = below(UINT32_MAX);
    number = number << 32 | below(UINT32_MAX);
    return number >> below(64);
}

static void make_bits(eventbus_cbor_writer_t *w) {
    uint64_t bits = any_number();
    bits <<= below(64);
    double wide;
    float narrow;
    uint32_t upper = (uint32_t)(bits >> 32);
    memcpy(&wide, &bits, sizeof(wide));
    memcpy(&narrow, &upper, sizeof(narrow));
    if (below(2)) {
        eventbus_cbor_double(w, wide);
    } else {
        eventbus_cbor_float(w, narrow);
    }
}

// A value within `outer` containers; sometimes nested one deeper than is allowed.
static void make(eventbus_cbor_writer_t *w, unsigned outer) {
    static const uint8_t bytes[64] = { 0xff, 0x80, 1, 2, 3 };
    uint32_t items = below(4);
    switch (below(outer > EVENTBUS_CBOR_DEPTH ? 8 : 14)) {
        case 0:
            eventbus_cbor_uint(w, any_number());
            break;
        case 1:
            eventbus_cbor_negative(w, any_number());
            break;
        case 2:
            eventbus_cbor_int(w, (int64_t)any_number());
            break;
        case 3:
            eventbus_cbor_bytes(w, bytes, below(sizeof(bytes) + 1));
            break;
        case 4:
        case 5:
            make_text(w);
            break;
        case 6:
            make_bits(w);
            break;
        case 7:
            if (below(3) == 0) {
                eventbus_cbor_null(w);
            } else {
                eventbus_cbor_bool(w, below(2));
            }
            break;
        case 8:
        case 9:
        case 10:
            eventbus_cbor_array(w, items);
            while (items-- > 0) {
                make(w, outer + 1);
            }
            break;
        default:
            eventbus_cbor_map(w, items);
            while (items-- > 0) {
                const char *key = keys[below(KEYS)];
                eventbus_cbor_text(w, key, (uint32_t)strlen(key));
                make(w, outer + 1);
            }
    }
}

// Writes one value three times: measured, into too little room, into enough. -> its length.
static uint32_t write_value(uint8_t *data) {
    uint32_t seed = state;
    eventbus_cbor_writer_t measure = { NULL, 0, 0 };
    make(&measure, 0);

    uint32_t after = state;
    uint32_t little = below(measure.length < MOST ? measure.length : MOST);
    uint32_t later = state;
    eventbus_cbor_writer_t tight = { malloc(little), little, 0 };
    state = seed;
    make(&tight, 0);
    expect(state == after && tight.length == measure.length && !eventbus_cbor_fits(&tight), "too little room");
    free(tight.data);

    eventbus_cbor_writer_t ample = { data, MOST, 0 };
    state = seed;
    make(&ample, 0);
    expect(ample.length == measure.length && eventbus_cbor_fits(&ample) == (ample.length <= MOST), "enough room");
    state = later;
    return ample.length <= MOST ? ample.length : MOST;
}

// A byte that the reader is likely to make something of.
static uint8_t likely_byte(void) {
    uint32_t major = below(8) << 5;
    switch (below(4)) {
        case 0:
            return (uint8_t)below(256);
        case 1:
            return (uint8_t)(major | below(4));
        case 2:
            return (uint8_t)(major | (20 + below(12))); // simple, long, reserved, indefinite
        default:
            return (uint8_t)(0x60 + below(3));
    }
}

static uint32_t damage(uint8_t *data, uint32_t length) {
    uint32_t at = length > 0 ? below(length) : 0;
    switch (below(6)) {
        case 0: // cut
            return at;
        case 1: // left out
            if (length > 0) {
                memmove(data + at, data + at + 1, length - at - 1);
                return length - 1;
            }
            return length;
        case 2: // put in
            if (length < MOST) {
                memmove(data + at + 1, data + at, length - at);
                data[at] = likely_byte();
                return length + 1;
            }
            return length;
        case 3:
            if (length > 0) {
                data[at] ^= (uint8_t)(1u << below(8));
            }
            return length;
        case 4:
            if (length > 0) {
                data[at] = likely_byte();
            }
            return length;
        default: // a long number over what was there
            for (uint32_t i = at; i < length && i < at + 8; ++i) {
                data[i] = below(2) ? 0xff : 0;
            }
            return length;
    }
}

static uint32_t payload_of_round(uint8_t *data) {
    uint32_t length = 0;
    if (below(4) == 0) {
        for (length = 0; length < MOST && below(12) != 0; ++length) {
            data[length] = likely_byte();
        }
        return length;
    }
    length = write_value(data);
    for (uint32_t n = below(4); n > 0; --n) {
        length = damage(data, length);
    }
    return length;
}

// ---- Looking -----------------------------------------------------------------------------------------------------

// Everything may be asked of any bytes; -> the check's verdict.
static bool look(const uint8_t *data, uint32_t length) {
    const uint8_t *end = data + length;
    bool good = eventbus_cbor_check(data, length);
    expect(!good || eventbus_cbor_skip(data, end) == end, "a good payload is skipped whole");
    for (const uint8_t *at = data; at < end; ++at) {
        eventbus_cbor_item_t item;
        const uint8_t *head = eventbus_cbor_read(at, end, &item);
        const uint8_t *behind = eventbus_cbor_skip(at, end);
        expect(head == NULL || (head > at && head <= end), "a head ends within");
        expect(behind == NULL || (head != NULL && behind >= head && behind <= end), "an item ends within");
        if (head == NULL) {
            continue;
        }
        if (item.kind == EVENTBUS_CBOR_BYTES || item.kind == EVENTBUS_CBOR_TEXT) {
            expect(item.bytes > at && item.bytes + item.length == head, "a string ends with its item");
            for (uint32_t i = 0; i < item.length; ++i) {
                touched += item.bytes[i];
            }
        }
        if (item.kind == EVENTBUS_CBOR_ARRAY || item.kind == EVENTBUS_CBOR_MAP) {
            expect(item.value <= (uint64_t)(end - head), "items announced are items there may be");
        }
    }
    for (unsigned k = 0; k < KEYS; ++k) {
        const uint8_t *value = eventbus_cbor_find(data, length, keys[k], strlen(keys[k]));
        expect(value == NULL || (value > data && value <= end), "a value lies within");
        expect(value == NULL || !good || eventbus_cbor_skip(value, end) != NULL, "a good payload's value is good");
    }
    return good;
}

int main(int argc, char **argv) {
    expect(argc == 5, "usage: cbor_fuzz SEED ROUNDS EVERY FILE");
    state = (uint32_t)strtoul(argv[1], NULL, 0);
    unsigned long rounds = strtoul(argv[2], NULL, 0);
    unsigned long every = strtoul(argv[3], NULL, 0);
    FILE *file = fopen(argv[4], "wb");
    expect(state != 0 && every != 0 && file != NULL, "a seed, and a file that can be written");
    expect(!look(NULL, 0), "nothing is no payload");
    uint8_t room[2];
    eventbus_cbor_writer_t w = { room, sizeof(room), 0 };
    eventbus_cbor_bytes(&w, NULL, 0);
    eventbus_cbor_text(&w, NULL, 0);
    expect(w.length == 2 && room[0] == 0x40 && room[1] == 0x60, "strings of nothing");
    unsigned long good_rounds = 0;
    for (unsigned long round = 0; round < rounds; ++round) {
        uint8_t made[MOST] = { 0 };
        uint32_t length = payload_of_round(made);
        uint8_t *data = malloc(length);
        if (length > 0) {
            memcpy(data, made, length);
        }
        bool good = look(data, length);
        good_rounds += good;
        if (round % every == 0) {
            uint8_t head[] = { good, (uint8_t)length, (uint8_t)(length >> 8) };
            fwrite(head, 1, sizeof(head), file);
            fwrite(made, 1, length, file);
        }
        free(data);
    }
    expect(fclose(file) == 0, "the file is whole");
    printf("rounds %lu good %lu touched %lu\n", rounds, good_rounds, (unsigned long)touched);
    return 0;
}
