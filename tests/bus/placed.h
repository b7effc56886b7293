// placed.h - forced in before everything else: the port's placements as sections of their own, as IDF has them, so that a
// test sees what stays behind in flash.

#ifndef PLACED_H
#define PLACED_H

#include "mempool_port.h"

#include "eventbus_place.h"

#define PLACED_TEXT(n) #n
#define PLACED(name, n) __attribute__((section(name "." PLACED_TEXT(n))))

#undef EVENTBUS_HOT
#undef MEMPOOL_HOT
#undef MEMPOOL_FAST
#undef MEMPOOL_FAST_CONST
#undef MEMPOOL_PAYLOAD
#define EVENTBUS_HOT PLACED(".hot", __COUNTER__)
#define MEMPOOL_HOT PLACED(".hot", __COUNTER__)
#define MEMPOOL_FAST PLACED(".fast", __COUNTER__)
#define MEMPOOL_FAST_CONST PLACED(".fast_const", __COUNTER__)
#define MEMPOOL_PAYLOAD PLACED(".fast", __COUNTER__)

#endif // PLACED_H
