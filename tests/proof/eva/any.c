// any.c - the numbers of any.h: each read of a volatile is any number to Eva (so this file is compiled with KEEP_VOLATILE).

#include "any.h"

static volatile uint32_t any;

uint32_t proof_uint(void) {
    return any;
}

uint32_t proof_below(uint32_t bound) {
    uint32_t number = any;
    return number < bound ? number : 0;
}
