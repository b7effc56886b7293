// The console of the emulated boards. The qemu port polls its UART only where Python reads
// stdin; here the timer interrupt polls it too, so that Ctrl-C stops a running program, and
// waiting for a character sleeps and lets scheduled callbacks run.

#include <stdlib.h>

#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "shared/runtime/interrupt_char.h"
#include "uart.h"
#include "platform.h"

#define RING_SIZE (256u)

static uint8_t ring[RING_SIZE];
static volatile uint32_t ring_in; // count of all bytes ever put in, of all ever taken out
static volatile uint32_t ring_out;

void platform_console_poll(void) {
    // A full ring leaves the byte in the UART: QEMU holds back the rest, so nothing is lost.
    while (ring_in - ring_out < RING_SIZE) {
        int c = uart_rx_chr();
        if (c < 0) {
            return;
        }
        if (c == mp_interrupt_char) {
            mp_sched_keyboard_interrupt();
        } else {
            ring[ring_in % RING_SIZE] = (uint8_t)c;
            ring_in += 1;
        }
    }
}

static int console_get(void) {
    int c = -1;
    uint32_t state = platform_irq_save();
    platform_console_poll();
    if (ring_in != ring_out) {
        c = ring[ring_out % RING_SIZE];
        ring_out += 1;
    }
    platform_irq_restore(state);
    return c;
}

int __wrap_mp_hal_stdin_rx_chr(void) {
    uint32_t start = platform_counter();
    for (;;) {
        int c = console_get();
        if (c >= 0) {
            return c;
        }
        // At the prompt nothing catches an exception, so it is dropped; in a program it is raised.
        mp_handle_pending(mp_interrupt_char >= 0);
        // A burst comes without sleeping between its bytes.
        if (platform_counter() - start > PLATFORM_COUNTS_PER_MS) {
            platform_wait();
        }
    }
}

uintptr_t __wrap_mp_hal_stdio_poll(uintptr_t poll_flags) {
    uintptr_t ready = poll_flags & MP_STREAM_POLL_WR;
    uint32_t state = platform_irq_save();
    platform_console_poll();
    if (ring_in != ring_out) {
        ready |= poll_flags & MP_STREAM_POLL_RD;
    }
    platform_irq_restore(state);
    return ready;
}

static void put_string(const char *text) {
    uart_tx_strn(text, strlen(text));
}

static void put_hex(const char *label, uint32_t value) {
    char text[8];
    for (int i = 7; i >= 0; --i) {
        text[i] = "0123456789abcdef"[value & 15];
        value >>= 4;
    }
    put_string(label);
    uart_tx_strn(text, sizeof(text));
}

void platform_fault(const char *what, uint32_t pc, uint32_t return_address, uint32_t detail) {
    platform_irq_save();
    put_string("\r\nplatform: ");
    put_string(what);
    put_hex(" pc=", pc);
    put_hex(" ra=", return_address);
    put_hex(" detail=", detail);
    put_string("\r\n");
    exit(1);
    for (;;) {
    }
}
