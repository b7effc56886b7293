// The bare image of the bus: every operation, then its costs as lines of text.

#include "bus.h"
#include "console.h"

int main(void) {
    record_calibrate();
    bus_init();
    bus_parts_publish();
    bus_parts_limits();
    record_print();
    bus_print_locks();
    console_print("done\n");
    console_exit(0);
}
