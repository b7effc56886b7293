# A clock that stands while its thread waits for a processor: a step takes by it what it takes on a
# quiet computer, its waits for a broker included. Linux counts that time for each thread. Where a
# wait wakes up often it may show less than that, on a busy computer, and never more.
import time


class OwnTime:
    """For the thread that makes it."""

    def __init__(self):
        try:
            self._file = open("/proc/thread-self/schedstat", "rb")
        except OSError:  # a kernel that does not count it: then all time is its own
            self._file = None

    def _waited_us(self):
        if self._file is None:
            return 0
        self._file.seek(0)
        return int(self._file.read().split()[1]) // 1000

    def start(self):
        self._waited = self._waited_us()
        self._begin = time.ticks_us()

    def took_us(self):
        took = time.ticks_diff(time.ticks_us(), self._begin)
        return max(0, took - (self._waited_us() - self._waited))
