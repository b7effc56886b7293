// eventbus_cbor.h - the CBOR (RFC 8949) that events carry: written, checked and read in place, without a heap and
// without recursion. For C producers and C subscribers, and what the Python binding is made of.
//
// Kinds: unsigned and negative integers of 64 bits, byte strings, UTF-8 text, arrays, maps with text keys, false, true,
// null, floats of 16 (read only), 32 and 64 bits. Definite lengths; no tags, no other simple values. At most
// EVENTBUS_CBOR_DEPTH containers within each other, the outermost counted.
//
//      static const char topic[] = "door.front";
//      uint8_t buffer[32];
//      eventbus_cbor_writer_t w = { buffer, sizeof(buffer), 0 };
//      eventbus_cbor_map(&w, 2);
//      eventbus_cbor_text(&w, "open", 4);  eventbus_cbor_bool(&w, true);
//      eventbus_cbor_text(&w, "level", 5); eventbus_cbor_int(&w, -3);
//      if (eventbus_cbor_fits(&w)) eventbus_publish(topic, EVENTBUS_NORMAL, buffer, w.length);

#ifndef EVENTBUS_CBOR_H
#define EVENTBUS_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EVENTBUS_CBOR_DEPTH 4u

// Writes into `data` as long as there is room, and counts on beyond it: a writer of room 0 measures. Of an
// item that does not fit the head alone may be written, and nothing ever beyond `room`.
typedef struct {
    uint8_t *data;   // may be NULL where room is 0
    uint32_t room;   // bytes at data, less than UINT32_MAX
    uint32_t length; // bytes written so far, or that would have been; stays at UINT32_MAX once it is reached
} eventbus_cbor_writer_t;

// Each O(bytes written). ISR: yes, floats too: they are handled as bits. Integers and lengths take their shortest form, every
// NaN is 7fc00000 of 32 bits. What is written is not checked: text that is no UTF-8, or fewer items than announced, is
// refused by eventbus_cbor_check.
void eventbus_cbor_uint(eventbus_cbor_writer_t *w, uint64_t value);
void eventbus_cbor_int(eventbus_cbor_writer_t *w, int64_t value);
void eventbus_cbor_negative(eventbus_cbor_writer_t *w, uint64_t n); // -1 - n
void eventbus_cbor_bytes(eventbus_cbor_writer_t *w, const void *bytes, uint32_t length);
void eventbus_cbor_text(eventbus_cbor_writer_t *w, const char *text, uint32_t length); // UTF-8
void eventbus_cbor_array(eventbus_cbor_writer_t *w, uint32_t items);                   // `items` items follow
void eventbus_cbor_map(eventbus_cbor_writer_t *w, uint32_t pairs);                     // text, value, `pairs` times
void eventbus_cbor_bool(eventbus_cbor_writer_t *w, bool value);
void eventbus_cbor_null(eventbus_cbor_writer_t *w);
void eventbus_cbor_float(eventbus_cbor_writer_t *w, float value);
void eventbus_cbor_double(eventbus_cbor_writer_t *w, double value); // 32 bits where they say the same

static inline bool eventbus_cbor_fits(const eventbus_cbor_writer_t *w) {
    return w->length <= w->room;
}

typedef enum {
    EVENTBUS_CBOR_UINT,     // value
    EVENTBUS_CBOR_NEGATIVE, // -1 - value
    EVENTBUS_CBOR_BYTES,    // bytes, length
    EVENTBUS_CBOR_TEXT,     // bytes, length
    EVENTBUS_CBOR_ARRAY,    // value: items that follow
    EVENTBUS_CBOR_MAP,      // value: pairs that follow
    EVENTBUS_CBOR_FALSE,
    EVENTBUS_CBOR_TRUE,
    EVENTBUS_CBOR_NULL,
    EVENTBUS_CBOR_FLOAT,  // value: bits of an IEEE 754 binary32 (a binary16 is widened)
    EVENTBUS_CBOR_DOUBLE, // value: bits of an IEEE 754 binary64
} eventbus_cbor_kind_t;

typedef struct {
    eventbus_cbor_kind_t kind;
    uint32_t length;
    uint64_t value;
    const uint8_t *bytes;
} eventbus_cbor_item_t;

// Reads the head of the item at `at` (of a string its bytes, too). -> what comes behind it: the first inner item of an
// array or map, the next item otherwise; NULL where it is malformed, of another kind, goes beyond `end`, or announces more
// items than there are bytes up to `end`; nothing in `item` counts then. Text is not looked at. O(1). ISR: yes.
const uint8_t *eventbus_cbor_read(const uint8_t *at, const uint8_t *end, eventbus_cbor_item_t *item);

// Whether bytes are valid UTF-8 (RFC 3629). O(length). ISR: yes.
bool eventbus_cbor_is_text(const void *text, size_t length);

// What comes behind the whole item at `at`, inner items and all; NULL as above, or where it is nested too deep. O(bytes
// of heads and items). ISR: yes.
const uint8_t *eventbus_cbor_skip(const uint8_t *at, const uint8_t *end);

// The one check of what comes from outside: exactly one item of the kinds above, all keys text, all text valid UTF-8
// (RFC 3629), not nested too deep. O(length). ISR: yes.
bool eventbus_cbor_check(const void *payload, size_t length);

// The value of a key in a payload that is a map (the first, where the key is there twice); NULL where there is none, or it
// is no map. What comes before must be well-formed; the value itself is not looked at, and may be missing in a payload that
// was not checked. O(bytes before it). ISR: yes.
const uint8_t *eventbus_cbor_find(const void *payload, size_t length, const char *key, size_t key_length);

#ifdef __cplusplus
}
#endif

#endif // EVENTBUS_CBOR_H
