// fake_port.c - what fake_port.h declares, and a listener for the tests: the ring of mpy/obj_listener.c.

#include "eventbus_core.h"

#include "fake_port.h"

fake_t fake;

bool fake_start(void) {
    return fake.start != NULL ? fake.start() : !fake.no_task;
}

void fake_bell(void);
void fake_bell(void) {
    fake.rung++;
}

typedef struct {
    uint32_t depth;
    uint32_t waiting;
    uint32_t dropped;
    mempool_handle_t ring[8];
} fake_listener_t;

// Drops the oldest.
mempool_handle_t fake_push(const eventbus_item_t *item, void *ctx);
mempool_handle_t fake_push(const eventbus_item_t *item, void *ctx) {
    fake_listener_t *self = ctx;
    mempool_handle_t out = 0;
    if (self->waiting == self->depth) {
        out = self->ring[0];
        self->dropped++;
        self->waiting--;
        for (uint32_t i = 0; i < self->waiting; ++i) {
            self->ring[i] = self->ring[i + 1u];
        }
    }
    self->ring[self->waiting++] = item->handle;
    item->header->refs++;
    return out;
}
