// bus_sources.h - what a machine does for `_platform`'s event sources: a periodic producer, a line, and a clock.

#ifndef BUS_SOURCES_H
#define BUS_SOURCES_H

#include <stdbool.h>
#include <stdint.h>

// Calls fn() in interrupt context (on unix: in a thread that MicroPython does not know) every period_us; 0 stops, and when
// it returns the old one no longer runs. -> false where it cannot.
bool bus_machine_timer(void (*fn)(void), uint32_t period_us);

// Calls fn(level) in interrupt context for each edge of the line; NULL disarms it. The line is `pin` of an ESP32, as machine.Pin
// has set it up, and its level is 0 or 1; or BUS_MACHINE_NO_PIN, one that only bus_machine_trigger() moves, level -1.
// -> false where it cannot.
#define BUS_MACHINE_NO_PIN (-1)
bool bus_machine_line(void (*fn)(int level), int pin);

// One edge: returns when its interrupt has been. An output pin is toggled.
void bus_machine_trigger(void);

// Before a function that interrupts call: on ESP32 it lies in IRAM.
#if defined(ESP_PLATFORM)
#include "esp_attr.h"
#define PLATFORM_ISR IRAM_ATTR
#else
#define PLATFORM_ISR
#endif

// Microseconds that wrap at 2^32: the bus's own. Any context.
uint32_t bus_machine_us(void);

#endif // BUS_SOURCES_H
