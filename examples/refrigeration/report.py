# What the demo prints beside memdiag.report(): progress, and the plant's day.
import os
import sys

import mempool

from .part import ALARMS

_BAR = 30


def _is_terminal():
    try:
        return os.stat("/proc/self/fd/1")[0] & 0o170000 == 0o020000
    except (AttributeError, OSError):
        return False


class Progress:
    """One line that moves on a terminal; a line an hour or so anywhere else."""

    def __init__(self, total_s, bar=None):
        self._total_s = total_s
        self._bar = _is_terminal() if bar is None else bar
        self._every_s = total_s // 200 if self._bar else max(1800, total_s // 12)
        self.next_s = self._every_s

    def show(self, day):
        now = day.world.now_s
        self.next_s = now + self._every_s
        line = "%02d:%02d  air %5.1f C  door %s  %7d events  pools %2d%% full" % (
            now // 3600,
            now // 60 % 60,
            day.world.air / 1000000,
            "open  " if day.world.door_open else "closed",
            day.ledger.total,
            mempool.stats().utilization,
        )
        if self._bar:
            done = now * _BAR // self._total_s
            sys.stdout.write("\r[%s%s] %s" % ("#" * done, "." * (_BAR - done), line))
        else:
            print(line)

    def line(self, text):
        """Something that happened, on a line of its own."""
        if self._bar:
            sys.stdout.write("\r\x1b[K")
        print(text)

    def end(self):
        if self._bar:
            print()


def day_report(day):
    actuators = day.actuators
    alarms = day.alarms
    telemetry = day.telemetry
    print("--- Plant ---")
    print(
        "compressor    %d starts, runs %d %% of the time, off >= %d s, on >= %d s"
        % (
            actuators.starts,
            actuators.run_s * 100 // day.world.now_s,
            actuators.shortest_off,
            actuators.shortest_on,
        )
    )
    print("defrosts      %d, longest %d min" % (day.defrost.count, day.defrost.longest_s // 60))
    print(
        "air           %.1f to %.1f C; product at the end %.1f C"
        % (alarms.lowest_mc / 1000, alarms.highest_mc / 1000, day.world.product / 1000000)
    )
    print("alarms        " + ", ".join("%s %d" % (ALARMS[i], alarms.raised[i]) for i in range(4)))
    print(
        "door          %d openings; probe dead %d min, cooled by the clock"
        % (day.door.openings, day.control.fallback_s // 60)
    )
    print("emergencies   %d" % actuators.emergencies)
    print("sensor bus    %d errors" % day.sensors.errors)
    print(
        "network       %d outages; %d minutes kept, %d sent later, %d overwritten; %d KB delivered"
        % (
            day.network.outages,
            telemetry.kept,
            telemetry.backfilled,
            telemetry.overwritten,
            day.network.bytes // 1024,
        )
    )
    print("HACCP         %d records, %d wrong" % (day.logger.records, day.logger.wrong))


def bus_report(day, uptime_ms):
    ledger = day.ledger
    print("--- Event bus ---")
    print("published       %d, refused %d" % (ledger.published(), ledger.refused()))
    print("dropped         CRITICAL %d, HIGH %d, NORMAL %d, LOW %d" % tuple(ledger.dropped()))
    print(
        "Emergency stop  overtook %d waiting events, delivered after %d us"
        % (ledger.overtaken(), day.actuators.stop_latency_us)
    )
    print("--- Subscriptions ---")
    for module in day.manager.modules:
        for one in module.subscriptions:
            rate = one.delivered / day.world.now_s
            print(
                "%-26s %-10s %7d  %5.2f /s  dropped %d"
                % (one.pattern, module.name, one.delivered, rate, one.dropped)
            )
    print(
        "all events %d in %d.%d s: %d a second"
        % (
            ledger.total,
            uptime_ms // 1000,
            uptime_ms // 100 % 10,
            ledger.total * 10 // max(1, uptime_ms // 100),
        )
    )


def last_life(found):
    """One line of what the last run left in its black box, where it did not just stop."""
    if found["state"] == "corrupt":
        print("black box of the last run: %s" % found["why_not"])
    elif found["state"] == "valid" and found["why"] not in ("", "stopped"):
        print("black box of the last run: %s" % found["why"])


def black_box(found):
    print("--- Black box ---")
    print(
        "state:         %s%s"
        % (found["state"], ": " + found["why_not"] if found["why_not"] else "")
    )
    if found["state"] != "valid":
        return
    print("reset cause:   %s; saved %d s after boot" % (found["reset_cause"], found["uptime_s"]))
    print("why:           %s" % found["why"])
    snapshot = found["snapshot"]
    for name in [pool.name for pool in mempool.pools()]:
        pool = snapshot["pools"][name]
        print("%-6s Pool:   %d/%d blocks" % (name, pool["used"], pool["count"]))
    holders = [
        (owner["used"], name) for name, owner in snapshot["owners"].items() if owner["used"]
    ]
    for used, name in sorted(holders, reverse=True):
        print("held:          %-10s %5d bytes" % (name, used))
    print(
        "operations:    %s" % (found["not_traced"] or "the last of %d:" % len(found["operations"]))
    )
    for what, _, size, owner, age_ms in found["operations"][-5:]:
        print("  %-7s %4d bytes  %-10s %d ms before" % (what, size, owner or "nobody", age_ms))
