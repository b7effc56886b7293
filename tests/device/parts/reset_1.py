# Before a reset of the whole chip, by software or by its watchdog: HOW says which.
import mempool

how = HOW  # given by who runs it
try:
    import machine
except ImportError:
    print("NOT HERE: the firmware has no module machine")
    raise SystemExit
if how == "watchdog" and not hasattr(machine, "WDT"):
    print("NOT HERE: the firmware has no machine.WDT")
    raise SystemExit
if how == "software":
    try:
        import esp32  # noqa: F401
    except ImportError:
        try:
            from _platform import reset  # noqa: F401
        except ImportError:
            print("NOT HERE: machine.reset() ends this emulator")
            raise SystemExit
if hasattr(mempool, "noinit"):
    mempool.noinit[0:8] = how[:8].encode()
for _ in range(5):
    mempool.take(100)
