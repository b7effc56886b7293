// The UART and the power switch of QEMU's virt machine.

#include <stdarg.h>

#include "console.h"

#define UART (*(volatile uint8_t *)0x10000000u)
#define POWER (*(volatile uint32_t *)0x00100000u)
#define POWER_PASS 0x5555u
#define POWER_FAIL 0x13333u // exit status 1

static void print_text(const char *text) {
    while (*text) {
        UART = (uint8_t)*text++;
    }
}

static void print_number(uint32_t value) {
    char digits[11];
    char *at = digits + sizeof(digits) - 1;
    *at = 0;
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    print_text(at);
}

void console_print(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    for (const char *at = format; *at; at++) {
        if (*at != '%') {
            UART = (uint8_t)*at;
        } else if (*++at == 's') {
            print_text(va_arg(arguments, const char *));
        } else {
            print_number(va_arg(arguments, uint32_t));
        }
    }
    va_end(arguments);
}

void console_exit(int status) {
    POWER = status ? POWER_FAIL : POWER_PASS;
    for (;;) {
    }
}

void console_fail(const char *what, uint32_t value) {
    console_print("fail %s: %u\n", what, value);
    console_exit(1);
}

// start.S comes here from a trap: the image takes none on purpose.
void bench_trapped(uint32_t cause, uint32_t address);
void bench_trapped(uint32_t cause, uint32_t address) {
    console_print("fail trap %u at %u\n", cause, address);
    console_exit(1);
}
