// py/gc.c asks the port for nothing.
