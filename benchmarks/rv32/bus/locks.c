// The functions that mask interrupts, and how long at most. Empty where the cores are built without locks.h.

#include "locks.h" // first

#include "bus.h"
#include "console.h"

static locks_site_t *sites;

void locks_note(locks_site_t *site, const char *function, uint32_t cost) {
    if (site->function == NULL) {
        site->function = function;
        site->next = sites;
        sites = site;
    }
    if (cost > site->longest) {
        site->longest = cost;
    }
}

void bus_print_locks(void) {
    for (const locks_site_t *site = sites; site != NULL; site = site->next) {
        console_print("locked %s %u\n", site->function, site->longest);
    }
}
