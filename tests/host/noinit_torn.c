// noinit_torn.c - cuts writes to the noinit region short at every byte, as a reset would, and looks at what the next life finds.

#include "mempool_core.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

static jmp_buf reset;
static int copies_left; // bytes until the reset; -1: none
static void *copy_until_reset(void *to, const void *from, size_t length);

#define memmove copy_until_reset
#include "noinit.c"
#undef memmove

#define N MEMPOOL_NOINIT_BYTES

static void *copy_until_reset(void *to, const void *from, size_t length) {
    for (size_t i = 0; i < length; ++i) {
        if (copies_left == 0) {
            longjmp(reset, 1);
        }
        copies_left -= copies_left > 0;
        ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    }
    if (copies_left == 0) {
        longjmp(reset, 1); // before the last seal
    }
    return to;
}

static void next_life(void) {
    begun = false;
    mempool_store(&busy, 0u);
    copies_left = -1;
}

static int failures;

static void expect(bool good, const char *what, unsigned offset, unsigned length, int cut) {
    if (!good) {
        printf("%s: %u bytes at %u, reset after %d\n", what, length, offset, cut);
        failures++;
    }
}

static void cut_short(unsigned offset, unsigned length, int cut) {
    uint8_t before[N], after[N], news[N] = { 0 };
    for (unsigned i = 0; i < N; ++i) {
        before[i] = (uint8_t)(i * 3u + offset);
    }
    for (unsigned i = 0; i < length; ++i) {
        news[i] = (uint8_t)(before[offset + i] ^ 0x5au); // no byte stays as it is
    }
    next_life();
    expect(mempool_noinit_write(0, before, N) == N && mempool_noinit_valid(), "not written", 0, N, -1);
    memcpy(after, before, N);
    memcpy(after + offset, news, length);
    copies_left = cut;
    if (setjmp(reset) == 0) {
        mempool_noinit_write(offset, news, length);
    }
    next_life();
    bool valid = mempool_noinit_valid();
    const uint8_t *content = mempool_noinit_data();
    bool old = memcmp(content, before, N) == 0;
    bool new = memcmp(content, after, N) == 0;
    expect(valid == (cut == 0 || cut >= (int)length), "valid or not", offset, length, cut);
    expect(!valid || old || new, "a mixture that counts as good", offset, length, cut);
    expect(!valid || cut != 0 || old, "not the old one", offset, length, cut);
    if (!valid) {
        uint8_t zeros[N] = { 0 };
        expect(memcmp(content, zeros, N) == 0, "not zeroed", offset, length, cut);
        expect(mempool_noinit_write(1, news, 2) == 2 && mempool_noinit_valid() && content[2] == news[1], "not usable", offset, length, cut);
        next_life();
        expect(mempool_noinit_valid() && content[1] == news[0], "not kept", offset, length, cut);
    }
}

int main(void) {
    expect(~crc_add(UINT32_MAX, (const uint8_t *)"123456789", 9) == 0xcbf43926u, "the CRC's check value", 0, 0, 0);
    expect(!mempool_noinit_valid(), "valid at power-on", 0, 0, 0);
    uint8_t byte = 0;
    expect(mempool_noinit_write(N, &byte, 0) == 0 && mempool_noinit_write(N, &byte, 1) == MEMPOOL_E_RANGE && mempool_noinit_write(1, &byte, UINT32_MAX) == MEMPOOL_E_RANGE, "limits", 0, 0, 0);
    expect(!mempool_noinit_valid(), "an empty write counts", 0, 0, 0);
    for (unsigned offset = 0; offset < N; offset += 7) {
        for (unsigned length = 1; length <= N - offset; length += 1 + length / 4u) {
            for (int cut = 0; cut <= (int)length; ++cut) {
                cut_short(offset, length, cut);
            }
        }
    }
    // What is written through the pointer counts once it is sealed.
    next_life();
    uint8_t *content = mempool_noinit_data();
    content[5] ^= 1u;
    expect(!mempool_noinit_valid(), "a stray write counts", 5, 1, 0);
    mempool_noinit_seal();
    expect(mempool_noinit_valid(), "a seal", 5, 1, 0);
    // Another length is another firmware.
    region.length = N - 1u;
    next_life();
    expect(!mempool_noinit_valid(), "another length", 0, 0, 0);
    return failures != 0;
}
