"""What the live view knows: the last sample of a device, rates from the differences of its
counters, the trend of the last minutes, and a log of what happened. Nothing here draws or waits.

    model = Model()
    model.take(parse(record, at=time.time()))   # raises BadSample where the record is none
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor_wire import printable

LEVELS = ("NORMAL", "LOW", "CRITICAL")
TREND_SECONDS = 600
NOTES = 500
LONGEST_NAME = 24
MOST_NAMES = 64

COUNTS = tuple(
    "uptime_s capacity used free peak utilization allocs frees failures spills reclaimed refused "
    "denied heap_used requested waste largest_free level fragmentation check".split()
)
REQUIRED = ("uptime_s", "capacity", "used", "pools")
POOL = ("block_size", "count", "used", "free", "peak", "allocs", "failures", "level")
OWNER = ("quota", "used", "peak", "denied")
GC = ("used", "free", "largest", "fragmentation")
HEAP = ("total", "free", "largest", "minimum_ever")
BUS = ("published", "delivered", "refused", "high_water", "queue_free")
# Counters whose differences are rates.
RATES = ("published", "delivered", "dropped", "refused", "allocs", "frees")


class BadSample(Exception):
    """Why a record is no sample: one line."""


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return value if abs(value) < 1 << 53 else 0


def _table(value: object, fields: tuple[str, ...]) -> dict[str, Any]:
    source = value if isinstance(value, Mapping) else {}
    return {name: _number(source.get(name)) for name in fields}


def _tables(value: object, fields: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    if not isinstance(value, Mapping):
        return {}
    names = list(value.items())[:MOST_NAMES]
    return {printable(str(name), LONGEST_NAME): _table(one, fields) for name, one in names}


@dataclass
class Sample:
    """A snapshot whose every field is there, of the type that it should have."""

    at: float  # the host's clock, seconds since 1970
    board: str
    counts: dict[str, Any]
    pools: dict[str, dict[str, Any]]
    owners: dict[str, dict[str, Any]]
    gc: dict[str, Any]
    heaps: dict[str, dict[str, Any]]
    bus: dict[str, Any]
    dropped: list[int | float]
    latency_us: tuple[int | float, int | float]  # longest, mean
    alert: dict[str, Any] | None
    suspects: list[str]
    map: dict[str, str]
    legend: dict[str, str]
    raw: dict[str, Any] = field(repr=False, default_factory=dict)

    @property
    def uptime_s(self) -> int:
        return int(self.counts["uptime_s"])

    @property
    def level(self) -> int:
        """The worst of what the pools and the monitor say."""
        told = self.alert["level"] if self.alert else 0
        return max(0, min(2, max(int(self.counts["level"]), int(told))))

    @property
    def utilization(self) -> float:
        return (
            100 * self.counts["used"] / self.counts["capacity"] if self.counts["capacity"] else 0
        )

    def counter(self, name: str) -> float:
        if name == "dropped":
            return sum(self.dropped)
        return self.counts[name] if name in ("allocs", "frees") else self.bus[name]


def parse(record: object, at: float) -> Sample:
    """A sample of what answers `live`: {"snapshot": ..., "map": ..., "legend": ...}."""
    if isinstance(record, Mapping) and isinstance(record.get("live"), Mapping):
        record = record["live"]
    if not isinstance(record, Mapping) or not isinstance(record.get("snapshot"), Mapping):
        raise BadSample("a record that is no snapshot of memdiag's")
    shot: Mapping[str, Any] = record["snapshot"]
    for name in REQUIRED:
        if name not in shot:
            raise BadSample(f"a snapshot without {name!r}")
    bus = shot.get("bus") if isinstance(shot.get("bus"), Mapping) else {}
    assert isinstance(bus, Mapping)
    dropped = bus.get("dropped")
    latency = bus.get("latency_us")
    longest, mean = latency if isinstance(latency, list) and len(latency) == 2 else (0, 0)
    alert = shot.get("alert")
    suspects = shot.get("suspects")
    # MicroPython's dicts have no order: pools by their blocks' size, owners by their letters.
    pools = _tables(shot["pools"], POOL)
    pools = dict(sorted(pools.items(), key=lambda item: item[1]["block_size"]))
    order = {name: at for at, name in enumerate(pools)}
    blocks = record.get("map")
    legend = record.get("legend")
    return Sample(
        at=at,
        board=printable(str(shot.get("board", "")), LONGEST_NAME),
        counts=_table(shot, COUNTS),
        pools=pools,
        owners=_tables(shot.get("owners"), OWNER),
        gc=_table(shot.get("gc"), GC),
        heaps=_tables(shot.get("heaps"), HEAP),
        bus=_table(bus, BUS),
        dropped=[_number(x) for x in dropped[:4]] if isinstance(dropped, list) else [0] * 4,
        latency_us=(_number(longest), _number(mean)),
        alert={
            "level": max(0, min(2, int(_number(alert.get("level"))))),
            "name": printable(str(alert.get("name", "")), LONGEST_NAME),
            "age_s": _number(alert.get("age_s")),
        }
        if isinstance(alert, Mapping)
        else None,
        suspects=[printable(str(x), LONGEST_NAME) for x in suspects[:MOST_NAMES]]
        if isinstance(suspects, list)
        else [],
        map={
            printable(str(k), LONGEST_NAME): printable(str(v), 4096)
            for k, v in sorted(blocks.items(), key=lambda item: order.get(item[0], len(order)))
        }
        if isinstance(blocks, Mapping)
        else {},
        legend={
            str(k): printable(str(v), LONGEST_NAME)
            for k, v in sorted(legend.items(), key=lambda item: str(item[0]).swapcase())
            if len(str(k)) == 1 and str(k).isprintable()
        }
        if isinstance(legend, Mapping)
        else {},
        raw=dict(record),
    )


# The kinds of Note that samples themselves tell, whatever a recording's own log says.
TOLD = ("reset", "alert", "suspect")


@dataclass
class Note:
    """A line of the log. kind: info, trouble, fatal (nothing comes any more), words (what the
    program prints), garbage, reset, alert, suspect."""

    at: float
    kind: str
    text: str


@dataclass
class Point:
    """A moment of the trend."""

    at: float
    utilization: float
    waste: float
    events: float | None
    gc: float
    level: int
    reset: bool


class Model:
    def __init__(self, seconds: float = TREND_SECONDS) -> None:
        self.seconds = seconds
        self.sample: Sample | None = None
        self.rates: dict[str, float | None] = dict.fromkeys(RATES)
        self.trend: deque[Point] = deque()
        self.notes: deque[Note] = deque(maxlen=NOTES)
        self.samples = 0
        self.resets = 0
        self.garbage = 0

    def note(self, note: Note) -> None:
        if note.kind == "garbage":
            self.garbage += 1
        self.notes.append(note)

    def take(self, sample: Sample) -> list[Note]:
        """-> what is new since the last one: restarts, edges, suspects."""
        before = self.sample
        restarted = before is not None and sample.uptime_s < before.uptime_s
        notes: list[Note] = []
        if before is not None and restarted:
            self.resets += 1
            text = f"the device restarted: up {sample.uptime_s} s after {before.uptime_s} s"
            notes.append(Note(sample.at, "reset", text))
        self.rates = self._rates(None if restarted else before, sample)
        notes += _edges(None if restarted else before, sample)
        self.sample = sample
        self.samples += 1
        used = sample.gc["used"] + sample.gc["free"]
        if self.trend and self.trend[-1].at > sample.at:
            self.trend.clear()  # the host's clock was set back
        self.trend.append(
            Point(
                at=sample.at,
                utilization=sample.utilization,
                waste=sample.counts["fragmentation"],
                events=self.rates["published"],
                gc=100 * sample.gc["used"] / used if used else 0,
                level=sample.level,
                reset=restarted,
            )
        )
        while self.trend and self.trend[0].at < sample.at - self.seconds:
            self.trend.popleft()
        for one in notes:
            self.note(one)
        return notes

    def _rates(self, before: Sample | None, now: Sample) -> dict[str, float | None]:
        """None where nothing can be said: at first, after a restart, after a reset of the
        statistics, and where the host's clock went back."""
        seconds = now.at - before.at if before else 0
        rates: dict[str, float | None] = dict.fromkeys(RATES)
        if before is None or seconds <= 0:
            return rates
        for name in RATES:
            grown = now.counter(name) - before.counter(name)
            rates[name] = grown / seconds if grown >= 0 else None
        return rates


def _level(sample: Sample) -> str:
    if sample.level == 0:
        return "level NORMAL again"
    full = [
        f"{name} {pool['used']}/{pool['count']} blocks"
        for name, pool in sample.pools.items()
        if pool["level"] == sample.level
    ]
    # A pool may have left the level that the device's monitor has told.
    if not full and sample.alert:
        full = [sample.alert["name"]]
    return f"level {LEVELS[sample.level]}: {', '.join(full)}"


def _edges(before: Sample | None, now: Sample) -> list[Note]:
    notes = []
    if now.level != (before.level if before else 0):
        notes.append(Note(now.at, "alert", _level(now)))
    known = set(before.suspects) if before else set()
    for name in now.suspects:
        if name not in known:
            notes.append(Note(now.at, "suspect", f"suspected leak: {name}"))
    for name in sorted(known - set(now.suspects)):
        notes.append(Note(now.at, "info", f"{name} is suspected no longer"))
    if now.counts["check"] and (before is None or not before.counts["check"]):
        text = f"mempool.check() found {now.counts['check']} broken invariants"
        notes.append(Note(now.at, "alert", text))
    return notes


def clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


def duration(seconds: float) -> str:
    """512 s, 8 min 32 s, 3 h 5 min, 12 d 4 h."""
    seconds = int(seconds)
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min {seconds % 60} s"
    if seconds < 172800:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    return f"{seconds // 86400} d {seconds % 86400 // 3600} h"
