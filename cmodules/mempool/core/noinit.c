// noinit.c - a region of RAM that software and watchdog resets leave alone, and how one knows that it came through whole.
//
//      | magic | length | crc[0] | crc[1] | content ...
//
// The content is good where its CRC is one of the two. A write works out the CRC that will be, stores it in crc[1], copies, and
// stores it in crc[0]. A reset before the copy finds the old content, which is that of crc[0]; one after it the new, which is
// that of crc[1]; one in the middle of the copy finds neither, and says so. Power-on finds no magic.
//
// What is not good is zeroed when the region is first used, and holds nothing until somebody writes.

#include "mempool_core.h"

#if MEMPOOL_NOINIT_BYTES > 0

#include <string.h>

#define MAGIC 0x4e6f496eu

static MEMPOOL_NOINIT struct {
    volatile uint32_t magic;
    volatile uint32_t length;
    volatile uint32_t crc[2];
    uint8_t content[MEMPOOL_NOINIT_BYTES];
} region;

static mempool_word_t busy MEMPOOL_FAST; // 1: somebody is at it
static bool begun;                       // under `busy`

// CRC-32 (ISO-HDLC), four bits at a time.
static uint32_t crc_add(uint32_t crc, const uint8_t *bytes, uint32_t length) {
    static const uint32_t table[16] = {
        0x00000000u,
        0x1db71064u,
        0x3b6e20c8u,
        0x26d930acu,
        0x76dc4190u,
        0x6b6b51f4u,
        0x4db26158u,
        0x5005713cu,
        0xedb88320u,
        0xf00f9344u,
        0xd6d6a3e8u,
        0xcb61b38cu,
        0x9b64c2b0u,
        0x86d3d2d4u,
        0xa00ae278u,
        0xbdbdf21cu,
    };
    for (uint32_t i = 0; i < length; ++i) {
        crc ^= bytes[i];
        crc = table[crc & 15u] ^ crc >> 4;
        crc = table[crc & 15u] ^ crc >> 4;
    }
    return crc;
}

static uint32_t crc_of_content(void) {
    return ~crc_add(UINT32_MAX, region.content, MEMPOOL_NOINIT_BYTES);
}

static bool is_good(void) {
    if (region.magic != MAGIC || region.length != MEMPOOL_NOINIT_BYTES) {
        return false;
    }
    uint32_t crc = crc_of_content();
    return crc == region.crc[0] || crc == region.crc[1];
}

// Tasks and threads, one at a time.
static void enter(void) {
    while (!mempool_begin(&busy)) {
        mempool_port_sleep_ms(1u);
    }
    if (!begun) {
        begun = true;
        if (!is_good()) {
            region.magic = 0;
            memset(region.content, 0, sizeof(region.content));
        }
    }
}

static void leave(void) {
    mempool_end(&busy, 0u);
}

static void hold_order(void) {
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void seal(uint32_t crc) {
    region.length = MEMPOOL_NOINIT_BYTES;
    region.crc[1] = crc;
    region.crc[0] = crc;
    hold_order();
    region.magic = MAGIC;
}

uint8_t *mempool_noinit_data(void) {
    enter();
    leave();
    return region.content;
}

bool mempool_noinit_valid(void) {
    enter();
    bool good = is_good();
    leave();
    return good;
}

int mempool_noinit_write(uint32_t offset, const void *from, uint32_t length) {
    if (offset > MEMPOOL_NOINIT_BYTES || length > MEMPOOL_NOINIT_BYTES - offset) {
        return MEMPOOL_E_RANGE;
    }
    if (length == 0) {
        return 0;
    }
    enter();
    uint32_t end = offset + length;
    uint32_t crc = crc_add(UINT32_MAX, region.content, offset);
    crc = crc_add(crc, from, length);
    crc = ~crc_add(crc, region.content + end, MEMPOOL_NOINIT_BYTES - end);
    region.crc[1] = crc;
    hold_order();
    memmove(region.content + offset, from, length);
    hold_order();
    seal(crc);
    leave();
    return (int)length;
}

void mempool_noinit_seal(void) {
    enter();
    seal(crc_of_content());
    leave();
}

#endif // MEMPOOL_NOINIT_BYTES
