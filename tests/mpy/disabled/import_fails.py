# MEMORY_POOL_ENABLE=n: there is no module, and no RAM is spent.
import boardcfg

assert boardcfg.MEMORY_POOL_ENABLE is False
try:
    import mempool
except ImportError:
    raise SystemExit(0)
raise SystemExit("import mempool: %s" % mempool)
