# Diagnostics of the pools: who holds what, since when, how close to the edge. Each name comes from
# a file of its own, which is loaded when the name is first used. docs/memdiag.md.
from . import state

_FILES = {
    "snapshot": "state",
    "to_json": "state",
    "leaks": "state",
    "map": "state",
    "report": "text",
    "benchmark": "text",
    "track": "span",
    "answer": "live",
    "stream": "live",
    "Responder": "live",
    "Monitor": "monitor",
    "SUSPECT": "monitor",
    "BlackBox": "box",
    "blackbox": "box",
    "Telemetry": "telemetry",
}


def __getattr__(name):
    file = _FILES.get(name)
    if file is None:
        raise AttributeError(name)
    value = getattr(__import__(file, globals(), None, (name,), 1), name)
    globals()[name] = value
    return value
