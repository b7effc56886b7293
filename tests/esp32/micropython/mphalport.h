// What our sources use of mphalport.h of MicroPython's ESP32 port, and no more.

#pragma once

#include "py/mpconfig.h"

mp_uint_t mp_hal_ticks_ms(void);
void mp_hal_delay_ms(mp_uint_t ms);
mp_uint_t mp_hal_ticks_cpu(void);
void mp_hal_set_interrupt_char(int c);
void mp_hal_wake_main_task_from_isr(void);
