# What a piece of a program costs: the spec's TRACK_MEMORY_USAGE.
import gc
import time

import mempool

from . import state
from .arguments import function

_TICKS_S = 500  # on a board ticks_diff() is right for 2^29 us


class track:
    """with track("name"): ... prints what it took and held on to, and how long it was.

    Afterwards `blocks`, `bytes` (of block capacity), `gc_bytes` and `time_us` say the same; what
    came back is below 0, of the GC heap after a collection. What others do meanwhile counts, too.
    Beyond 500 s time_us is of whole seconds.
    log: called with the line instead of print; None: no line.
    """

    def __init__(self, name, log=print):
        self.name = name
        self.blocks = self.bytes = self.gc_bytes = self.time_us = 0
        self._log = function("log", log)
        self._words = state.words()

    def _look(self):
        blocks = 0
        for pool in mempool.pools():
            blocks += pool.used
        mempool.stats_into(self._words)
        return blocks

    def __enter__(self):
        self.blocks = self._look()
        self.bytes = self._words[state.USED]
        self._utilization = self._words[state.UTILIZATION]
        self._at_s = mempool.uptime_s()
        self.time_us = time.ticks_us()
        self.gc_bytes = gc.mem_alloc()
        return self

    def __exit__(self, *error):
        self.gc_bytes = gc.mem_alloc() - self.gc_bytes
        self.time_us = time.ticks_diff(time.ticks_us(), self.time_us)
        seconds = mempool.uptime_s() - self._at_s
        if seconds > _TICKS_S:
            self.time_us = seconds * 1000000
        self.blocks = self._look() - self.blocks
        self.bytes = self._words[state.USED] - self.bytes
        if self._log:
            try:
                self._log(
                    "%s: utilization %d -> %d %%, %+d blocks, %+d bytes, GC heap %+d bytes, %d us"
                    % (
                        self.name,
                        self._utilization,
                        self._words[state.UTILIZATION],
                        self.blocks,
                        self.bytes,
                        self.gc_bytes,
                        self.time_us,
                    )
                )
            except Exception:
                if error[0] is None:  # what the body raised comes first
                    raise
