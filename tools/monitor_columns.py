"""A recording as columns of numbers over time, and those thinned to what a plot can show: of each
slice of time the least and the most, so that no peak is lost.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

from monitor_model import TOLD, Model, Note, Sample
from monitor_record import RecordError, Session, read

SLICES = 600
PLOTTED_RATES = ("published", "delivered", "dropped", "allocs", "frees")
NONE = math.nan


@dataclass
class Slice:
    """Of a slice of time: least, most and last of a series."""

    at: float
    least: float
    most: float
    last: float


@dataclass
class Recording:
    times: array[float] = field(default_factory=lambda: array("d"))
    columns: dict[str, array[float]] = field(default_factory=dict)
    # Indexes of samples that begin anew: after a restart, a gap, another session.
    breaks: set[int] = field(default_factory=set)
    notes: list[Note] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)
    last: Sample | None = None
    restarts: int = 0
    garbage: int = 0

    @property
    def begin(self) -> float:
        return self.times[0]

    @property
    def end(self) -> float:
        return self.times[-1]

    def named(self, prefix: str) -> list[str]:
        return [name for name in self.columns if name.startswith(prefix)]

    def most(self, name: str) -> float:
        return max((x for x in self.columns.get(name, ()) if not math.isnan(x)), default=0)

    def _put(self, name: str, value: float | None) -> None:
        column = self.columns.get(name)
        if column is None:
            column = self.columns[name] = array("d", [NONE]) * (len(self.times) - 1)
        column.append(NONE if value is None else value)

    def add(self, model: Model, sample: Sample) -> None:
        self.times.append(sample.at)
        counts = sample.counts
        self._put("utilization", sample.utilization)
        self._put("level", sample.level)
        self._put("waste", counts["waste"])
        self._put("failures", counts["failures"])
        for name in PLOTTED_RATES:
            self._put(f"rate {name}", model.rates[name])
        self._put("latency longest", sample.latency_us[0])
        self._put("latency mean", sample.latency_us[1])
        self._put("GC used", sample.gc["used"])
        self._put("GC largest free run", sample.gc["largest"])
        for name, pool in sample.pools.items():
            self._put(f"pool {name}", 100 * pool["used"] / pool["count"] if pool["count"] else 0)
        for name, owner in sample.owners.items():
            self._put(f"owner {name}", owner["used"])
        for name, heap in sample.heaps.items():
            self._put(f"heap {name}", heap["free"])
        for column in self.columns.values():
            if len(column) < len(self.times):
                column.append(NONE)  # an owner that is gone
        self.last = sample

    def slices(self, name: str, count: int = SLICES) -> list[list[Slice]]:
        """Unbroken runs of a series."""
        column = self.columns.get(name, array("d"))
        span = (self.end - self.begin) or 1.0
        runs: list[list[Slice]] = [[]]
        now = -1
        for number, value in enumerate(column):
            if math.isnan(value) or number in self.breaks:
                if runs[-1]:
                    runs.append([])
                now = -1
                if math.isnan(value):
                    continue
            at = self.times[number]
            place = min(count - 1, int((at - self.begin) / span * count))
            if place == now:
                one = runs[-1][-1]
                one.least, one.most = min(one.least, value), max(one.most, value)
                one.last = value
            else:
                now = place
                runs[-1].append(Slice(at, value, value, value))
        return [run for run in runs if run]

    def spans(self, level: int) -> list[tuple[float, float]]:
        """When the level was this one."""
        found: list[tuple[float, float]] = []
        begin = None
        for number, value in enumerate(self.columns["level"]):
            if number in self.breaks and begin is not None:
                found.append((begin, self.times[number - 1]))
                begin = None
            if value == level and begin is None:
                begin = self.times[number]
            elif value != level and begin is not None:
                found.append((begin, self.times[number]))
                begin = None
        if begin is not None:
            found.append((begin, self.end))
        return found


class NoSample(RecordError):
    """A recording of nothing."""


def load(name: str, complain: Callable[[str], None]) -> Recording:
    recording = Recording()
    model = Model(seconds=0)
    period = 1.0
    for entry in read(name, complain):
        if isinstance(entry, Session):
            model = Model(seconds=0)
            period = entry.period_ms / 1000
            if entry.port not in recording.ports:
                recording.ports.append(entry.port)
            recording.notes.append(Note(entry.at, "info", f"the view of {entry.port} began"))
        elif isinstance(entry, Note):
            recording.garbage += entry.kind == "garbage"
            if entry.kind not in (*TOLD, "words"):
                recording.notes.append(entry)
        else:
            before = model.sample
            if before is not None and entry.at < before.at:
                # The host's clock was set back: a plot needs one that goes on.
                recording.notes.append(Note(before.at, "trouble", "the PC's clock went back"))
                entry.at = before.at
            notes = model.take(entry)
            recording.add(model, entry)
            late = before is None or entry.at - before.at > max(5.0, 5 * period)
            if late or any(note.kind == "reset" for note in notes):
                recording.breaks.add(len(recording.times) - 1)
            recording.restarts += sum(note.kind == "reset" for note in notes)
            recording.notes += notes
    if not recording.times:
        raise NoSample(f"{name} has no sample in it: nothing to draw")
    if any(b < a for a, b in zip(recording.times, recording.times[1:], strict=False)):
        raise RecordError(f"{name}: its sessions are not in the order of time")
    return recording
