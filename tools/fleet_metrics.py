"""The table of a fleet as Prometheus metrics.

A device that is stale (three periods without a state) keeps mempool_up 0 and its counters, and
loses its gauges: a graph ends there instead of going on with what was.
"""

from __future__ import annotations

from fleet_devices import FAULTS, LEVELS, POOLS, Fleet
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

DEVICE = ["tenant", "device"]
# metric: (field of a state, help)
GAUGES = {
    "mempool_uptime_seconds": ("uptime_s", "Since its boot."),
    "mempool_capacity_bytes": ("capacity", "Bytes of all blocks."),
    "mempool_used_bytes": ("used", "Bytes of the blocks in use."),
    "mempool_peak_bytes": ("peak", "Most bytes in use, the pools' peaks added up."),
    "mempool_waste_bytes": ("waste", "Bytes of blocks in use that nobody asked for."),
    "mempool_fragmentation_percent": ("fragmentation", "Waste in percent of what is in use."),
    "mempool_largest_free_bytes": ("largest_free", "Largest block that is free."),
    "mempool_level": ("level", "0 normal, 1 low, 2 critical."),
    "mempool_broken_invariants": ("check", "What mempool.check() found broken."),
    "mempool_gc_free_bytes": ("gc_free", "Free bytes of the GC heap; 0: not told."),
    "mempool_report_late_seconds": ("late_s", "Age of the last state when it was sent."),
}
COUNTERS = {
    "mempool_allocations": ("allocs", "Blocks taken."),
    "mempool_failures": ("failures", "Requests that found no block."),
    "mempool_refused": ("refused", "Stale, double and foreign uses."),
    "mempool_reclaimed": ("reclaimed", "Blocks that the GC gave back."),
    "mempool_denied": ("denied", "Requests beyond a quota."),
    "mempool_reconnects": ("reconnects", "Of the device to its broker."),
    "mempool_records_dropped": ("dropped", "Records that made way while the broker was away."),
}


class Metrics:
    """A collector of prometheus_client."""

    def __init__(self, fleet: Fleet):
        self.fleet = fleet

    def collect(self):
        self.fleet.forget()
        with self.fleet.lock:
            yield from list(self._fleet())
            yield from list(self._devices())

    def _fleet(self):
        fleet = self.fleet
        for name, value, text in (
            ("mempool_fleet_broker_connected", int(fleet.connected), "1: the broker is there."),
            ("mempool_fleet_devices", len(fleet.devices), "Devices in the table."),
        ):
            yield GaugeMetricFamily(name, text, value)
        for name, value, text in (
            ("mempool_fleet_messages", fleet.messages, "Messages that came."),
            ("mempool_fleet_bytes", fleet.bytes, "Bytes of topics and payloads that came."),
            ("mempool_fleet_not_taken", fleet.not_taken, "Messages of devices beyond --devices."),
            ("mempool_fleet_forgotten", fleet.forgotten, "Devices silent for a day."),
        ):
            yield CounterMetricFamily(name, text, value)
        garbage = CounterMetricFamily(
            "mempool_fleet_garbage", "Messages that are none of ours.", labels=["fault"]
        )
        for fault in FAULTS:
            garbage.add_metric([fault], fleet.garbage[fault])
        yield garbage

    def _devices(self):
        now = self.fleet.clock()
        items = sorted(self.fleet.devices.items())
        up = GaugeMetricFamily("mempool_up", "1: its states come.", labels=DEVICE)
        seen = GaugeMetricFamily(
            "mempool_last_state_age_seconds", "Since its last state came.", labels=DEVICE
        )
        for key, device in items:
            up.add_metric(key, int(device.up(now)))
            if device.seen is not None:
                seen.add_metric(key, now - device.seen)
        yield up
        yield seen
        live = [(key, one.state) for key, one in items if one.state and one.up(now)]
        for name, (source, text) in GAUGES.items():
            family = GaugeMetricFamily(name, text, labels=DEVICE)
            for key, state in live:
                family.add_metric(key, state[source])
            yield family
        pools = GaugeMetricFamily(
            "mempool_pool_used_blocks", "Blocks of a pool in use.", labels=[*DEVICE, "pool"]
        )
        suspects = GaugeMetricFamily(
            "mempool_suspected_leak", "1: this owner only takes.", labels=[*DEVICE, "owner"]
        )
        for key, state in live:
            for pool, used in zip(POOLS, state["pools"], strict=True):
                pools.add_metric([*key, pool], used)
            for owner in dict.fromkeys(state["suspects"]):
                suspects.add_metric([*key, owner], 1)
        yield pools
        yield suspects
        yield from self._counters(items)

    def _counters(self, items):
        for name, (source, text) in COUNTERS.items():
            family = CounterMetricFamily(name, text, labels=DEVICE)
            for key, device in items:
                if device.state:
                    family.add_metric(key, device.state[source])
            yield family
        for name, source, text in (
            ("mempool_messages", "messages", "States and alerts that came."),
            (
                "mempool_messages_lost",
                "lost",
                "Numbers missing between records; dropped ones too.",
            ),
            ("mempool_messages_repeated", "repeated", "Records that came again."),
            ("mempool_restarts", "restarts", "Times that a device began anew."),
        ):
            family = CounterMetricFamily(name, text, labels=DEVICE)
            for key, device in items:
                family.add_metric(key, getattr(device, source))
            yield family
        alerts = CounterMetricFamily("mempool_alerts", "Edges.", labels=[*DEVICE, "level"])
        for key, device in items:
            for level in LEVELS:
                alerts.add_metric([*key, level], device.alerts[level])
        yield alerts
