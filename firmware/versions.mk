# What the firmware is built from, pinned. Change a version here and nowhere else.

# This repository's own; an image of a commit that is not tagged so is a preview of it.
VERSION := 0.1.0

# MicroPython as Debian carries it: the suite is newer than the machine's own, and stays put.
MICROPYTHON_VERSION := 1.25.0
MICROPYTHON_SUITE := trixie
MICROPYTHON_ARCHIVE := micropython_1.25.0+ds.orig.tar.xz
MICROPYTHON_SHA256 := 7b25be99a502f070b2de81dafc08da7051d992325d6e67daa9045a918fffdbea
