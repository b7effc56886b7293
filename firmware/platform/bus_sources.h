// bus_sources.h - what a machine does for `_platform`'s event sources: a periodic producer, a line, and a clock.

#ifndef BUS_SOURCES_H
#define BUS_SOURCES_H

#include <stdbool.h>
#include <stdint.h>

// Calls fn() in interrupt context (on unix: in a thread that MicroPython does not know) every period_us; 0 stops, and when
// it returns the old one no longer runs. -> false where it cannot.
bool bus_machine_timer(void (*fn)(void), uint32_t period_us);

// Calls fn() in interrupt context for each trigger of the line; NULL disarms it. -> false where it cannot.
bool bus_machine_line(void (*fn)(void));
void bus_machine_trigger(void);

// Microseconds that wrap at 2^32: the bus's own. Any context.
uint32_t bus_machine_us(void);

#endif // BUS_SOURCES_H
