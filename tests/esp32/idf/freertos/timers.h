// The timer task.
// What our sources use of the IDF header of this name, and no more. tests/esp32/test_headers.py holds it against the real one.

#pragma once

typedef void (*PendedFunction_t)(void *,
    uint32_t);

BaseType_t xTimerPendFunctionCallFromISR(PendedFunction_t xFunctionToPend,
    void *pvParameter1,
    uint32_t ulParameter2,
    BaseType_t *pxHigherPriorityTaskWoken);
