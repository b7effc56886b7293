// smooth.h - what the C++ of this module gives its C: no type of C++ goes through.

#ifndef SMOOTH_H
#define SMOOTH_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Makes the filter of a channel, 0 to 3, anew. -> false: no block is left. The window is 1 to 32.
#define SMOOTH_CHANNELS 4u
#define SMOOTH_WINDOW_MAX 32u
bool smooth_open(unsigned channel, unsigned window);
void smooth_close(unsigned channel);

// The mean of the last `window` values of a channel. -> false: it is not open.
bool smooth_step(unsigned channel, int32_t value, int32_t *mean);

#ifdef __cplusplus
}
#endif

#endif // SMOOTH_H
