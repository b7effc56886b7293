# The demo, an hour of it: it proves itself, and finds the message that one receiver forgets.
# The whole of it, with all its faults, is tests/demo/test_cold_room.py.
# timeout: 300
import gc

import mempool
import refrigeration.report
from cold_room import main

before = mempool.stats().used

assert main(hours=1) == 0
assert mempool.stats().used == before

# With a block forgotten: found, and its holder known.
assert main(hours=1, leak=True) == 1
leaks = mempool.leaks(0)
assert len(leaks) == 1, leaks
handle, owner, size, age_ms = leaks[0]
assert owner.name == "haccp" and size == 46
assert mempool.give(handle) == 0 and mempool.stats().used == before

for hours in (0, -1, 241):
    try:
        main(hours)
        raise SystemExit("hours %d" % hours)
    except ValueError:
        pass

# Ctrl-C in the middle leaves nothing behind.
show = refrigeration.report.Progress.show


def interrupted(self, day):
    raise KeyboardInterrupt


refrigeration.report.Progress.show = interrupted
try:
    main(hours=1)
    raise SystemExit("not interrupted")
except KeyboardInterrupt:
    pass
refrigeration.report.Progress.show = show
gc.collect()
assert mempool.stats().used == before and mempool.check() == 0
