# What must be true when the day is over and everything has stopped.
import boardcfg
import mempool

from .actuators import MIN_OFF_S, MIN_ON_S
from .control import DEFROST_MAX_S
from .post import TOPICS

_ALL_FAULTS_S = 4 * 3600  # by then every fault has come and gone


def failures(day, before, first_hour, end):
    """Prints a line for each proof -> number of those that failed.

    before: stats() from before the program began; first_hour, end: GC heap in use, in bytes.
    """
    failed = 0
    for what, holds, detail in _memory(day, before, first_hour, end) + _plant(day):
        failed += not holds
        print("%s  %s%s" % ("ok  " if holds else "FAIL", what, ": " + detail if detail else ""))
    if mempool.stats().used > before.used:
        _name_holders()
    print("proved" if not failed else "%d of the proofs failed" % failed)
    return failed


def _memory(day, before, first_hour, end):
    after = mempool.stats()
    sent = sum(day.post.sent)
    received = sum([module.received for module in day.manager.modules])
    outstanding = after.used - before.used
    denied = [m.name for m in day.manager.modules if m.denied() and m is not day.sensors]
    burst = day.sensors.denied()
    return [
        ("no block outstanding", outstanding == 0, "%d bytes" % outstanding),
        ("check() == 0", mempool.check() + day.health.broken == 0, "every minute, and now"),
        (
            "GC heap no larger than after the first hour",
            end <= first_hour,
            "%d bytes then, %d now" % (first_hour, end),
        ),
        ("every message received", sent == received, "%d of %d" % (received, sent)),
        ("no stale, double or foreign use", after.refused == before.refused, ""),
        ("nothing left to the garbage collector", after.reclaimed == before.reclaimed, ""),
        ("the burst met its own quota", burst > 0, "%d denied" % burst),
        ("nobody else's quota", not denied, " ".join(denied)),
        ("no module failed", not day.reports, "; ".join(day.reports)),
    ]


def _plant(day):
    sizes = []
    for topic, (name, _, smallest, largest) in enumerate(TOPICS):
        if day.post.sent[topic]:
            if day.post.smallest[topic] < smallest or day.post.largest[topic] > largest:
                sizes.append(name)
    actuators = day.actuators
    longest_s = day.defrost.longest_s
    written = day.haccp.written
    results = [
        ("payload sizes are the product's", not sizes, " ".join(sizes)),
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
        told = day.telemetry.acknowledged >= 2 * (high + door + sensor)
        results += [
            ("defrosted, within its limit", 0 < longest_s <= DEFROST_MAX_S, ""),
            ("the alarms that had to come", alarms, ""),
            ("each acknowledged, raised and cleared", told, ""),
            ("the emergency stop stopped", actuators.emergencies > 0, ""),
            ("minutes of the outage sent later", day.telemetry.backfilled > 0, ""),
        ]
    return results


# The demo's own test (--leak) must end here.
def _name_holders():
    if not boardcfg.MEMORY_POOL_DIAGNOSTICS:
        print("built without CONFIG_MEMORY_POOL_DIAGNOSTICS: nobody knows who holds it")
        return
    for handle, owner, size, age_ms in mempool.leaks(0):
        name = owner.name if owner else "nobody"
        print("held by %s: %d bytes for %d ms, handle %d" % (name, size, age_ms, handle))
