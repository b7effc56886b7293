# What goes wrong: each fault is a method, called between two seconds of the cold room, with
# nothing waiting. Those that last let the seconds go on meanwhile, by `self._second()`.
import asyncio
import gc

import _platform
import mempool
import soak_broker
from eventbus import CRITICAL, DROP_NEWEST, DROP_OLDEST, HIGH, LATEST, LOW, NORMAL, bus
from soak_state import check

_ALL = 0xFFFFFFFF


class Faults:
    """Exhaustions have windows of their own in the books, in which a publish may be refused."""

    def __init__(self, life):
        self._life = life
        self._day = life.day
        self._books = life.books
        self._chance = life.chance
        self._second = life.second
        self.owner = mempool.Owner("soak", 4096)
        self.raised = 0
        self.heard = 0
        life.books.add(bus.subscribe("soak.raise", self._raise))
        self.hourly = (self.wrong_uses, self.order, self.edges)
        self.by_chance = (
            self.a_pool,
            self.a_pool,
            self.full_queue,
            self.a_module,
            self.broker,
            self.broker,
            self.raising,
            self.giving_up,
            self.subscriptions,
            self.owners,
            self.no_gc_heap,
            self.everything,
        )

    def _note(self, name, n=1):
        self._life.state.count("faults", name, n)

    # ---- Uses that are refused

    def wrong_uses(self):
        """Stale, double, foreign, beyond the quota, forgotten and spilled, in every pool."""
        for pool in mempool.pools():
            size = pool.block_size
            before = pool.stats()
            handle = mempool.take(size)
            check(handle > 0, "no block of", pool)
            check(mempool.give(handle) == 0, "give of", handle)
            check(mempool.give(handle) == mempool.E_STALE, "a double give of", handle)
            check(mempool.write(handle, 0, b"x") == mempool.E_STALE, "a write to", handle)
            for _ in range(5):
                mempool.give(handle)
            _forget(size)
            gc.collect()
            gc.collect()
            now = pool.stats()
            check(now.refused - before.refused & _ALL == 7, "refused of", pool, before, now)
            forgotten = now.reclaimed - before.reclaimed & _ALL
            check(6 <= forgotten <= 7, "reclaimed of", pool, before, now)
            self._denied(pool)
        before = mempool.stats().refused
        for handle in (0, -1, 1, 7 << 10, 0x3FFFFFFF, -(1 << 30)):
            check(mempool.give(handle) in (mempool.E_FOREIGN, mempool.E_STALE), "give of", handle)
        check(mempool.stats().refused - before & _ALL == 6, "refused of foreign")
        self._note("wrong uses", 5 * 22 + 6)

    def _denied(self, pool):
        size = pool.block_size
        owner = mempool.Owner("soak", size)
        before, of_pool = owner.denied, pool.stats().denied
        handle = owner.take(size)
        for _ in range(7):
            check(owner.take(size) == mempool.E_QUOTA, "a take beyond the quota of", size)
        check(owner.denied - before & _ALL == 7, "denied of", owner.denied, before)
        check(pool.stats().denied - of_pool & _ALL == 7, "denied of", pool)
        mempool.give(handle)
        mempool.Owner("soak", 4096)

    # ---- No room

    def _drain(self, pool, taken, leave=0):
        while pool.free > leave:
            handle = mempool.take(pool.block_size)
            check(handle > 0, "no block though there is one:", pool)
            taken.append(handle)

    def _give_back(self, taken):
        for handle in taken:
            check(mempool.give(handle) == 0, "give of", handle)

    def _exhausted(self, pools, seconds):
        self._life.look()
        taken = []
        for pool in pools:
            self._drain(pool, taken)
        for pool in pools:
            before = pool.stats()
            for _ in range(7):
                check(mempool.take(pool.block_size) == mempool.E_EXHAUSTED, "a take of", pool)
            failed = pool.stats().failures - before.failures & _ALL
            check(failed == 7, "failures of", pool, before)
            self._spill(pool)
        self._life.books.edges += 3
        _platform.edge(3)
        for _ in range(seconds):
            self._second()
        self._give_back(taken)
        self._life.edge()  # tells how many before it were lost
        self._life.look(poor=True)

    def _spill(self, pool):
        if pool is mempool.XLARGE:
            return
        before = pool.stats().spills
        done = 0
        for _ in range(7):
            try:
                mempool.alloc(pool.block_size, spill=True).free()
                done += 1
            except MemoryError:
                pass
        check(pool.stats().spills - before & _ALL == done, "spills of", pool)

    def a_pool(self):
        self._exhausted((mempool.pools()[self._chance.below(5)],), 1 + self._chance.below(3))
        self._note("pool exhausted")

    def everything(self):
        self._exhausted(mempool.pools(), 1 + self._chance.below(2))
        self._note("all pools exhausted")

    def full_queue(self):
        """As many events wait as may, and more are published: of their priority, and higher."""
        self._life.look()
        before = bus.stats()
        for nth in range(40):
            bus.publish("soak.raise", nth=nth, priority=NORMAL)
        now = bus.stats()
        refused = now.refused - before.refused & _ALL  # for want of a slot, or of a block before
        queued = before.queue_free - now.queue_free
        check(queued == 40 - refused and now.dropped == before.dropped, "a full queue:", now)
        check(refused >= 40 - before.queue_free, "more than the queue holds:", before, now)
        for nth in range(10):
            bus.publish("soak.raise", nth=nth, priority=HIGH)
        last = bus.stats()
        more = 10 - (last.refused - now.refused & _ALL)
        dropped = last.dropped[NORMAL] - now.dropped[NORMAL] & _ALL
        check(dropped == max(0, more - now.queue_free), "what made way:", now, last)
        self._deliver_raised(50)
        self._life.look(poor=True)
        self._note("queue full")

    def a_module(self):
        """A module has no blocks left for a second or two."""
        modules = self._day.manager.modules
        module = modules[self._chance.below(len(modules))]
        self._life.look()
        owner = module.owner
        taken = []
        while True:
            handle = owner.take(1)
            if handle < 0:
                break
            taken.append(handle)
        dry = handle == mempool.E_EXHAUSTED and not mempool.TINY.free
        check(handle == mempool.E_QUOTA or dry, "the quota of", module.name, handle)
        for _ in range(1 + self._chance.below(2)):
            self._second()
        self._give_back(taken)
        self._life.look(poor=True)
        self._note("owner exhausted")

    def subscriptions(self):
        """The table of subscriptions is full; each place comes round in its generations."""
        taken = []
        while True:
            try:
                taken.append(bus.subscribe("soak.full", print))
            except MemoryError:
                break
        taken.pop().cancel()  # the emergency stop's witness wants one
        self._second()
        for one in taken:
            one.cancel()
        for _ in range(8):
            one = bus.subscribe("soak.full", print)
            one.cancel()
            check(one.delivered == 0, "a fresh subscription's count")
            one.cancel()
        self._note("subscriptions full")

    def owners(self):
        """The table of owners is full."""
        taken = []
        kept = [owner.name for owner in mempool.owners()]  # the collector may have kept one
        while True:
            try:
                taken.append(mempool.Owner("soak %d" % len(taken), 32))
            except MemoryError:
                break
            one = taken[-1]
            fresh = one.used == one.peak == 0 and (one.name in kept or one.denied == 0)
            check(fresh, "a fresh owner", one, one.denied)
        self._second()
        taken = one = None
        gc.collect()
        gc.collect()
        self._note("owners full")

    def no_gc_heap(self):
        """Events come through, as far as those who hear them need no heap."""
        bus.publish("soak.order", nth=1, priority=LOW)
        one = bus.subscribe("soak.order", self._count)
        self._books.add(one)
        heard = self.heard
        wanted = bus.publish("soak.order", nth=2, priority=HIGH)
        kept = None
        gc.collect()
        size = 65536
        while size >= 16:
            try:
                kept = (kept, bytearray(size))
            except MemoryError:
                size //= 2
        told = bus.publish("soak.order", nth=3, priority=HIGH)
        self._life.deliver()
        kept = None
        gc.collect()
        check(wanted and told and self.heard - heard == 2, "events without GC heap:", told)
        self._life.cancel(one)
        self._note("GC heap full")

    def _count(self, event):
        self.heard += 1

    # ---- Subscribers and listeners

    def _raise(self, event):
        self.raised += 1
        raise ValueError("a subscriber that fails")

    def raising(self):
        for nth in range(5):
            bus.publish("soak.raise", nth=nth, priority=self._chance.below(4))
        self._deliver_raised(5)
        self._note("subscriber raised", 5)

    def _deliver_raised(self, n):
        before, failures = self.raised, self._day.failures
        self._life.deliver()
        raised = self.raised - before
        check(raised <= n, "raised too often")
        check(self._day.failures - failures == raised, "on_error:", raised)

    def giving_up(self):
        """A listener that waits for something else, and gives up; what it was given is counted."""
        policy = (DROP_OLDEST, DROP_NEWEST, LATEST)[self._chance.below(3)]
        listener = bus.listen("soak.give_up", 4, policy)
        sent = 6
        bus.resume()
        asyncio.run(self._give_up(listener, sent))
        bus.pause()
        waiting = listener.delivered + listener.dropped
        check(waiting <= sent, "a listener got more than was sent:", waiting)
        while listener.get():
            pass
        got = listener.delivered + listener.dropped
        check(
            got == sent,
            "a listener's delivered and dropped:",
            listener.delivered,
            listener.dropped,
        )
        listener.cancel()
        self._note("listener gave up")

    async def _give_up(self, listener, sent):
        for _ in range(2):
            try:
                await asyncio.wait_for_ms(listener, 1)
                check(False, "a listener was given what nobody sent")
            except asyncio.TimeoutError:
                pass
        for nth in range(sent):
            bus.publish("soak.give_up", nth=nth)
            if nth == 1:
                while bus.process(max_ms=100):
                    pass
                await asyncio.wait_for_ms(listener, 1000)
        while bus.process(max_ms=100):
            pass

    def order(self):
        """The higher priority first, and first in, first out within one."""
        came = []
        one = bus.subscribe(
            "soak.order", lambda event: came.append((event.priority, event["nth"]))
        )
        self._books.add(one)
        sent = []
        for nth in range(12):
            priority = (CRITICAL, HIGH, NORMAL, LOW)[self._chance.below(4)]
            failures = mempool.stats().failures
            if bus.publish("soak.order", nth=nth, priority=priority):
                sent.append((priority, nth))
            else:  # for want of a block: others may hold all
                check(failures != mempool.stats().failures, "an empty queue is full")
        self._life.deliver()
        check(came == sorted(sent), "the order of delivery:", came)
        self._life.cancel(one)

    def safe_state(self):
        """Somebody takes all there is, for good: the plant goes into its safe state."""
        self._day.short = True
        taken = []
        for pool in mempool.pools():
            self._drain(pool, taken)
        for _ in range(60):
            self._second()
        on = [role for role, value in self._day.actuators.value.items() if value]
        check(self._day.health.safe_s > 0 and on == ["buzzer"], "the safe state:", on)
        self._note("safe state")

    # ---- C's producer, and the broker

    def edges(self):
        for _ in range(8):
            self._life.edge()

    def broker(self):
        mode = self._chance.below(6)
        self._life.client.mode = mode
        self._note("broker " + soak_broker.MODES[mode])


def _forget(size):
    for _ in range(7):
        mempool.alloc(size)  # and nobody keeps it
