# A cold room lives through a day: plant, sensors, controller, telemetry and the faults that real
# ones have, in accelerated time, with every message in a pool block. At the end it proves that
# not a byte was lost, and exits with 1 if it cannot.
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
from refrigeration import post as topics
from refrigeration import proof, report
from refrigeration.actuators import Actuators
from refrigeration.alarms import Alarms
from refrigeration.control import Control, Defrost
from refrigeration.health import Health
from refrigeration.network import Network
from refrigeration.part import Site
from refrigeration.post import Post
from refrigeration.records import Haccp, Logger
from refrigeration.sensors import Door, Sensors
from refrigeration.telemetry import Telemetry
from refrigeration.world import World

TICK_US = 8000  # what the product's loop gives its modules
MAX_HOURS = 240  # times in milliseconds stay small ints on 32-bit targets
# The collector is conservative: a word on the stack or in an array may look like a pointer and
# keep some bytes of garbage for a moment. So it is asked once a minute for so many seconds, and
# the least counts: what is really held is held every time.
WINDOW_S = 600
LEAK_S = 600  # when the demo's own test forgets a block


class Day:
    def __init__(self, seed=1):
        self.world = World(seed)
        self.post = Post()
        self.site = Site(self.world, self.post)
        self.reports = []
        self.manager = manager = appmodule.Manager(self._note)
        # Receivers before senders: stopped in reverse, nobody stops while someone may still write
        # to him.
        site = self.site
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
        self._route()

    def _route(self):
        route = self.post.route
        for topic, module in (
            (topics.READING, self.control),
            (topics.UPDATED, self.alarms),
            (topics.REQUEST, self.actuators),
            (topics.STOP, self.actuators),
            (topics.COMMAND, self.telemetry),
            (topics.ERROR, self.health),
            (topics.EMERGENCY, self.health),
            (topics.HEALTH, self.telemetry),
            (topics.WIFI, self.telemetry),
            (topics.STARTED, self.health),
            (topics.STATE, self.telemetry),
            (topics.DOOR, self.control),
            (topics.ALARM, self.telemetry),
            (topics.RECORD, self.logger),
            (topics.BATCH, self.network),
            (topics.MQTT_ALARM, self.network),
            (topics.ACK, self.telemetry),
        ):
            route(topic, module.inbox)

    def _note(self, module, what, detail):
        if what not in ("overrun", "returned") and len(self.reports) < 8:
            self.reports.append("%s: %s: %r" % (module.name, what, detail))

    def run(self, hours, leak=False, bar=None):
        """Lives `hours` -> bytes of GC heap in use after the first hour and at the end."""
        world = self.world
        total_s = hours * 3600
        progress = report.Progress(total_s, bar)
        tick = self.manager.tick
        first_hour = end = 1 << 29
        self.manager.init_all()
        while world.now_s < total_s:
            world.step()
            tick(TICK_US)
            now = world.now_s
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


def gc_in_use():
    gc.collect()  # runs finalisers, whose objects only the second one finds
    gc.collect()
    return gc.mem_alloc()


def main(hours=None, leak=False, bar=None):
    """Lives `hours` (1 to 240; 24 on a PC, 4 on a board) and proves itself -> 0, or 1 if not.

    leak: one receiver forgets one message, which must be found. bar: progress in one line that
    moves, or None to have it where the output is a terminal.
    """
    if hours is None:
        hours = 24 if sys.platform in ("linux", "darwin", "win32") else 4
    if not 1 <= hours <= MAX_HOURS:
        raise ValueError("hours must be 1 to %d" % MAX_HOURS)
    print("A cold room, %d hours of it. Every message in a block of a pool." % hours)
    begin = time.ticks_ms()
    gc.collect()  # an earlier run's owners, whose counts would go on
    before = mempool.stats()
    day = Day()
    try:
        first_hour, end = day.run(hours, leak, bar)
        uptime_ms = time.ticks_diff(time.ticks_ms(), begin)
        report.memory_report(uptime_ms)
    finally:  # Ctrl-C, too, leaves nothing behind
        returned = day.manager.stop_all()
    report.day_report(day, uptime_ms)
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
