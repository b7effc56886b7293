# The monitor's last samples, in a block of a pool.
import struct

import mempool

ENTRY = "<IIIBBH"
SIZE = 16
MAX = mempool.XLARGE.block_size // SIZE


class History:
    """Iterates over (uptime_s, used, utilization, level, failures, waiting), oldest first."""

    def __init__(self, samples, reserve):
        self._size = samples * SIZE
        self._samples = samples
        self._block = mempool.Block()
        self._next = self._count = 0
        self._pool = mempool.TINY
        for pool in mempool.pools():
            if self._pool.block_size < self._size:
                self._pool = pool
        self._reserve = reserve
        try:
            self._owner = mempool.Owner("memdiag")
        except MemoryError:  # the table of owners is full: then nobody's
            self._owner = mempool
        self._take()

    # While its pool is out the monitor does without: no request, no failure counted.
    def _take(self):
        if self._pool.free > self._reserve:
            handle = self._owner.take(self._size)
            if handle > 0:
                self._block.attach(handle)
        return bool(self._block)

    def _add(self, at_s, used, utilization, level, failures, waiting):
        if not self._block and not self._take():
            return
        at = self._next
        struct.pack_into(
            ENTRY, self._block, at * SIZE, at_s, used, failures, utilization, level, waiting
        )
        self._next = at + 1 if at + 1 < self._samples else 0
        if self._count < self._samples:
            self._count += 1

    def _free(self):
        self._block.free()
        self._next = self._count = 0

    def __len__(self):
        return self._count

    def __iter__(self):
        at = self._next - self._count
        for _ in range(self._count):
            slot = at if at >= 0 else at + self._samples
            s, used, failures, utilization, level, waiting = struct.unpack_from(
                ENTRY, self._block, slot * SIZE
            )
            yield s, used, utilization, level, failures, waiting
            at += 1
