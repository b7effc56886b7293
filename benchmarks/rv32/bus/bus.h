// The bus under measurement: what is subscribed and queued, and the operations that are timed.

#ifndef BENCH_BUS_H
#define BENCH_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "eventbus.h"
#include "record.h"
#include "sdkconfig.h"

#define BUS_QUEUE ((unsigned)CONFIG_MEMORY_POOL_EVENT_QUEUE)
#define BUS_TOPICS ((unsigned)CONFIG_MEMORY_POOL_EVENT_TOPICS)
#define BUS_SUBSCRIBERS ((unsigned)CONFIG_MEMORY_POOL_EVENT_SUBSCRIBERS)

#define BUS_PAYLOAD 8u // bytes
#define BUS_PAYLOADS 2u

// Two payloads of 8 bytes: {"v": n} with n of 32 bits, and whichever is slowest to check.
enum { BUS_TYPICAL,
    BUS_SLOWEST };
extern uint8_t bus_payloads[BUS_PAYLOADS][BUS_PAYLOAD];

extern uint32_t bus_tiny_usable; // blocks of the class of such events, without the reserve
extern bool bus_reads_pressure;  // whether edges of pressure are read out, so that the next one rings again

void bus_init(void);

// A number below `limit` of a fixed sequence.
uint32_t bus_random(uint32_t limit);

// Brings the blocks that others hold of the events' class to `fill`, by random takes and gives, not timed.
void bus_others_hold(uint32_t fill);

// Ends all subscriptions; then `others` that match none of our topics; then `wanted` that match all. The last one of
// these is the last of the table.
void bus_subscribe(unsigned others, unsigned wanted);

// eventbus_publish_from_isr, timed, recorded under `op`; where it takes its block from another class or rings the pools'
// doorbell, on a row of its own. -> cost.
uint32_t bus_publish(record_op_t op, unsigned topic, unsigned priority, const uint8_t *payload, int expected);

// eventbus_publish, timed. -> cost.
uint32_t bus_publish_name(record_op_t op, const char *name, unsigned priority, const uint8_t *payload, int expected);

// One turn of the bus's task, timed; `calls` of subscribers are what it must make. -> cost.
uint32_t bus_turn(record_op_t op, uint32_t calls);

// Turns of the task, not timed, until nothing waits. bus_check stops where the bus or the pools are not whole then.
void bus_drain(void);
void bus_check(void);

// Events that wait.
uint32_t bus_waiting(void);

// The parts, in the order in which main.c runs them.
void bus_parts_publish(void);           // topics and subscriptions few and many, the class at every fill
void bus_parts_limits(void);            // a queue that is full, classes that are, Python's subscribers
void bus_parts_growth(unsigned topics); // 1, 8, 32 and more subscriptions

// Prints what locks.h has seen.
void bus_print_locks(void);

// Topics of the table, numbers from 1 on, half of them of 26 bytes and half of 63.
const char *bus_topic_name(unsigned number);

#endif // BENCH_BUS_H
