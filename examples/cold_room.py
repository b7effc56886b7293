# A cold room lives through a day: plant, sensors, controller, telemetry and the faults that real
# ones have, in accelerated time. Its modules know each other by topics of the event bus only, and
# every event is in a pool block. At the end it proves that not a byte and not an event was lost,
# and exits with 1 if it cannot.
#
#     micropython -m cold_room [--hours N] [--leak]     or     import cold_room; cold_room.main()
#
# One tick is one simulated second: what the product does at 10 Hz within it is done in a row.
# docs/cold-room.md says what is real and what is simulated.
import gc
import sys
import time

import appmodule
import mempool
from eventbus import bus
from refrigeration import proof, report
from refrigeration.actuators import Actuators
from refrigeration.alarms import Alarms
from refrigeration.control import Control, Defrost
from refrigeration.health import Health
from refrigeration.ledger import Ledger
from refrigeration.network import Network
from refrigeration.part import Site, unsubscribe
from refrigeration.records import Haccp, Logger
from refrigeration.sensors import Door, Sensors
from refrigeration.telemetry import Telemetry
from refrigeration.world import STOP_PRESSED, World

TICK_US = 8000  # what the product's loop gives its modules
EVENTS_MS = 1000  # for the events that they publish: as long as it takes
MAX_HOURS = 240  # times in milliseconds stay small ints on 32-bit targets
# The collector is conservative: a word on the stack or in an array may look like a pointer and
# keep some bytes of garbage for a moment. So it is asked once a minute for so many seconds, and
# the least counts: what is really held is held every time.
WINDOW_S = 600
LEAK_S = 600  # when the demo's own test forgets a block


class Day:
    def __init__(self, seed=1):
        self.world = World(seed)
        self.ledger = Ledger()
        self.reports = []
        self.manager = manager = appmodule.Manager(self._module_failed)
        site = Site(self.world)
        self.health = manager.add(Health(site), appmodule.LOW)
        self.network = manager.add(Network(site), appmodule.LOW)
        self.telemetry = manager.add(Telemetry(site), appmodule.LOW)
        self.logger = manager.add(Logger(site), appmodule.BACKGROUND)
        self.actuators = manager.add(Actuators(site), appmodule.STANDARD)
        self.alarms = manager.add(Alarms(site), appmodule.STANDARD)
        self.haccp = manager.add(Haccp(site), appmodule.STANDARD)
        self.control = manager.add(Control(site), appmodule.STANDARD)
        self.defrost = manager.add(Defrost(site), appmodule.STANDARD)
        self.door = manager.add(Door(site), appmodule.HIGH)
        self.sensors = manager.add(Sensors(site), appmodule.STANDARD)
        self.health.watch(manager.modules)

    def _module_failed(self, module, what, detail):
        if what not in ("overrun", "returned"):
            self._note("%s: %s: %r" % (module.name, what, detail))

    def _subscriber_failed(self, subscription, fault):
        self._note("subscriber of %s: %r" % (subscription.pattern, fault))

    def _note(self, text):
        if len(self.reports) < 8:
            self.reports.append(text)

    def run(self, hours, leak=False, bar=None):
        """Lives `hours` -> bytes of GC heap in use after the first hour and at the end."""
        world = self.world
        total_s = hours * 3600
        progress = report.Progress(total_s, bar)
        tick = self.manager.tick
        first_hour = end = 1 << 29
        pressed = 0
        self.ledger.open(self._subscriber_failed)
        bus.pause()
        bus.publish("system.started", modules=self.manager.init_all())
        while world.now_s < total_s:
            world.step()
            now = world.now_s
            if world.faults[STOP_PRESSED] > pressed:
                self.ledger.watch()
            pressed = world.faults[STOP_PRESSED]
            tick(TICK_US)
            deliver()
            self.ledger.end_watch()
            if now % 60 == 0 and (3600 - WINDOW_S < now <= 3600 or total_s - WINDOW_S < now):
                in_use = gc_in_use()
                if now <= 3600:
                    first_hour = min(first_hour, in_use)
                if now > total_s - WINDOW_S:
                    end = min(end, in_use)
            if now >= progress.next_s:
                progress.show(self)
            if leak and now == LEAK_S:
                self.logger.forget = True
        progress.end()
        return first_hour, end

    def stop(self):
        """Stops the modules and leaves the bus as it was -> bytes that the modules still held."""
        returned = self.manager.stop_all()
        unsubscribe(self.manager.modules)
        self.ledger.close()
        bus.resume()
        bus.process(max_ms=EVENTS_MS)  # what is left has no subscriber any more, and goes back
        return returned


def deliver():
    """The events of a tick, all in one place, as the product's loop has it: first the modules,
    then the events. So the doorbell, which may ring at any moment, has no say in the order."""
    bus.resume()
    while bus.process(max_ms=EVENTS_MS):
        pass
    bus.pause()


def gc_in_use():
    gc.collect()  # runs finalisers, whose objects only the second one finds
    gc.collect()
    return gc.mem_alloc()


def main(hours=None, leak=False, bar=None):
    """Lives `hours` (1 to 240; 24 on a PC, 4 on a board) and proves itself -> 0, or 1 if not.

    leak: one receiver forgets one record, which must be found. bar: progress in one line that
    moves, or None to have it where the output is a terminal.
    """
    if hours is None:
        hours = 24 if sys.platform in ("linux", "darwin", "win32") else 4
    if not 1 <= hours <= MAX_HOURS:
        raise ValueError("hours must be 1 to %d" % MAX_HOURS)
    print("A cold room, %d hours of it. Every event in a block of a pool." % hours)
    begin = time.ticks_ms()
    gc.collect()  # an earlier run's owners, whose counts would go on
    before = mempool.stats()
    day = Day()
    try:
        first_hour, end = day.run(hours, leak, bar)
        uptime_ms = time.ticks_diff(time.ticks_ms(), begin)
        report.memory_report(uptime_ms)
    finally:  # Ctrl-C, too, leaves nothing behind
        returned = day.stop()
    report.day_report(day)
    report.bus_report(day, uptime_ms)
    print("--- Proof ---")
    print("stopped; the modules still held %d bytes and gave them back" % returned)
    return 1 if proof.failures(day, before, first_hour, end) else 0


def _arguments(argv):
    hours = None
    leak = False
    argv = list(argv)
    while argv:
        word = argv.pop(0)
        if word == "--leak":
            leak = True
        elif word == "--hours" and argv:
            hours = int(argv.pop(0))
        else:
            print("usage: cold_room [--hours N] [--leak]")
            sys.exit(2)
    return hours, leak


if __name__ == "__main__":
    sys.exit(main(*_arguments(sys.argv[1:])))
