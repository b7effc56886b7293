// What the bare image tells the computer that runs it: lines of text, and how it ended.

#ifndef BENCH_CONSOLE_H
#define BENCH_CONSOLE_H

#include <stdint.h>

// Writes the words, decimal numbers for %u (uint32_t) and texts for %s. Nothing else is known.
void console_print(const char *format, ...);

// Ends QEMU: 0 is success.
_Noreturn void console_exit(int status);

// Ends with a line that says what was not as it must be.
_Noreturn void console_fail(const char *what, uint32_t value);

#endif // BENCH_CONSOLE_H
