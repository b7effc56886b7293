// soak.h - what the files of this folder share.

#ifndef SOAK_H
#define SOAK_H

#include <stdbool.h>
#include <stdint.h>

// lives.c: whether main() is to run again when it has ended; what the end of the jumps does.
extern bool soak_again;
extern bool soak_cuts_power;

// clock.c: the time since the start of the machine, in ns.
uint64_t soak_now_ns(void);
void soak_move_to_ns(uint64_t to_ns); // never back
void soak_set_tick(uint32_t tick);    // the pools' coarse one, which goes on from there with every move
void soak_set_uptime(uint32_t seconds);
bool soak_task_rests(void); // the bus's: it has given back what it delivered, and nothing waits for it

// counters.c
unsigned soak_counters(void);
const char *soak_counter_name(unsigned counter);
uint32_t soak_counter(unsigned counter);
void soak_set_counter(unsigned counter, uint32_t value);

// trace_next.c
uint32_t soak_trace_next(void);
void soak_set_trace_next(uint32_t value);

#endif // SOAK_H
