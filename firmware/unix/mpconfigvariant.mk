# The libraries that the Debian source package leaves out, and that pools do not need.

MICROPY_PY_BTREE = 0
MICROPY_PY_SSL = 0
MICROPY_PY_FFI = 0
