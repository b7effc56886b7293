# A cold room lives through a day: plant, sensors, controller, telemetry and the faults that real
# ones have, in accelerated time. Its modules know each other by topics of the event bus only, and
# every event is in a pool block. At the end it proves that not a byte and not an event was lost,
# and exits with 1 if it cannot.
#
#     micropython -m cold_room [--hours N] [--leak] [--exhaust] [--forget] [--speed N]
#     or     import cold_room; cold_room.main()
#
# One tick is one simulated second: what the product does at 10 Hz within it is done in a row.
# docs/cold-room.md says what is real and what is simulated.
import gc
import sys
import time

import appmodule
import memdiag
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
FORGET_S = 600  # when the proofs' own test forgets a record
EXHAUST_S = 1500  # when a module begins to take all there is
SAFE_S = 60  # how long the safe state is watched
POLL_S = 30  # seconds of the simulation between two looks at who asks for a live view


class Day:
    def __init__(self, seed=1, box=None):
        self.world = World(seed)
        self.ledger = Ledger()
        self.reports = []
        self.safe = None  # what was on, at the end of the time in the safe state
        self.progress = None
        self.manager = manager = appmodule.Manager(self._module_failed)
        site = Site(self.world)
        self.health = manager.add(Health(site, self.say, box), appmodule.LOW)
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

    def say(self, text):
        if self.progress:
            self.progress.line(text)

    def run(self, hours, bar=None, forget=False, leak=False, exhaust=False, pace=None):
        """Lives `hours` -> bytes of GC heap in use after the first hour and at the end."""
        world = self.world
        total_s = hours * 3600
        progress = self.progress = report.Progress(total_s, bar)
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
            if forget and now == FORGET_S:
                self.logger.forget = True
            if leak and now == proof.LEAK_S:
                self.network.forget()
            if exhaust and now == EXHAUST_S:
                self.network.take_all()
            if exhaust and self.health.safe_s and now >= self.health.safe_s + SAFE_S:
                self.safe = dict(self.actuators.value)
                break
            if pace:
                pace(now)
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


class Pace:
    """Holds the simulation back to `speed` seconds of its own in a second, and meanwhile answers
    those who look at it (make monitor PORT=unix)."""

    def __init__(self, speed, responder):
        self._speed = speed
        self._responder = responder
        self._begin = time.ticks_ms()

    def __call__(self, now):
        if self._responder and (self._speed or now % POLL_S == 0):
            self._responder.poll()
        while self._speed:
            elapsed = time.ticks_diff(time.ticks_ms(), self._begin)
            left = now * 1000 // self._speed - elapsed
            if left <= 0:
                return
            time.sleep_ms(min(left, 20))
            if self._responder:
                self._responder.poll()


def _responder():
    try:
        return memdiag.Responder()
    except (OSError, ValueError, ImportError, AttributeError) as fault:
        print("no live view: %s" % fault)
        return None


def _black_box(path):
    """In noinit on a board; on a PC a file, where one is named."""
    if path is None and sys.platform in ("linux", "darwin", "win32"):
        return None
    try:
        return memdiag.BlackBox(path)
    except ValueError:  # built without noinit
        return None
    except OSError as fault:
        print("no black box: %s" % fault)
        return None


def main(
    hours=None,
    bar=None,
    forget=False,
    leak=False,
    exhaust=False,
    speed=0,
    live=False,
    blackbox=None,
):
    """Lives `hours` (1 to 240; 24 on a PC, 4 on a board) and proves itself -> 0, or 1 if not; 130
    after Ctrl-C.

    leak: one module forgets a block a minute, and must be named before a pool is dry. exhaust: it
    takes all there is; that ends in the safe state. forget: one receiver forgets one record, which
    the proofs must find. bar: progress in one line that moves, or None to have it where the output
    is a terminal. speed: seconds of the simulation a second, 0 as fast as it goes. live: answer
    who looks at it. blackbox: path of the black box, where it is a file.
    """
    if exhaust and blackbox is None and sys.platform in ("linux", "darwin", "win32"):
        blackbox = "blackbox.bin"
    if hours is None:
        hours = 24 if sys.platform in ("linux", "darwin", "win32") else 4
    if not 1 <= hours <= MAX_HOURS:
        raise ValueError("hours must be 1 to %d" % MAX_HOURS)
    print("A cold room, %d hours of it. Every event in a block of a pool." % hours)
    begin = time.ticks_ms()
    box = _black_box(blackbox)
    if box:
        report.last_life(box.read())
    responder = _responder() if live else None
    pace = Pace(speed, responder) if speed or responder else None
    gc.collect()  # an earlier run's owners, whose counts would go on
    before = mempool.stats()
    day = Day(box=box)
    lived = None
    try:
        lived = day.run(hours, bar, forget, leak, exhaust, pace)
        memdiag.report(sys.stdout)
    except KeyboardInterrupt:
        pass
    finally:  # nothing is left behind, whatever it was
        uptime_ms = time.ticks_diff(time.ticks_ms(), begin)
        if leak:
            day.health.take_back(("network",))
        returned = day.stop()
        if responder:
            responder.close()
        if box:
            if not exhaust:
                box.save("stopped")
            box.close()
    if lived is None:
        now = day.world.now_s
        print("\ninterrupted at %02d:%02d of the day;" % (now // 3600, now // 60 % 60), end=" ")
        print("the modules still held %d bytes and gave them back" % returned)
        return 130
    report.day_report(day)
    report.bus_report(day, uptime_ms)
    print("--- Proof ---")
    print("stopped; the modules still held %d bytes and gave them back" % returned)
    if exhaust:
        found = memdiag.blackbox(blackbox or getattr(mempool, "noinit", None))
        report.black_box(found)
        return 1 if proof.safe_failures(day, before, found) else 0
    return 1 if proof.failures(day, before, *lived, leak) else 0


def _arguments(argv):
    given = {}
    argv = list(argv)
    while argv:
        word = argv.pop(0)
        if word in ("--leak", "--exhaust", "--forget", "--live"):
            given[word[2:]] = True
        elif word in ("--hours", "--speed") and argv and argv[0].isdigit():
            given[word[2:]] = int(argv.pop(0))
        else:
            print(
                "usage: cold_room [--hours N] [--leak] [--exhaust] [--forget] [--speed N] [--live]"
            )
            sys.exit(2)
    return given


if __name__ == "__main__":
    sys.exit(main(**_arguments(sys.argv[1:])))
