# What must be true when the day is over and everything has stopped.
import boardcfg
import mempool
from eventbus import CRITICAL, HIGH

from .actuators import MIN_OFF_S, MIN_ON_S
from .control import DEFROST_MAX_S
from .network import FORGETS_S

LEAK_S = 600  # when network begins to forget
_ALL_FAULTS_S = 4 * 3600  # by then every fault has come and gone


def failures(day, before, first_hour, end, leak=False):
    """Prints a line for each proof -> number of those that failed.

    before: stats() from before the program began; first_hour, end: GC heap in use, in bytes; leak:
    somebody forgot a block a minute, and must have been named.
    """
    results = _memory(day, before, first_hour, end) + _bus(day) + _plant(day)
    failed = _print(results + _leak(day, before, leak))
    if mempool.stats().used > before.used:
        _name_holders()
    print("proved" if not failed else "%d of the proofs failed" % failed)
    return failed


def safe_failures(day, before, found):
    """The same of a run that ended in the safe state. found: what the black box tells of it."""
    failed = _print(_safe(day, before, found))
    print("proved" if not failed else "%d of the proofs failed" % failed)
    return failed


def _print(results):
    failed = 0
    for what, holds, detail in results:
        failed += not holds
        print("%s  %s%s" % ("ok  " if holds else "FAIL", what, ": " + detail if detail else ""))
    return failed


# Nobody is named who does not leak: a false alarm fails every run.
def _leak(day, before, leak):
    names = " ".join(sorted(day.health.named))
    if not leak:
        return [("nobody was suspected of a leak", not names, names)]
    after_s, free = day.health.first_named
    failures = mempool.stats().failures - before.failures
    detail = "%d s after it began, with %d blocks free" % (after_s - LEAK_S, free)
    return [
        ("the leak was named before a pool was dry", free > 0, detail),
        ("nobody else was", names == "network", names),
        ("no pool was ever dry", failures == 0, "%d requests failed" % failures),
        (
            "what was forgotten came back",
            day.health.given_back >= (day.world.now_s - LEAK_S) // FORGETS_S - 1,
            "%d blocks" % day.health.given_back,
        ),
    ]


def _safe(day, before, found):
    health = day.health
    on = [role for role, value in (day.safe or {}).items() if value]
    after = mempool.stats()
    owners = found["snapshot"]["owners"] if found["snapshot"] else {"": {"used": 0}}
    most = max(owners, key=lambda name: owners[name]["used"])
    return [
        ("memory became critical, and that was told", health.critical_s > 0, ""),
        (
            "the safe state was entered",
            health.safe_s > health.critical_s > 0,
            "%d s later" % (health.safe_s - health.critical_s),
        ),
        ("compressor, fan and heater are off, the buzzer is on", on == ["buzzer"], " ".join(on)),
        ("the controller went on", day.world.now_s > health.safe_s, ""),
        ("no block outstanding", after.used == before.used, ""),
        ("check() == 0", mempool.check() + health.broken == 0, ""),
        ("no stale, double or foreign use", after.refused == before.refused, ""),
        (
            "the black box tells why",
            found["state"] == "valid" and found["why"].startswith("safe state: "),
            found["why"],
        ),
        ("and who held most", most == "network", most),
    ]


def _memory(day, before, first_hour, end):
    after = mempool.stats()
    outstanding = after.used - before.used
    minutes = day.telemetry.overwritten
    denied = [m.name for m in day.manager.modules if m.denied() and m is not day.telemetry]
    return [
        ("no block outstanding", outstanding == 0, "%d bytes" % outstanding),
        ("check() == 0", mempool.check() + day.health.broken == 0, "every minute, and now"),
        (
            "GC heap no larger than after the first hour",
            end <= first_hour,
            "%d bytes then, %d now" % (first_hour, end),
        ),
        ("no stale, double or foreign use", after.refused == before.refused, ""),
        ("nothing left to the garbage collector", after.reclaimed == before.reclaimed, ""),
        (
            "minutes made way for others at their quota only",
            day.telemetry.denied() == minutes,
            "%d denied, %d overwritten" % (day.telemetry.denied(), minutes),
        ),
        ("nobody else's quota was met", not denied, " ".join(denied)),
        ("no module failed", not day.reports, "; ".join(day.reports)),
    ]


def _bus(day):
    ledger = day.ledger
    published = ledger.published()
    refused = ledger.refused()
    dropped = ledger.dropped()
    overtaken = ledger.overtaken()
    wrong = []
    due = got = missed = 0
    for module in day.manager.modules:
        for one in module.subscriptions:
            expected = ledger.expected(one)
            due += expected
            got += one.delivered
            missed += one.dropped
            if expected != one.delivered + one.dropped:
                wrong.append("%s to %s" % (one.pattern, module.name))
    return [
        (
            "every event published or refused",
            ledger.total == published + refused,
            "%d = %d + %d" % (ledger.total, published, refused),
        ),
        ("none refused", refused == 0, ""),
        (
            "each delivered to all its subscribers, or counted as dropped",
            not wrong,
            ", ".join(wrong) or "%d = %d + %d" % (due, got, missed),
        ),
        (
            "the bursts filled the queue, and only NORMAL and LOW made way",
            sum(dropped) > 0 and dropped[CRITICAL] + dropped[HIGH] == 0,
            "%d events" % sum(dropped),
        ),
        (
            "nothing HIGH was missed, in the bursts too",
            day.health.errors == day.sensors.errors + day.control.errors
            and day.health.emergencies == 2 * day.actuators.emergencies
            and day.health.started == len(day.manager.modules),
            "%d errors" % day.health.errors,
        ),
        (
            "the emergency stop overtook a full queue",
            ledger.waited == ledger.queue_size() and overtaken == ledger.waited - 1,
            "%d waited, %d came after it, 1 made way" % (ledger.waited, overtaken),
        ),
    ]


def _plant(day):
    actuators = day.actuators
    longest_s = day.defrost.longest_s
    written = day.haccp.written
    results = [
        ("compressor off long enough", actuators.shortest_off >= MIN_OFF_S, ""),
        ("compressor on long enough", actuators.shortest_on >= MIN_ON_S, ""),
        (
            "HACCP log complete",
            written == day.world.now_s == day.logger.records and not day.logger.wrong,
            "%d records" % day.logger.records,
        ),
    ]
    if day.world.now_s >= _ALL_FAULTS_S:
        high, low, door, sensor = day.alarms.raised
        alarms = high > 0 and door > 0 and sensor > 0 and low == 0
        told = day.telemetry.acknowledged >= 4 + 2 * (high + door + sensor)
        later = day.telemetry.backfilled
        results += [
            ("defrosted, within its limit", 0 < longest_s <= DEFROST_MAX_S, ""),
            ("the alarms that had to come", alarms, ""),
            ("each acknowledged, raised and cleared", told, ""),
            ("minutes of the outage sent later", day.network.minutes == later > 0, ""),
        ]
    return results


# The proofs' own test (--forget) must end here.
def _name_holders():
    if not boardcfg.MEMORY_POOL_DIAGNOSTICS:
        print("built without CONFIG_MEMORY_POOL_DIAGNOSTICS: nobody knows who holds it")
        return
    for handle, owner, size, age_ms in mempool.leaks(0):
        name = owner.name if owner else "nobody"
        print("held by %s: %d bytes for %d ms, handle %d" % (name, size, age_ms, handle))
