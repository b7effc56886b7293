// mask_once.c - how often the quick calls mask interrupts, where the mask is what makes them whole (port/masked.h): once around
// all of it, and once more only where a refusal is counted or a level is looked at. On the host the mask is a mutex, which the
// linker puts this file before.

#include "mempool_core.h" // first

#include <stdio.h>

static unsigned masks;

int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex) {
    masks += mempool_port_depth == 0; // not those within
    return __real_pthread_mutex_lock(mutex);
}

static int failures;

static void expect(unsigned most, const char *what) {
    if (masks == 0 || masks > most) {
        printf("%s: interrupts are masked %u times, at most %u\n", what, masks, most);
        failures++;
    }
    masks = 0;
}

int main(void) {
    mempool_init();
    int opened = mempool_owner_open("one", 3, 1024, 0);
    mempool_owner_t owner = opened > 0 ? (mempool_owner_t)opened : MEMPOOL_NO_OWNER;
    masks = 0;
    for (unsigned pool = 0; pool < MEMPOOL_POOLS; ++pool) {
        uint32_t size = MEMPOOL_MIN_BLOCK << pool;
        mempool_handle_t first = mempool_take(size, MEMPOOL_NO_OWNER);
        expect(1, "take");
        mempool_handle_t second = mempool_take(size, owner);
        expect(1, "take for an owner");
        mempool_adopt(first, MEMPOOL_PYTHON);
        expect(1, "adopt");
        mempool_give(second);
        expect(1, "give");
        mempool_give(second);
        expect(2, "a refused give");
        mempool_give_flags(first, MEMPOOL_PYTHON);
        expect(2, "give_flags");
        first = mempool_take_flags(size, MEMPOOL_NO_OWNER, MEMPOOL_CRITICAL);
        expect(2, "take_flags");
        mempool_give(first);
        masks = 0;
        void *data = mempool_alloc(size);
        expect(1, "alloc");
        mempool_free(data);
        expect(1, "free");
        while (mempool_take(size, MEMPOOL_NO_OWNER) > 0) {
            expect(1, "take, towards the end");
        }
        expect(1, "take of an empty pool");
    }
    return failures != 0;
}
