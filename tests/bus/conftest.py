"""The random tests' settings, as in tests/host."""

import busbuild  # noqa: F401
import profile_random

profile_random.load()
