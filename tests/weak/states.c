// states.c - the states that were seen: a table of their names, open addressing, at most half full.

#include <stdlib.h>
#include <string.h>

#include "weak.h"

static name_t *seen;
static size_t seen_size, seen_count;

static bool is_free(const name_t *place) {
    return (place->a | place->b) == 0;
}

bool states_add(name_t key) {
    key.a |= is_free(&key);
    if (seen_count * 2 >= seen_size) {
        size_t old_size = seen_size;
        name_t *old = seen;
        seen_size = old_size ? old_size * 2 : 1 << 14;
        seen = or_die(calloc(seen_size, sizeof(name_t)));
        for (size_t i = 0; i < old_size; i++) {
            size_t at = old[i].a & (seen_size - 1);
            while (!is_free(&old[i]) && !is_free(&seen[at])) {
                at = (at + 1) & (seen_size - 1);
            }
            if (!is_free(&old[i])) {
                seen[at] = old[i];
            }
        }
        free(old);
    }
    size_t at = key.a & (seen_size - 1);
    for (; !is_free(&seen[at]); at = (at + 1) & (seen_size - 1)) {
        if (seen[at].a == key.a && seen[at].b == key.b) {
            return false;
        }
    }
    seen[at] = key;
    seen_count++;
    return true;
}

unsigned long states_count(void) {
    return seen_count;
}

void states_forget(void) {
    if (seen != NULL) {
        memset(seen, 0, seen_size * sizeof(name_t));
    }
    seen_count = 0;
}
