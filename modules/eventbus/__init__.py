# The event bus: publish and subscribe, with events that live in pool blocks. All of it is C; here
# it gets its names.
from _eventbus import *  # noqa: F403  # pyright: ignore[reportMissingImports]
from _eventbus import _default  # pyright: ignore[reportMissingImports]

# The name stays: MicroPython's help() crashes on a module that something was deleted from.
bus = _default()
