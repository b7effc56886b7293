// waits.c - how long a take waits for a block, by what it sleeps: a clock of the test's own, so that a busy computer is no matter.

#include "mempool_core.h" // first

#include "stress.h"

static uint64_t slept_ns;

int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left) {
    (void)left;
    slept_ns += (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
    return 0;
}

int main(void) {
    static const uint32_t waits_ms[] = { 0, 1, 2, 3, 7, 8, 50, 1003 };
    mempool_init();
    while (mempool_take_flags(512, MEMPOOL_NO_OWNER, MEMPOOL_CRITICAL) > 0) {
    }
    for (unsigned i = 0; i < sizeof(waits_ms) / sizeof(waits_ms[0]); ++i) {
        slept_ns = 0;
        mempool_handle_t handle = mempool_take_wait(512, MEMPOOL_NO_OWNER, 0, waits_ms[i]);
        if (handle != MEMPOOL_E_EXHAUSTED || slept_ns != waits_ms[i] * 1000000ull) {
            fail("a wait of %u ms ends with %d after %llu ns", (unsigned)waits_ms[i], (int)handle, (unsigned long long)slept_ns);
        }
    }
    return 0;
}
