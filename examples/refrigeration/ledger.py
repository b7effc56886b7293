# The books of the demo: what the program asked the bus to publish, against what the bus says it
# did with it; and the order of delivery in the second of the emergency stop.
from eventbus import CRITICAL, bus

from .part import ACTUATORS, ALARMS

TOPICS = (
    "sensor.reading",
    "sensor.temperature.updated",
    "actuator.request",
    "actuator.command",
    "actuator.emergency_stop",
    "actuator.resume",
    "system.started",
    "system.error",
    "system.emergency_mode",
    "system.module_health",
    "wifi.connected",
    "wifi.disconnected",
    "state.door",
    "haccp.record",
    "telemetry.batch",
    "telemetry.backfill",
    "telemetry.alarm",
    "telemetry.ack",
    "memory.normal",
    "memory.low",
    "memory.critical",
    "memory.suspect",
)


class Ledger:
    """Counts every publish by topic, as the bus's filter, which sees them first.

    A topic that is not in the table is a KeyError for who publishes it.
    """

    def __init__(self):
        self.asked = {topic: 0 for topic in TOPICS}
        self.asked.update({"state." + role: 0 for role in ACTUATORS})
        self.asked.update({"alarm." + alarm: 0 for alarm in ALARMS})
        self.total = 0
        self.waited = 0  # events in the queue when the stop was published
        self._order = []  # numbers of the events of that second, as they were delivered
        self._stop = -1  # where among them the stop came
        self._witness = None
        self._before = bus.stats()
        self._filter = bus.filter
        self._on_error = bus.on_error

    def open(self, on_error):
        bus.filter = self._count
        bus.on_error = on_error

    def close(self):
        """Leaves the bus as it was found."""
        bus.filter = self._filter
        bus.on_error = self._on_error
        self.end_watch()

    def _count(self, topic, priority):
        self.total += 1
        self.asked[topic] += 1
        if priority == CRITICAL:
            self.waited = self._queued()
        return True

    # ---- What the bus did in this run; its own counts go back to the start of the machine.

    def published(self):
        return bus.stats().published - self._before.published

    def refused(self):
        return bus.stats().refused - self._before.refused

    def dropped(self):
        """By priority."""
        now = bus.stats().dropped
        return [now[priority] - self._before.dropped[priority] for priority in range(4)]

    def queue_size(self):
        return self._before.queue_free

    def _queued(self):
        return self._before.queue_free - bus.stats().queue_free

    def expected(self, subscription):
        """How many events a subscription should have had, delivered and dropped together."""
        pattern = subscription.pattern
        count = 0
        for topic in self.asked:
            if topic == pattern or (pattern[-1] == "*" and topic.startswith(pattern[:-1])):
                count += self.asked[topic]
        return count

    # ---- The emergency stop: a subscriber to everything, for one second.

    def watch(self):
        self._witness = bus.subscribe("*", self._saw)

    def end_watch(self):
        if self._witness:
            self._witness.cancel()
            self._witness = None

    def _saw(self, event):
        if event.priority == CRITICAL:
            self._stop = len(self._order)
        self._order.append(event.seq)

    def overtaken(self):
        """Events that were published before the stop and delivered after it; -1: one was not."""
        if self._stop != 0:
            return -1
        stop = self._order[0]
        return len([seq for seq in self._order if seq < stop])
