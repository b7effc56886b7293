# The event bus: publish and subscribe, with events that live in pool blocks. All of it is C; here
# it gets its names.
from _eventbus import (  # pyright: ignore[reportMissingImports]
    CRITICAL,
    DROP_NEWEST,
    DROP_OLDEST,
    HIGH,
    LATEST,
    LOW,
    NORMAL,
    Event,
    EventBus,
    Listener,
    Subscription,
)
from _eventbus import default as _default  # pyright: ignore[reportMissingImports]

# The name stays: MicroPython's help() crashes on a module that something was deleted from.
bus = _default()
