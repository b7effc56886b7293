"""The parts of the live view as coloured text. Each is a function of what is known and of a
width, so that the page, its saved text and the tests draw the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from monitor_model import LEVELS, TREND_SECONDS, Model, Note, Point, Sample, clock, duration
from rich.text import Text

LEVEL_STYLES = ("green", "yellow", "bold red")
# Owners by their letters: told apart on dark and on light terminals, and never by colour alone.
OWNER_STYLES = (
    "black on cyan",
    "black on yellow",
    "white on blue",
    "black on green",
    "white on magenta",
    "black on bright_cyan",
    "black on bright_yellow",
    "white on red",
    "black on bright_green",
    "black on bright_magenta",
)
NO_OWNER = "black on white"
FREE = "dim"
STEPS = "▁▂▃▄▅▆▇█"
EIGHTHS = "·▏▎▍▌▋▊▉"
NOTE_STYLES = {
    "trouble": "yellow",
    "fatal": "bold red",
    "garbage": "yellow",
    "reset": "bold magenta",
    "alert": "bold red",
    "suspect": "bold red",
    "words": "dim",
}
WAITING = "waiting for the first sample"
NAME = 9  # columns of the names at the left

# Spans of the trend, in seconds: the least that all of it fits in.
WINDOWS = (60, 120, 300, TREND_SECONDS)

Pick = Callable[[Point], float | None]
Section = Callable[[Model, int], Text]


def amount(value: float) -> str:
    """12, 940, 18.4 k, 3.1 M: in few columns."""
    for unit in ("", " k", " M", " G"):
        if abs(value) < 1000 or unit == " G":
            return f"{value:.0f}{unit}" if not unit or value >= 100 else f"{value:.1f}{unit}"
        value /= 1000
    return ""


def size(value: float) -> str:
    shown = amount(value)
    return f"{shown}B" if " " in shown else f"{shown} B"


def rate(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}/s" if value < 100 else f"{value:.0f}/s"


def bar(share: float, width: int, style: str, peak: float | None = None) -> Text:
    """A bar of `width` columns; the peak is a mark on it."""
    filled = max(0.0, min(1.0, share)) * width
    cells = ["█"] * int(filled)
    if len(cells) < width and (part := int((filled - len(cells)) * 8)):
        cells.append(EIGHTHS[part])
    cells += ["·"] * (width - len(cells))
    text = Text("".join(cells[:width]), style)
    text.stylize("dim", int(filled) + (filled > int(filled)))
    if peak is not None and width and peak > 0:
        column = min(width - 1, max(0, int(peak * width)))
        if column >= int(filled):
            before, after = text[:column], text[column + 1 :]
            text = Text.assemble(before, ("│", "bold"), after)
    return text


def _of_a_sample(draw: Callable[[Model, Sample, int], Text]) -> Section:
    """A section that waits for the first sample."""

    def section(model: Model, width: int) -> Text:
        return draw(model, model.sample, width) if model.sample else Text(WAITING, "dim")

    return section


def head(model: Model, port: str, state: str) -> Text:
    sample = model.sample
    if sample is None:
        return Text.assemble((port, "bold"), f"  {state or WAITING}", no_wrap=True)
    level = sample.level
    text = Text.assemble(
        (sample.board or "board", "bold"),
        f" at {port}  up {duration(sample.uptime_s)}  ",
        (f" {LEVELS[level]} ", f"reverse {LEVEL_STYLES[level]}"),
        f"  {sample.utilization:.0f} % of {size(sample.counts['capacity'])}",
        f"  samples {model.samples}",
        f"  restarts {model.resets}" if model.resets else "",
    )
    if model.garbage:
        text.append(f"  garbage {model.garbage}", "yellow")
    if state:
        text.append(f"  {state}", "reverse")
    return text


@_of_a_sample
def pools(model: Model, sample: Sample, width: int) -> Text:
    lines = []
    for name, pool in sample.pools.items():
        count = pool["count"] or 1
        level = max(0, min(2, int(pool["level"])))
        figures = f" {pool['used']:>4}/{pool['count']:<4} peak {pool['peak']:<4}"
        figures += f" fail {pool['failures']}" if pool["failures"] else ""
        room = max(6, width - NAME - len(figures) - 1)
        lines.append(
            Text.assemble(
                f"{name[: NAME - 1]:<{NAME}}",
                bar(pool["used"] / count, room, LEVEL_STYLES[level], pool["peak"] / count),
                figures,
            )
        )
    return Text("\n").join(lines)


def _owner_style(letter: str) -> str:
    if letter == "#":
        return NO_OWNER
    number = ord(letter) - ord("a") if letter >= "a" else ord(letter) - ord("A") + 26
    return OWNER_STYLES[number % len(OWNER_STYLES)]


@_of_a_sample
def block_map(model: Model, sample: Sample, width: int) -> Text:
    if not sample.map:
        return Text("the device sends no map", "dim")
    room = max(8, width - NAME)
    lines = []
    for name, blocks in sample.map.items():
        for start in range(0, max(1, len(blocks)), room):
            line = Text(f"{name[: NAME - 1]:<{NAME}}" if start == 0 else " " * NAME)
            for one in blocks[start : start + room]:
                line.append("·" if one == "." else one, FREE if one == "." else _owner_style(one))
            lines.append(line)
    legend = Text("· free", FREE)
    for letter, owner in sample.legend.items():
        legend.append("  ")
        legend.append(f" {letter} ", _owner_style(letter))
        legend.append(f" {owner}")
    return Text("\n").join([*lines, legend])


@_of_a_sample
def events(model: Model, sample: Sample, width: int) -> Text:
    rates = model.rates
    longest, mean = sample.latency_us
    lost = sum(sample.dropped)
    text = Text.assemble(
        f"published {rate(rates['published'])}  delivered {rate(rates['delivered'])}\n",
        (
            f"dropped {rate(rates['dropped'])} (CRITICAL {sample.dropped[0]} "
            f"HIGH {sample.dropped[1]} NORMAL {sample.dropped[2]} LOW {sample.dropped[3]})\n"
            if len(sample.dropped) == 4
            else f"dropped {rate(rates['dropped'])}\n",
            "yellow" if lost else "",
        ),
        f"refused {amount(sample.bus['refused'])}  queue free {sample.bus['queue_free']}"
        f"  high water {sample.bus['high_water']}\n",
        f"latency mean {amount(mean)} us, longest {amount(longest)} us\n",
        f"blocks taken {rate(rates['allocs'])}  given {rate(rates['frees'])}  "
        f"failures {sample.counts['failures']}  refused {sample.counts['refused']}",
    )
    return text


@_of_a_sample
def heap(model: Model, sample: Sample, width: int) -> Text:
    gc = sample.gc
    total = gc["used"] + gc["free"]
    figures = f" {amount(gc['used'])}/{size(total)}"
    share = gc["used"] / total if total else 0
    style = LEVEL_STYLES[2 if share > 0.95 else 1 if share > 0.8 else 0]
    text = Text.assemble(
        f"{'GC heap':<{NAME}}",
        bar(share, max(6, width - NAME - len(figures)), style),
        figures,
        f"\nlargest free run {size(gc['largest'])}, fragmentation {gc['fragmentation']} %",
    )
    for name, one in sample.heaps.items():
        used = one["total"] - one["free"]
        figures = f" {amount(used)}/{size(one['total'])} least free {size(one['minimum_ever'])}"
        text.append(f"\n{name[: NAME - 1]:<{NAME}}")
        room = max(6, width - NAME - len(figures))
        text.append_text(bar(used / one["total"] if one["total"] else 0, room, "blue"))
        text.append(figures)
    counts = sample.counts
    text.append(
        f"\nwaste {size(counts['waste'])} ({counts['fragmentation']} % of used), "
        f"reclaimed {counts['reclaimed']}, spills {counts['spills']}"
    )
    return text


@_of_a_sample
def owners(model: Model, sample: Sample, width: int) -> Text:
    lines = []
    letters = {owner: letter for letter, owner in sample.legend.items()}
    ranked = sorted(sample.owners.items(), key=lambda item: -item[1]["used"])
    for name, one in ranked:
        letter = letters.get(name, " ")
        line = Text.assemble(
            (f" {letter} ", _owner_style(letter) if letter != " " else ""),
            f" {name:<15} {size(one['used']):>8}",
            f" of {size(one['quota'])}" if one["quota"] else "",
            f"  peak {size(one['peak'])}",
        )
        if one["denied"]:
            line.append(f"  denied {one['denied']}", "yellow")
        if name in sample.suspects:
            line.append("  leak?", "bold red")
        lines.append(line)
    return Text("\n").join(lines) if lines else Text("no owner has opened an account", "dim")


@_of_a_sample
def alerts(model: Model, sample: Sample, width: int) -> Text:
    lines = []
    if sample.alert is None:
        lines.append(Text("no alert since the start", "green" if sample.level == 0 else ""))
    else:
        level = sample.alert["level"]
        name = f" {sample.alert['name']}" if sample.alert["name"] else ""
        since = duration(sample.alert["age_s"])
        lines.append(Text(f"{LEVELS[level]}{name} since {since}", LEVEL_STYLES[level]))
    for name in sample.suspects:
        lines.append(Text(f"suspected leak: {name}", "bold red"))
    if sample.counts["check"]:
        lines.append(Text(f"{sample.counts['check']} broken invariants", "bold red"))
    return Text("\n").join(lines)


def _columns(points: list[Point], seconds: float, width: int) -> list[list[Point]]:
    """The samples of each column; a column between two that follow each other has the first."""
    begin = points[-1].at - seconds
    columns: list[list[Point]] = [[] for _ in range(width)]
    gaps = sorted(b.at - a.at for a, b in pairwise(points))
    usual = gaps[len(gaps) // 2] if gaps else 0
    place = -1
    for number, point in enumerate(points):
        before, place = place, int((point.at - begin) / seconds * (width - 1))
        if place < 0:
            continue
        last = points[number - 1]
        if number and not point.reset and point.at - last.at < 3 * usual:
            for column in range(max(0, before + 1), place):
                columns[column].append(replace(last, reset=False))
        columns[place].append(point)
    return columns


def _spark(columns: list[list[Point]], pick: Pick, most: float, style: str) -> Text:
    line = Text()
    for column in columns:
        values = [value for point in column if (value := pick(point)) is not None]
        level = max((point.level for point in column), default=0)
        if any(point.reset for point in column):
            line.append("R", NOTE_STYLES["reset"])
        elif values:
            step = STEPS[min(7, max(0, int(max(values) / (most or 1) * 7.999)))]
            line.append(step, LEVEL_STYLES[level] if level else style)
        else:
            line.append(" ")
    return line


def trend(model: Model, width: int) -> Text:
    """Four lines, newest at the right; R is a restart, colours are the level."""
    points = list(model.trend)
    if not points:
        return Text(WAITING, "dim")
    age = points[-1].at - points[0].at
    span = next((window for window in WINDOWS if window >= age), WINDOWS[-1])
    room = max(10, width - NAME - 9)
    columns = _columns(points, span, room)
    most = max((p.events for p in points if p.events is not None), default=0)
    rows: list[tuple[str, Pick, float, str, str]] = [
        ("used", lambda p: p.utilization, 100, f"{points[-1].utilization:.0f} %", "green"),
        ("waste", lambda p: p.waste, 100, f"{points[-1].waste:.0f} %", "cyan"),
        ("events", lambda p: p.events, most, rate(points[-1].events), "blue"),
        ("GC heap", lambda p: p.gc, 100, f"{points[-1].gc:.0f} %", "white"),
    ]
    lines = []
    for name, pick, top, figure, style in rows:
        line = Text(f"{name:<{NAME}}")
        line.append_text(_spark(columns, pick, top, style))
        line.append(f" {figure}")
        lines.append(line)
    left = f"-{duration(span)}"
    lines.append(Text(f"{'':<{NAME}}{left:<{max(0, room - 3)}}now", "dim"))
    return Text("\n").join(lines)


def log_line(note: Note) -> Text:
    return Text(f"{clock(note.at)} {note.text}", NOTE_STYLES.get(note.kind, ""))


SECTIONS: tuple[tuple[str, Section], ...] = (
    ("Pools", pools),
    ("Blocks", block_map),
    ("Trend", trend),
    ("Events", events),
    ("Heap", heap),
    ("Owners", owners),
    ("Alerts", alerts),
)


def page(model: Model, port: str, state: str, width: int = 100) -> str:
    """All of it as plain text, for a file."""
    parts = [time.strftime("%Y-%m-%d %H:%M:%S"), head(model, port, state).plain]
    for title, draw in SECTIONS:
        parts += ["", f"--- {title} ---", draw(model, width).plain]
    parts += ["", "--- Log ---", *(log_line(note).plain for note in model.notes)]
    return "\n".join(parts) + "\n"


def line(model: Model, sample: Sample) -> str:
    """A sample on one line, for a pipe."""
    full = " ".join(f"{n} {p['used']}/{p['count']}" for n, p in sample.pools.items())
    parts = [
        clock(sample.at),
        f"up {sample.uptime_s} s",
        f"{sample.utilization:.0f} % {sample.counts['used']}/{sample.counts['capacity']} B",
        full,
        f"events {rate(model.rates['published'])}",
        f"GC {sample.gc['used']}/{sample.gc['used'] + sample.gc['free']} B",
        LEVELS[sample.level],
    ]
    if sample.suspects:
        parts.append(f"suspected leak: {', '.join(sample.suspects)}")
    return " | ".join(parts)
