// report.c - what went wrong, and how it came to that: every step of this execution.

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "weak.h"

#define EVENTS 8192

static struct {
    uint8_t thread;
    char what;
    bool stale;
    unsigned word;
    uint64_t was, now;
    int order;
    const void *from;
} events[EVENTS];
static unsigned n_events;

void trace_begin(void) {
    n_events = 0;
}

void trace(unsigned word, char what, bool stale, uint64_t was, uint64_t now, int order, const void *from) {
    if (n_events < EVENTS) {
        events[n_events].thread = (uint8_t)running;
        events[n_events].what = what;
        events[n_events].stale = stale && what != 'w';
        events[n_events].word = word;
        events[n_events].was = was;
        events[n_events].now = now;
        events[n_events].order = order;
        events[n_events++].from = from;
    }
}

static void print_event(unsigned i) {
    static const char *const orders[] = { "relaxed", "consume", "acquire", "release", "acq_rel", "seq_cst" };
    static const char *const doings[] = { ['r'] = "load", ['w'] = "store", ['+'] = "add", ['-'] = "sub", ['&'] = "and", ['|'] = "or", ['='] = "exchange", ['^'] = "xor", ['c'] = "swap", ['f'] = "swap fails", ['s'] = "swap fails for nothing", ['L'] = "lock" };
    printf("  %u %-10s", events[i].thread + 1, doings[(unsigned char)events[i].what]);
    if (events[i].what != 'L') {
        const volatile void *p = machine_address(events[i].word);
        char name[64];
        if (!unit_name(p, name, sizeof(name))) {
            snprintf(name, sizeof(name), "@%#lx", (unsigned long)((uintptr_t)p - unit_base));
        }
        printf(" %-12s", name);
        if (events[i].was != events[i].now) {
            printf(" %#lx ->", (unsigned long)events[i].was);
        }
        printf(" %#lx %s%s", (unsigned long)events[i].now, orders[events[i].order], events[i].stale ? ", not the newest" : "");
    }
    printf("  at @%#lx\n", (unsigned long)((uintptr_t)events[i].from - unit_base));
}

// @0x... are places in the unit, for who has its symbols.
void weak_fail(const char *format, ...) {
    char text[256], *at;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    printf("FAIL ");
    for (at = text; *at; at++) {
        unsigned long address;
        int used = 0;
        if (at[0] == '0' && at[1] == 'x' && sscanf(at, "%lx%n", &address, &used) == 1 && address - unit_base < (1u << 30)) {
            printf("@%#lx", address - unit_base);
            at += used - 1;
        } else {
            putchar(*at);
        }
    }
    printf("\n");
    for (unsigned i = 0; i < n_events; i++) {
        print_event(i);
    }
    printf("executions %lu steps %lu\n", executions, steps);
    fflush(stdout);
    _Exit(1);
}
