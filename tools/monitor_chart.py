"""Plots of series over time as inline SVG, with light and dark colours from the page's style. The
page's script adds what a pointer shows: it reads the numbers from the `data-` attributes here.
"""

from __future__ import annotations

import html
import json
import math
import time
from dataclasses import dataclass, field

from monitor_columns import Recording, Slice
from monitor_model import TOLD

WIDTH, HEIGHT = 880, 240
MARGINS = {"LEFT": 64, "RIGHT": 12, "TOP": 18, "BOTTOM": 24}  # the page's script has them, too
LEFT, RIGHT, TOP, BOTTOM = MARGINS.values()
MOST_SERIES = 8
STEPS = (1, 2, 5, 10)
CLOCK_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
DAY = 86400


@dataclass
class Chart:
    title: str
    unit: str
    series: list[tuple[str, str]]  # what a reader calls it, its column
    note: str = ""
    floor: float = 1.0  # the least top of the scale
    top: float | None = None  # the top of the scale, where it is known
    runs: dict[str, list[list[Slice]]] = field(default_factory=dict)


def number(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:.3g} M"
    if value >= 1e4:
        return f"{value / 1e3:.3g} k"
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}".rstrip("0").rstrip(".")


def nice_top(most: float) -> float:
    """1, 2 or 5 times a power of ten, and not below."""
    if most <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(most))
    return next(step * power for step in STEPS if step * power >= most * 0.9999)


def time_step(span: float) -> float:
    for step in CLOCK_STEPS:
        if span / step <= 7:
            return step
    return math.ceil(span / 7 / DAY) * DAY


def _clock_ticks(begin: float, end: float) -> list[tuple[float, str]]:
    step = time_step(end - begin)
    zone = time.localtime(begin).tm_gmtoff or 0  # ticks at whole hours of the reader's clock
    first = math.ceil((begin + zone) / step) * step - zone
    form = "%H:%M:%S" if step < 60 else "%H:%M" if end - begin < 2 * DAY else "%d %b %H:%M"
    ticks = []
    while first <= end:
        ticks.append((first, time.strftime(form, time.localtime(first))))
        first += step
    return ticks


class Scale:
    def __init__(self, recording: Recording, top: float) -> None:
        self.begin = recording.begin
        self.span = (recording.end - recording.begin) or 1.0
        self.top = top

    def x(self, at: float) -> float:
        return LEFT + (at - self.begin) / self.span * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - min(1.0, value / self.top) * (HEIGHT - BOTTOM - TOP)


def _path(scale: Scale, runs: list[list[Slice]]) -> str:
    parts = []
    for run in runs:
        points = []
        for one in run:
            x = scale.x(one.at)
            if one.least != one.most:
                points.append(f"{x:.1f},{scale.y(one.least):.1f}")
                points.append(f"{x:.1f},{scale.y(one.most):.1f}")
            points.append(f"{x:.1f},{scale.y(one.last):.1f}")
        if len(points) == 1:
            points *= 2  # a lone sample is a dot: a line of no length with round ends
        parts.append("M" + "L".join(points))
    return "".join(parts)


def _axes(scale: Scale, recording: Recording, unit: str) -> list[str]:
    parts = []
    floor = HEIGHT - BOTTOM
    for step in range(5):
        value = scale.top * step / 4
        y = scale.y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 4}">{number(value)}</text>')
    parts.append(f'<text class="tick" x="{LEFT - 6}" y="11">{html.escape(unit)}</text>')
    for at, text in _clock_ticks(recording.begin, recording.end):
        x = scale.x(at)
        anchor = "start" if x < LEFT + 20 else "end" if x > WIDTH - 40 else "middle"
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{floor}" y2="{floor + 4}"/>'
        )
        parts.append(
            f'<text class="time" text-anchor="{anchor}" x="{x:.1f}" y="{HEIGHT - 6}">{text}</text>'
        )
    return parts


def _marks(scale: Scale, recording: Recording, numbers: dict[int, int]) -> list[str]:
    """Bands where the level was raised; numbered lines at what happened."""
    parts = []
    for level, name in ((1, "low"), (2, "critical")):
        for begin, end in recording.spans(level):
            width = max(1.0, scale.x(end) - scale.x(begin))
            parts.append(
                f'<rect class="band {name}" x="{scale.x(begin):.1f}" y="{TOP}" '
                f'width="{width:.1f}" height="{HEIGHT - BOTTOM - TOP}"/>'
            )
    last = -math.inf
    for index, note in enumerate(recording.notes):
        if index not in numbers or note.kind not in TOLD:
            continue
        x = scale.x(note.at)
        shown = html.escape(note.text)
        parts.append(
            f'<line class="mark {note.kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" '
            f'y2="{HEIGHT - BOTTOM}"><title>{shown}</title></line>'
        )
        if x - last > 18:  # numbers on each other would be none
            last = x
            anchor = "end" if x > WIDTH - 30 else "middle"
            parts.append(
                f'<text class="number" text-anchor="{anchor}" x="{x:.1f}" y="{TOP - 5}">'
                f"{numbers[index]}</text>"
            )
    return parts


def _data(chart: Chart) -> str:
    """What the pointer shows: [[name, [[time, least, most, last], ...]], ...]."""
    series = [
        [
            name,
            [
                [round(x.at, 1), *(round(v, 2) for v in (x.least, x.most, x.last))]
                for run in chart.runs[name]
                for x in run
            ],
        ]
        for name, _ in chart.series
    ]
    return html.escape(json.dumps(series, separators=(",", ":")), quote=True)


def draw(chart: Chart, recording: Recording, numbers: dict[int, int]) -> str:
    """A figure of the page; "" where none of its series has a number."""
    chart.runs = {name: recording.slices(column) for name, column in chart.series}
    chart.series = [entry for entry in chart.series if chart.runs[entry[0]]]
    if not chart.series:
        return ""
    most = max(x.most for runs in chart.runs.values() for run in runs for x in run)
    scale = Scale(recording, chart.top or nice_top(max(most, chart.floor)))
    title = html.escape(chart.title)
    parts = [
        f'<figure data-series="{_data(chart)}" data-begin="{scale.begin}" '
        f'data-span="{scale.span}" data-unit="{html.escape(chart.unit)}">',
        f"<figcaption><h2>{title}</h2>",
        f"<p>{html.escape(chart.note)}</p>" if chart.note else "",
        '<ul class="legend">',
    ]
    for index, (name, _) in enumerate(chart.series):
        last = chart.runs[name][-1][-1].last
        parts.append(
            f'<li><i class="s{index + 1}"></i>{html.escape(name)} '
            f"<b>{number(last)} {html.escape(chart.unit)}</b></li>"
        )
    parts.append("</ul></figcaption>")
    parts.append(f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title} over time">')
    parts += _axes(scale, recording, chart.unit)
    parts += _marks(scale, recording, numbers)
    for index, (name, _) in enumerate(chart.series):
        path = _path(scale, chart.runs[name])
        shown = html.escape(name)
        parts.append(f'<path class="line s{index + 1}" d="{path}"><title>{shown}</title></path>')
    parts.append('<line class="hair"/></svg><output hidden></output></figure>')
    return "".join(parts)
