# Records that wait for the broker, in order, each in a pool block of one owner. Where there is no
# room the oldest makes way: a state before an alert. What makes way is counted.
from array import array

import mempool

from .lock import allocate_lock


class Backlog:
    """quota: bytes of block capacity. put() and what sends may run in two threads."""

    def __init__(self, owner, quota):
        self.dropped = 0
        self.owner = owner
        self._handles = array("i", [0] * (quota // mempool.TINY.block_size))  # an alert's is < 0
        self._count = 0
        self._sent = 0  # handle of the first while it is being sent: that one stays
        self._block = mempool.Block()
        self._lock = allocate_lock()
        self._closed = False

    def __len__(self):
        return self._count

    def put(self, head, tail, alert):
        """False: it was dropped itself. An alert may use the reserve and larger blocks."""
        with self._lock:
            while not self._closed:
                if self._count < len(self._handles):
                    handle = self._take(len(head) * 4 + len(tail), alert)
                    if handle > 0:
                        mempool.write(handle, 0, head)
                        if tail:
                            mempool.write(handle, len(head) * 4, tail)
                        self._handles[self._count] = -handle if alert else handle
                        self._count += 1
                        return True
                if not self._make_way(alert):
                    break
            self.dropped += 1
            return False

    def first(self):
        """Handle of the oldest, which stays until sent(); 0 where nothing waits."""
        with self._lock:
            self._sent = self._handles[0] if self._count else 0
            return abs(self._sent)

    def sent(self, over=True):
        """Ends what first() began -> whether it counts as sent: what close() has dropped meanwhile
        does not. Not over: it stays, to be sent again."""
        with self._lock:
            mine = over and self._sent != 0
            if mine:
                self._remove(0)
            self._sent = 0
            return mine

    def close(self):
        """Drops all, counted, and what is put in later, too."""
        with self._lock:
            self._closed = True
            self._sent = 0
            self.dropped += self._count
            while self._count:
                self._remove(0)

    def _take(self, size, alert):
        if not alert:
            return self.owner.take(size)
        try:
            self.owner.alloc_into(self._block, size, critical=True, spill=True)
        except MemoryError:
            return 0
        return self._block.detach()

    def _make_way(self, alert):
        handles = self._handles
        begin = 1 if self._sent else 0
        for at in range(begin, self._count):
            if handles[at] > 0:
                break
        else:
            if not alert or begin >= self._count:
                return False
            at = begin
        self._remove(at)
        self.dropped += 1
        return True

    def _remove(self, at):
        handles = self._handles
        mempool.give(abs(handles[at]))
        self._count -= 1
        while at < self._count:
            handles[at] = handles[at + 1]
            at += 1
