// words.c - the word operations of one port header, call by call, against what mempool_port.h says of them. Which header
// is said by the build: WORDS_C11, WORDS_CAS, WORDS_RISCV or WORDS_MASKED. The program prints the line of what is wrong.
//
// WORDS_CAS brings a compare-and-set of its own that another core comes before, as often as `others` says: whoever
// meets it has to look again and must count on nothing that it saw before. One that looks again for ever is stopped.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MEMPOOL_PORT_INLINE static inline __attribute__((always_inline))

static unsigned others;      // how often another is quicker
static uint32_t other_value; // what it leaves

#if defined(WORDS_CAS)
#define TURNS 100000u // more than all checks together take
static unsigned turns;

static bool esp_cpu_compare_and_set(volatile uint32_t *w, uint32_t expected, uint32_t desired) {
    if (++turns > TURNS) {
        printf("it looks again for ever\n");
        exit(1);
    }
    if (others != 0) {
        others -= 1u;
        *w = other_value;
    }
    if (*w != expected) {
        return false;
    }
    *w = desired;
    return true;
}
#include "atomic_cas.h"
#elif defined(WORDS_RISCV)
#include "atomic_riscv.h"
#elif defined(WORDS_MASKED)
static unsigned depth; // how often the mask is on
static uint32_t mempool_port_mask(void) {
    return depth++;
}
static void mempool_port_unmask(uint32_t state) {
    depth = state;
}
static unsigned unmasked; // words that were read and written without it
#define MEMPOOL_PORT_CHECK_MASK() ((void)(unmasked += depth == 0 ? 1u : 0u))
#include "masked.h"
#else
#define MEMPOOL_SINGLE_CORE 0
#include "atomic_c11.h"
#endif

static int failures;
#define CHECK(condition) ((condition) ? (void)0 : (void)(failures += 1, printf("line %d: %s\n", __LINE__, #condition)))

static const uint32_t values[] = { 0u, 1u, 2u, 0x55u, 0x7fffffffu, 0x80000000u, 0x80000001u, 0xaaaaaaaau, 0xffffffffu };
#define VALUES (sizeof(values) / sizeof(values[0]))

// Two neighbours, so that a write beside the word shows.
static mempool_word_t words[3];
static mempool_word_t *const word = &words[1];

static void set(uint32_t value) {
    mempool_poke(&words[0], 0x11111111u);
    mempool_poke(word, value);
    mempool_poke(&words[2], 0x22222222u);
}

static bool is(uint32_t value) {
    return mempool_peek(word) == value && mempool_load(word) == value && mempool_peek(&words[0]) == 0x11111111u && mempool_peek(&words[2]) == 0x22222222u;
}

static void check_plain(uint32_t a, uint32_t b) {
    set(a);
    CHECK(is(a));
    mempool_store(word, b);
    CHECK(is(b));
    set(a);
    CHECK(mempool_fetch_and(word, b) == a && is(a & b));
    set(a);
    CHECK(mempool_fetch_or(word, b) == a && is(a | b));
    set(a);
    CHECK(mempool_fetch_add(word, b) == a && is(a + b));
    int zero = 1;
    set(a);
    CHECK(mempool_add(word, b, &zero) == a + b && is(a + b) && zero == 0);
    set(a);
    mempool_at_least(word, b);
    CHECK(is((int32_t)a < (int32_t)b ? b : a));
    set(a);
    mempool_at_most(word, b);
    CHECK(is((int32_t)a > (int32_t)b ? b : a));
    set(a);
    CHECK(mempool_cas(word, a, b) && is(b));
    set(a);
    CHECK(a == b || (!mempool_cas(word, b, 7u) && is(a)));
}

static void check_conditional(uint32_t a, uint32_t b) {
    uint32_t now = 0x33u;
    set(a);
    bool wanted = (int32_t)a >= (int32_t)b;
    CHECK(mempool_add_if(word, (int32_t)b, 5u, &now) == wanted && is(wanted ? a + 5u : a));
    CHECK(!wanted || now == a + 5u);
    set(a);
    CHECK(mempool_sub_if(word, b, &now) == wanted && is(wanted ? a - b : a));
    CHECK(!wanted || now == a - b);
}

// Of the shifts that the cores use, one leaves a bit out, so that one word that matches is barred.
static void check_swap(uint32_t a, uint32_t bar) {
    uint32_t was = 0;
    set(a);
    CHECK(mempool_swap_if(word, 14, a >> 14, bar, a + 3u, &was) && is(a + 3u));
    CHECK(was == a);
    set(a);
    CHECK(!mempool_swap_if(word, 14, (a >> 14) ^ 1u, bar, 9u, &was) && is(a));
    set(a);
    if (a == bar) {
        CHECK(!mempool_swap_if(word, 15, a >> 15, bar, 9u, &was) && is(a));
    } else {
        CHECK(mempool_swap_if(word, 15, a >> 15, bar, a ^ 3u, &was) && is(a ^ 3u));
        CHECK(was == a);
    }
    set(a);
    CHECK(!mempool_swap_if(word, 15, (a >> 15) ^ 0x10000u, bar, 9u, &was) && is(a));
}

#if defined(WORDS_CAS)

// Another core changes the word between the look and the set, `times` times.
static void meets(uint32_t value, unsigned times, uint32_t left_by_other) {
    set(value);
    others = times;
    other_value = left_by_other;
}

static void check_met(unsigned times) {
    uint32_t now = 0;
    uint32_t was = 0;
    meets(1u, times, 0x70u);
    CHECK(mempool_fetch_and(word, 0x60u) == 0x70u && is(0x60u) && others == 0);
    meets(1u, times, 0x70u);
    CHECK(mempool_fetch_or(word, 2u) == 0x70u && is(0x72u) && others == 0);
    meets(1u, times, 0x70u);
    CHECK(mempool_fetch_add(word, 2u) == 0x70u && is(0x72u) && others == 0);
    int zero = 1;
    meets(1u, times, 0x70u);
    CHECK(mempool_add(word, 2u, &zero) == 0x72u && is(0x72u) && zero == 0 && others == 0);
    meets(9u, times, 4u);
    CHECK(mempool_add_if(word, 3, 10u, &now) && now == 14u && is(14u) && others == 0);
    meets(9u, times, 2u);
    CHECK(!mempool_add_if(word, 3, 10u, &now) && is(2u));
    meets(9u, times, 4u);
    CHECK(mempool_sub_if(word, 3u, &now) && now == 1u && is(1u) && others == 0);
    meets(0x4001u, times, 0x4002u);
    CHECK(mempool_swap_if(word, 14, 1u, 0u, 0x8000u, &was) && was == 0x4002u && is(0x8000u));
    meets(0x4001u, times, 0x8001u);
    CHECK(!mempool_swap_if(word, 14, 1u, 0u, 9u, &was) && is(0x8001u));
    meets(0x8001u, times, 0x8002u);
    CHECK(!mempool_swap_if(word, 15, 1u, 0x8002u, 9u, &was) && is(0x8002u));
    meets(1u, times, 5u);
    mempool_at_least(word, 3u);
    CHECK(is(5u));
    meets(1u, times, 2u);
    mempool_at_least(word, 3u);
    CHECK(is(3u));
    meets(9u, times, 5u);
    mempool_at_most(word, 7u);
    CHECK(is(5u));
    meets(9u, times, 8u);
    mempool_at_most(word, 7u);
    CHECK(is(7u));
    meets(1u, times, 2u);
    CHECK(!mempool_cas(word, 1u, 9u) && is(2u));
    others = 0;
}

#endif

static void check_all(void) {
    for (size_t i = 0; i < VALUES; ++i) {
        for (size_t j = 0; j < VALUES; ++j) {
            check_plain(values[i], values[j]);
            check_conditional(values[i], values[j]);
            check_swap(values[i], values[j]);
        }
    }
#if defined(WORDS_CAS)
    check_met(1u);
    check_met(2u);
#endif
}

#if defined(WORDS_MASKED)

// Every operation that changes a word asks for the mask; nothing asks for it that only reads or only writes.
static void check_the_mask(void) {
    uint32_t out;
    int zero;
    CHECK(unmasked == 0);
    set(0);
    (void)is(0);
    mempool_store(word, 0);
    CHECK(unmasked == 0);
    mempool_fetch_and(word, 0);
    mempool_fetch_or(word, 0);
    mempool_fetch_add(word, 0);
    CHECK(unmasked == 3);
    mempool_cas(word, 0, 0);
    mempool_add_if(word, 0, 0, &out);
    mempool_sub_if(word, 0, &out);
    mempool_swap_if(word, 15, 0, 1, 0, &out);
    CHECK(unmasked == 7);
    mempool_at_least(word, 0);
    mempool_at_most(word, 0);
    CHECK(unmasked == 9);
    (void)mempool_add(word, 0, &zero);
    CHECK(unmasked == 10);
}

#endif

int main(void) {
#if defined(WORDS_MASKED)
    MEMPOOL_ENTER();
    {
        MEMPOOL_ENTER();
        CHECK(depth == 2);
        MEMPOOL_LEAVE();
    }
    CHECK(depth == 1);
    check_all();
    MEMPOOL_LEAVE();
    CHECK(depth == 0);
    check_the_mask();
#else
    MEMPOOL_ENTER();
    check_all();
    MEMPOOL_LEAVE();
#endif
    (void)others;
    (void)other_value;
    printf("%s\n", failures == 0 ? "all right" : "wrong");
    return failures != 0;
}
