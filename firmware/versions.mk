# What the firmware is built from, pinned. Change a version here and nowhere else.

# MicroPython as Debian carries it: the suite is newer than the machine's own, and stays put.
MICROPYTHON_VERSION := 1.25.0
MICROPYTHON_SUITE := trixie
MICROPYTHON_ARCHIVE := micropython_1.25.0+ds.orig.tar.xz
MICROPYTHON_SHA256 := 7b25be99a502f070b2de81dafc08da7051d992325d6e67daa9045a918fffdbea
