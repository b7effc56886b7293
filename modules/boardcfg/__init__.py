# What this firmware was built with: every symbol of Kconfig as an attribute, without CONFIG_, and
# the board's pins by role. The data is generated for each build (tools/kconfig.py).
import sys

from _boardcfg_data import *  # noqa: F403  # pyright: ignore[reportMissingImports]
from _boardcfg_data import PINS  # pyright: ignore[reportMissingImports]

# The names are here now: its own dictionary would only hold them in RAM a second time.
del sys.modules["_boardcfg_data"]


def items():
    return sorted(
        [
            (name, value)
            for name, value in globals().items()
            if name == "BOARD" or name.startswith("MEMORY_POOL_")
        ]
    )


def pin(role):
    for name, number in PINS:
        if name == role:
            return number
    roles = " ".join([name for name, _ in PINS])
    raise ValueError("no pin for role %r; roles: %s" % (role, roles or "none"))
