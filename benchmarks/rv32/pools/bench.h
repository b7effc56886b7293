// The parts of the bare image, in the order in which main.c runs them.

#ifndef BENCH_H
#define BENCH_H

void bench_fills(void);    // take and give at every fill of every pool
void bench_corners(void);  // leaves that empty and refill, generations that wrap, every size
void bench_refusals(void); // what is refused
void bench_seeing(void);   // statistics and checks
void bench_pointers(void); // mempool_alloc, mempool_free, mempool_data
void bench_heap(void);     // MicroPython's heap, for comparison

#endif // BENCH_H
