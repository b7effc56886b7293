# A life of the cold room's controller: how it begins, its seconds with the faults of an hour, the
# look of each hour, and how it ends in the middle of work. The modules, their traffic and their
# plant are examples/refrigeration as it is; this is another driver beside cold_room.Day.run().
import os
import sys

import _platform
import _soak
import memdiag
import mempool
import soak_broker
from cold_room import TICK_US, Day, deliver
from eventbus import bus
from refrigeration.world import FAULTS, STOP_PRESSED, Random
from soak_books import Books, heap_in_use, held, rest, settle
from soak_faults import Faults
from soak_state import check
from soak_wraps import Wraps

REFERENCE_S = 7200
DAY_S = 86400
LAP_S = 1073742  # time.ticks_ms() comes round
_ALL = 0xFFFFFFFF
SELDOM_S = 5  # where the soak is thinned
SETTLED_S = 6 * 3600
GROWTH = 2048  # bytes that a life may still come to hold then


class SoakDay(Day):
    """The cold room's modules, with what they complain about counted."""

    def __init__(self, seed, box):
        super().__init__(seed, box)
        self.failures = 0  # of subscribers
        self.short = False  # of blocks, at this moment

    def say(self, text):
        pass

    def _module_failed(self, module, what, detail):
        if what == "overrun" or isinstance(detail, MemoryError) and self.short:
            return
        self._note("module %s: %s: %r" % (module.name, what, detail))

    def _subscriber_failed(self, subscription, fault):
        self.failures += 1
        expected = subscription.pattern == "soak.raise" or isinstance(fault, MemoryError)
        if not expected:
            self._note("subscriber of %s: %r" % (subscription.pattern, fault))


class Life:
    def __init__(self, state, plain):
        number = state["life"]
        self.state = state
        self.chance = Random(1 if plain else state["seed"] * 613 + number * 97)
        self.plain = plain
        self.length_s = REFERENCE_S if plain else self._length()
        self.heap = 0
        self._most = 0

    def _length(self):
        chance = self.chance
        kind = chance.below(100)
        if kind < 25:
            length = 600 + chance.below(20000)
        elif kind < 75:
            length = 6 * 3600 + chance.below(DAY_S)
        elif kind < 95:
            length = 30 * 3600 + chance.below(2 * DAY_S)
        else:
            length = 10 * DAY_S
        left = self.state["total_s"] - self.state["done_s"]
        return max(60, min(length, left))

    # ---- The beginning

    def begin(self):
        state = self.state
        self._after_reset(state["last"])
        if not self.plain:
            self._set_clocks()
        box = self.box = memdiag.BlackBox(self._box_file())
        if not self.plain:
            self._look_at_box(box.read(), state["last"])
        self.day = SoakDay(self.chance.below(30000), box)
        if state["thin"]:
            self.day.health.second = _seldom(self.day.health.second)
        self.books = Books(self.day)
        self.client = soak_broker.Client()
        self.link = memdiag.Telemetry(self.client, "modesp/v1/acme/cell/memory", 60)
        self._sources()
        self.start_s = _soak.now_s()
        self.books.open(self.day._subscriber_failed)
        bus.pause()
        self.day.manager.init_all()
        self.faults = None if self.plain else Faults(self)
        deliver()
        for command in (b"report", b"leaks", b"nonsense"):  # the first loads what answers
            self.link.command(command)
            while self.link._commands:
                self.link.tick()
        # Nobody takes a block between the setting of a counter and a look at it.
        settle(self.books.edges)
        self.wraps = Wraps(state, self.chance)
        if self.plain:
            mempool.reset_stats()
        else:
            self.wraps.set_all()
            self._set_records()
        self._made = self.link._seq - self._told()
        self.books.open_window()

    def _after_reset(self, last):
        """What the life before has left: nothing of Python's, and all of it counted."""
        rest()
        stats = mempool.stats()
        check(stats.used == 0, "held over a reset:", held())
        check(mempool.check() == 0, "mempool.check() after a reset")
        names = [owner.name for owner in mempool.owners()]
        check(names in ([], ["eventbus"]), "owners over a reset:", names)
        one = bus.stats()
        check(one.queue_free == 32, "something waits over a reset:", one)
        if last.get("kind", "power") == "power":
            return
        for handle in last["handles"]:
            check(mempool.give(handle) == mempool.E_STALE, "a handle of the last life:", handle)
        given = stats.reclaimed - last["reclaimed"] & _ALL
        check(
            last["python"] <= given <= last["blocks"],
            "reclaimed by a reset:",
            given,
            last["python"],
            last["blocks"],
        )
        check(stats.refused == last["refused"], "refused by a reset:", stats, last)
        self._look_at_epoch(last["epoch"])

    def _look_at_epoch(self, before):
        now = _soak.get(_soak.counters().index("epoch"))
        check(now == before + 1 & _ALL, "the epoch over a reset:", before, now)
        for border in (1 << 31, 1 << 32):
            if before == border - 1:
                self.state.count("wraps", "epoch at 2^%d" % (31 if border == 1 << 31 else 32))

    def _set_clocks(self):
        """Each clock comes round within this life."""
        chance = self.chance
        now = _soak.now_s()
        within = 60 + chance.below(min(self.length_s, 30000))
        laps = now // LAP_S + 1 + chance.below(4)  # the fourth is that of 32 bits, too
        _soak.move_to_s(laps * LAP_S - within)
        border = 1 << 31 + chance.below(2)
        within = 60 + chance.below(min(self.length_s, 30000))
        _soak.tick_at(border - 100 * within & _ALL)
        self.uptime_border = 1 << 31 + chance.below(2)
        within = 60 + chance.below(min(self.length_s, 30000))
        _soak.uptime_at(self.uptime_border - within & _ALL)
        self._uptime = mempool.uptime_s()
        names = _soak.counters()
        _soak.set(names.index("epoch"), (1 << 31 + chance.below(2)) - 1)

    def _set_records(self):
        self.seq_border = 1 << 31 + self.chance.below(2)
        self.link._seq = self.seq_border - 1 - self.chance.below(6)
        self._seq = self.link._seq
        self.box._number = (1 << 30) - 1 - self.chance.below(600)
        self.box._lives = 0xFFFF

    def _box_file(self):
        """A box keeps what it has found: in the reference hours that is nothing."""
        if not self.plain:
            return self.state.folder + "/blackbox.bin"
        name = self.state.folder + "/reference.bin"
        try:
            os.remove(name)
        except OSError:
            pass
        return name

    def _look_at_box(self, found, last):
        kind = last.get("kind")
        if kind is None or self.state["life"] == 2:  # the first life had another box
            return
        check(found["state"] == "valid", "the black box:", found["state"], found["why_not"])
        if kind == "safe":
            check(found["why"].startswith("safe state: "), "the black box's why:", found["why"])

    def _sources(self):
        """C's producer and subscriber, which go on over a soft reset."""
        last = self.state["last"]
        if last.get("kind", "power") == "power":
            _platform.sink("soak.edge")
            _platform.source_edge("soak.edge", 1)
            self.books.edges = 0
        else:
            self.books.edges = last["edges"]
        self.edge()  # a receiver counts from the first event that it gets

    # ---- Its seconds

    def edge(self):
        self.books.edges += 1
        _platform.edge(1)

    def second(self):
        day = self.day
        world = day.world
        world.step()
        now = world.now_s
        _soak.move_to_s(self.start_s + now)
        pressed = world.faults[STOP_PRESSED]
        if pressed and not self._pressed:
            self.books.watch()
        self._pressed = pressed
        if self.state["thin"]:
            day.actuators.tells = now % SELDOM_S == 0
        day.manager.tick(TICK_US)
        deliver()
        self.books.end_watch()
        self.link.tick()
        if now % DAY_S == 0:
            self._tomorrow(now)

    _pressed = 0
    _told_s = 0

    def _tomorrow(self, now):
        """The faults of the plant, which the cold room has on its first day only."""
        late = now + self.chance.below(7200)
        edges = []
        for first, seconds, flag in FAULTS:
            edges.append((late + first, flag, 1))
            edges.append((late + first + seconds, flag, 0))
        edges.sort()
        self.day.world._edges = [number for edge in edges for number in edge]
        self.day.world._edge = 0

    def deliver(self):
        deliver()

    def cancel(self, subscription):
        """Ends one that the books look at: they are closed first."""
        self.look()
        self.books.more.remove(subscription)
        subscription.cancel()
        self.books.open_window()

    def look(self, poor=False):
        self.books.close_window(poor)
        self.books.open_window()

    def run(self):
        world = self.day.world
        faults = []
        hours = 0
        while world.now_s < self.length_s:
            if not self.plain and world.now_s % 3600 == 1:
                faults = self._of_an_hour()
            self.second()
            if faults and world.now_s % 3600 >= faults[-1][0]:
                self._fault(faults.pop()[1])
            if world.now_s // 3600 > hours:
                hours = world.now_s // 3600
                self.hour()
        self.hour()

    def _of_an_hour(self):
        """Some faults at some seconds of the hour, the latest first."""
        chance = self.chance
        chosen = list(self.faults.hourly)
        for _ in range(3):
            chosen.append(self.faults.by_chance[chance.below(len(self.faults.by_chance))])
        times = [(10 + chance.below(3500), nth) for nth in range(len(chosen))]
        times.sort(reverse=True)
        return [(at, chosen[nth]) for at, nth in times]

    def _fault(self, fault):
        self.day.short = True  # from here to the next look: a module may have to do without
        fault()
        self.day.short = False

    # ---- Each hour

    def hour(self):
        state = self.state
        self.look()
        check(not self.day.reports, "reported:", self.day.reports)
        self._holders()
        self._records()
        self._heap()
        state["events"] += self.books.events
        state["takes"] += self.books.takes
        self.books.events = self.books.takes = 0
        state["looks"] += 1
        if not self.plain:
            state["done_s"] += self.day.world.now_s - self._told_s
        self._told_s = self.day.world.now_s
        if not self.plain:
            self.wraps.look()
            self._look_at_uptime()
            self.wraps.set_some()
            self.books.open_window()
            state.save()
            state.show(self.heap, sum(held().values()))

    def _holders(self):
        """Who holds how many blocks is known, block by block."""
        day = self.day
        found = held()
        expected = {
            "telemetry": len(day.telemetry._minutes),
            "logger": day.logger._count,
            "telemetry-buf": self.link.queued,
            "eventbus": len([1 for one in day.telemetry._retained.values() if one]),
            "memdiag": 1,  # the history of the Monitor
        }
        for name in expected:
            count = found.pop(name, 0)
            check(count == expected[name], "blocks held by", name, count, expected[name], held())
        check(not found, "blocks held by others:", found)
        for owner in mempool.owners():
            check(owner.used <= owner.peak, "the peak of", owner)

    def _told(self):
        link = self.link
        return link.sent + link.queued + link._backlog.dropped

    def _records(self):
        """Each record that was made is sent, waits, or was dropped and counted."""
        made = self.link._seq - self._told()
        check(made == self._made, "records lost uncounted:", made - self._made)
        events = self.link._events
        lost = self.books.expected(events) - events.delivered - events.dropped
        check(0 <= lost <= self.books.refused_in_all, "edges lost uncounted:", lost)
        named = self.day.health.named - {"telemetry-buf"}  # it waits for the broker, by design
        check(not named, "suspected of a leak:", named)
        if not self.plain and self._seq < self.seq_border <= self.link._seq:
            self.wraps.crossed("telemetry.seq", self.seq_border)
        self._seq = self.link._seq

    def _look_at_uptime(self):
        uptime = mempool.uptime_s()
        if uptime < self._uptime:
            self.wraps.crossed("uptime", 1 << 32)
        elif self._uptime < 1 << 31 <= uptime:
            self.wraps.crossed("uptime", 1 << 31)
        self._uptime = uptime
        if self.box._number < 1 << 29 and not self._box_came_round:
            self._box_came_round = True
            self.wraps.crossed("blackbox.number", 1 << 30)

    _box_came_round = False

    def _heap(self):
        """Without an answer that waits for the broker. What else is there for a while is gone an
        hour later; what leaks is not."""
        before, self.heap = self.heap, heap_in_use() - len(self.link._response or b"")
        lasting = min(before, self.heap)
        if self.day.world.now_s <= (3600 if self.plain else SETTLED_S):
            self._most = max(self._most, self.heap)
        else:
            check(lasting - self._most <= GROWTH, "the GC heap grows:", self._most, lasting)

    # ---- The end

    def reference(self):
        """GC heap and blocks, when the same two hours have been lived."""
        least = 1 << 30
        for _ in range(10):
            for _ in range(7):
                self.second()
            least = min(least, heap_in_use())
        return {"heap": least, "blocks": sum(held().values()), "rss": _rss()}

    def end(self, kind):
        """Work goes on until it comes; orderly: until the modules have stopped."""
        if kind == "orderly":
            self.look()
            self.day.stop()
            self.link.close()
            left = held()
            check(not left, "held after an orderly stop:", left)
            return
        if kind == "safe":
            self.faults.safe_state()
        if kind == "exit":
            bus.subscribe("soak.exit", _exit)
            bus.publish("soak.exit")
        else:
            _soak.end_after(1 + self.chance.below(30000), kind == "power")
        while True:
            self.second()


def _seldom(second):
    return lambda now: now % SELDOM_S or second(now)


def _exit(event):
    sys.exit("out of a subscriber")


def _rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4
