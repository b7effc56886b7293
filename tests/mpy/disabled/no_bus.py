# MEMORY_POOL_ENABLE=n: without pools there is no bus; what stands on them says so at its import.
import boardcfg

assert boardcfg.MEMORY_POOL_ENABLE is False
for name in ("_eventbus", "eventbus", "appmodule"):
    try:
        __import__(name)
    except ImportError:
        continue
    raise SystemExit("import %s works" % name)
