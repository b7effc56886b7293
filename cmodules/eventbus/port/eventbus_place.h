// eventbus_place.h - where code lies that interrupts may run, for sources that need nothing else of a platform: MEMPOOL_HOT of
// the pools' port, without its words and locks.

#ifndef EVENTBUS_PLACE_H
#define EVENTBUS_PLACE_H

#if defined(ESP_PLATFORM)
#include "esp_attr.h"
#define EVENTBUS_HOT IRAM_ATTR
#else
#define EVENTBUS_HOT
#endif

#endif // EVENTBUS_PLACE_H
