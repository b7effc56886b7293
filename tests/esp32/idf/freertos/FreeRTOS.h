// Types and constants of FreeRTOS.
// What our sources use of the IDF header of this name, and no more. tests/esp32/test_headers.py holds it against the real one.

#pragma once

#include <stdint.h>

#include "sdkconfig.h"

#include "esp_attr.h"

#define configTICK_RATE_HZ CONFIG_FREERTOS_HZ
#define configMAX_PRIORITIES 25
#define portNUM_PROCESSORS (THIN_CORES)

typedef void (*TaskFunction_t)(void *);

#include "freertos/portmacro.h"

#define pdMS_TO_TICKS(xTimeInMs) ((TickType_t)(((TickType_t)(xTimeInMs) * (TickType_t)configTICK_RATE_HZ) / (TickType_t)1000U))
#define pdFALSE ((BaseType_t)0)
#define pdTRUE ((BaseType_t)1)
#define pdPASS (pdTRUE)
