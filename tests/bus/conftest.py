"""Puts tests/host on the path, whose builds and models the bus's tests use."""

import busbuild  # noqa: F401
