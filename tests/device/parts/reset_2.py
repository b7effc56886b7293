# After it: everything starts anew, but for what is held over.
import mempool

how = HOW
stats = mempool.stats()
assert stats.used == 0 and stats.allocs == 0, stats
assert mempool.check() == 0
if hasattr(mempool, "noinit"):
    cause = mempool.noinit.reset_cause
    print("FIGURE %s reset: cause =" % how, cause)
    assert mempool.noinit.valid, "noinit did not survive"
    assert bytes(mempool.noinit[0:8]) == how[:8].encode(), bytes(mempool.noinit[0:8])
    assert cause.endswith(how), cause  # IDF tells its watchdogs apart
try:
    import esp32  # noqa: F401
    import machine

    wanted = machine.WDT_RESET if how == "watchdog" else machine.SOFT_RESET
    if how == "watchdog":
        assert machine.reset_cause() == wanted, machine.reset_cause()
except ImportError:
    pass
