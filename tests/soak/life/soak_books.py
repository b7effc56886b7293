# The invariants, looked at each simulated hour and around each fault. A window is the time
# between two looks; what the program did within it is counted here, and must be what the cores
# have counted, in numbers of 32 bits that may have come round.
import gc
import time

import _platform
import _soak
import mempool
from eventbus import bus
from refrigeration.ledger import Ledger
from soak_state import check

_ALL = 0xFFFFFFFF
TOPICS = ("soak.edge", "soak.raise", "soak.give_up", "soak.order", "soak.exit", "soak.full")


class Books(Ledger):
    def __init__(self, day):
        super().__init__()
        for topic in TOPICS:
            self.asked[topic] = 0
        self._day = day
        self.more = []  # subscriptions beside the modules'
        self._subs = []
        self.edges = 0  # that were triggered, in this life of the machine
        self.events = self.takes = self.refused_in_all = 0
        self._witnessed = 0  # calls of the witnesses of this window

    # ---- The emergency stop

    def watch(self):
        self._order.clear()
        self._stop = -1
        super().watch()

    def end_watch(self):
        if self._witness:
            self._witnessed += self._witness.delivered
            super().end_watch()
            if self._stop >= 0:
                check(self._stop == 0, "an emergency stop was overtaken by events:", self._stop)
                stop = self._order[0]
                before = len([seq for seq in self._order if (seq - stop) & _ALL >= 1 << 31])
                ways = (self.waited, self.waited - 1)  # one makes way in a full queue
                check(before in ways, "events that the stop overtook:", before, self.waited)

    def _subscriptions(self):
        for module in self._day.manager.modules:
            yield from module.subscriptions
        yield from self.more

    def _now(self, one):
        return one, one.delivered + one.dropped, one.delivered, self.expected(one)

    def add(self, one):
        """A subscription beside the modules', from now on."""
        self.more.append(one)
        self._subs.append(self._now(one))

    # ---- A window

    def open_window(self):
        pools = mempool.pools()
        stats = bus.stats()
        self._at_open = (self.total, self.edges, stats.published + stats.refused, stats.delivered)
        self._refused = stats.refused
        self._heard = _platform.sink_read()[0]
        self._witnessed = 0
        stats = mempool.stats()
        self._allocs = stats.allocs
        self._failures = stats.failures
        self._subs = [self._now(one) for one in self._subscriptions()]
        self._taken = [_taken(pool) for pool in pools]

    def close_window(self, poor=False):
        """poor: the queue was full, and a publish may have been refused for that. For want of a
        block it may be at any time: what waits for the broker holds many, and a burst wants the
        rest."""
        total, edges, accepted, delivered = self._at_open
        settle(self.edges)
        stats = bus.stats()
        refused = stats.refused - self._refused & _ALL
        failed = mempool.stats().failures - self._failures & _ALL
        check(poor or refused <= failed, "refused though there was a block:", refused, failed)
        asked = self.total - total + self.edges - edges
        told = stats.published + stats.refused - accepted & _ALL
        check(asked == told, "published and refused are not what was asked:", told, asked)
        self.refused_in_all += refused
        calls = _platform.sink_read()[0] - self._heard + self._witnessed
        for one, before, calls_before, expected in self._subs:
            due = self.expected(one) - expected
            got = one.delivered + one.dropped - before & _ALL
            check(
                0 <= due - got <= refused,
                "events lost uncounted by " + one.pattern + ":",
                due,
                got,
                refused,
            )
            calls += one.delivered - calls_before & _ALL
        told = stats.delivered - delivered & _ALL
        check(calls == told, "delivered is not the sum of the subscriptions':", told, calls)
        self.events += asked
        self.takes += mempool.stats().allocs - self._allocs & _ALL
        check(stats.queue_free == self.queue_size(), "something waits on the bus:", stats)
        longest_us, mean_us = stats.latency_us
        check(mean_us <= max(64, longest_us), "the mean latency:", stats)  # 64: as it may be set
        self._pools()

    def _pools(self):
        check(mempool.check() == 0, "mempool.check():", mempool.check())
        of_all = mempool.stats()
        _agree(of_all)
        used = 0
        for pool, taken in zip(mempool.pools(), self._taken):
            check(pool.used + pool.free == pool.count, "used and free of", pool)
            check(pool.used <= pool.peak, "peak of", pool)
            check(_taken(pool) == taken, "allocs, frees and used of", pool, pool.stats())
            _agree(pool.stats())
            used += pool.used * pool.block_size
        check(used == of_all.used, "the pools' sum:", used, of_all)


def _taken(pool):
    """What stays as it is, whatever is taken and given: blocks that were in use at the start."""
    stats = pool.stats()
    return stats.frees + pool.used - stats.allocs & _ALL


def _agree(stats):
    check(stats.used + stats.free == stats.capacity, "used and free:", stats)
    check(stats.used <= stats.peak <= stats.capacity, "peak:", stats)
    check(stats.requested + stats.waste == stats.used, "requested and waste:", stats)


def settle(edges):
    """Until C's events are delivered, too."""
    for _ in _a_while():
        heard, missing, _, _ = _platform.sink_read()
        if heard + missing == edges:
            rest()
            return
    check(False, "edges that C did not hear of:", edges, heard, missing)


def rest():
    """Until the bus's own thread, which runs in real time, has given back what it delivered."""
    for _ in _a_while():
        if _soak.task_rests():
            return
    check(False, "the bus's task does not come to rest")


def _a_while():
    for look in range(100000):
        yield
        if look > 100:
            time.sleep_us(100)


def held():
    """Blocks held -> [number by owner's name]."""
    counts = {}
    for _, owner, _, _ in mempool.leaks(0):
        name = owner.name if owner else ""
        counts[name] = counts.get(name, 0) + 1
    return counts


def heap_in_use():
    """The collector is conservative: of some looks the least."""
    least = 1 << 30
    for _ in range(3):
        gc.collect()
        least = min(least, gc.mem_alloc())
    return least
