// cbor.c - for Frama-C's Eva: every function of eventbus_cbor.h, over any bytes of any length up to a payload's, and any
// value written anywhere.

#include <stddef.h>

#include "eventbus.h"
#include "eventbus_cbor.h"
#include "any.h"

static uint8_t bytes[EVENTBUS_MAX_PAYLOAD];

static void fill(void) {
    for (uint32_t i = 0; i < sizeof(bytes); ++i) {
        bytes[i] = (uint8_t)proof_uint();
    }
}

static void read(void) {
    uint32_t length = proof_below(sizeof(bytes) + 1);
    uint32_t from = proof_below(sizeof(bytes) + 1);
    const uint8_t *end = bytes + sizeof(bytes);
    static const char key[] = "timestamp";
    eventbus_cbor_item_t item;
    switch (proof_below(5)) {
        case 0: {
            const uint8_t *next = eventbus_cbor_read(bytes + from, end, &item);
            if (next != NULL && next < end) {
                (void)*next; // what it tells may be looked at
            }
            break;
        }
        case 1:
            eventbus_cbor_is_text(bytes, length);
            break;
        case 2:
            eventbus_cbor_skip(bytes + from, end);
            break;
        case 3:
            eventbus_cbor_check(bytes, length);
            break;
        default:
            eventbus_cbor_find(bytes, length, key, proof_below(sizeof(key)));
            break;
    }
}

static void write(eventbus_cbor_writer_t *w) {
    uint64_t value = (uint64_t)proof_uint() << 32 | proof_uint();
    uint32_t length = proof_below(sizeof(bytes) + 1);
    union {
        uint64_t bits;
        double number;
    } wide = { value };
    union {
        uint32_t bits;
        float number;
    } narrow = { proof_uint() };
    switch (proof_below(11)) {
        case 0:
            eventbus_cbor_uint(w, value);
            break;
        case 1:
            eventbus_cbor_int(w, (int64_t)value);
            break;
        case 2:
            eventbus_cbor_negative(w, value);
            break;
        case 3:
            eventbus_cbor_bytes(w, bytes, length);
            break;
        case 4:
            eventbus_cbor_text(w, (const char *)bytes, length);
            break;
        case 5:
            eventbus_cbor_array(w, proof_uint());
            break;
        case 6:
            eventbus_cbor_map(w, proof_uint());
            break;
        case 7:
            eventbus_cbor_bool(w, proof_below(2) != 0);
            break;
        case 8:
            eventbus_cbor_null(w);
            break;
        case 9:
            eventbus_cbor_float(w, narrow.number);
            break;
        default:
            eventbus_cbor_double(w, wide.number);
            break;
    }
}

int main(void) {
    static uint8_t out[37];
    eventbus_cbor_writer_t w = { out, proof_below(sizeof(out) + 1), 0 };
    while (proof_below(2) != 0) {
        fill();
        read();
        write(&w);
        eventbus_cbor_fits(&w);
        if (proof_below(2) != 0) {
            w.room = proof_below(sizeof(out) + 1);
            w.length = proof_uint(); // as far as a writer may have counted
        }
    }
    return 0;
}
