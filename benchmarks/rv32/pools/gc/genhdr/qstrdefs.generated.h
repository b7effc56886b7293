// The names that the headers of py/ and gc.c mention; in a firmware this file is generated.
QDEF0(MP_QSTRnull, 0, 0, "")
QDEF1(MP_QSTR___del__, 0, 7, "__del__")
