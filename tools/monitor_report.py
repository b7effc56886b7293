"""A recording as one page that needs nothing else: no network, no library. What it forbids itself
is in its Content-Security-Policy. `make monitor RECORD=file REPORT=out.html`.
"""

from __future__ import annotations

import html
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import whole_file
from monitor_chart import MARGINS, MOST_SERIES, Chart, draw
from monitor_columns import Recording, load
from monitor_model import LEVELS, TOLD, clock, duration
from monitor_record import RecordError

PAGE = Path(__file__).with_name("monitor_report.html")
MOST_NOTES = 300
OTHERS = "other owners"


def _owners(recording: Recording) -> list[tuple[str, str]]:
    """The ones that held most; what the others held together is a series, too."""
    names = sorted(recording.named("owner "), key=recording.most, reverse=True)
    shown = names if len(names) <= MOST_SERIES else names[: MOST_SERIES - 1]
    series = [(name.removeprefix("owner "), name) for name in shown]
    rest = [recording.columns[name] for name in names[len(shown) :]]
    if rest:
        total = [sum(x for x in row if x == x) for row in zip(*rest, strict=True)]
        recording.columns[OTHERS] = type(rest[0])("d", total)
        series.append((f"{len(rest)} {OTHERS}", OTHERS))
    return series


def charts(recording: Recording) -> list[Chart]:
    pools = [(name.removeprefix("pool "), name) for name in recording.named("pool ")]
    heaps = [(name.removeprefix("heap "), name) for name in recording.named("heap ")]
    return [
        Chart(
            "Utilization",
            "%",
            [("all pools", "utilization"), *pools[: MOST_SERIES - 1]],
            "Blocks in use. Shaded: level LOW, and darker CRITICAL. Numbers: see What happened.",
            top=100,
        ),
        Chart("Waste", "bytes", [("waste", "waste")], "In use beyond what was asked for."),
        Chart("Owners", "bytes", _owners(recording), "What each holds."),
        Chart(
            "Event rates",
            "events/s",
            [(name, f"rate {name}") for name in ("published", "delivered", "dropped")],
        ),
        Chart("Block rates", "blocks/s", [("taken", "rate allocs"), ("given back", "rate frees")]),
        Chart(
            "Latency of events",
            "us",
            [("longest", "latency longest"), ("mean", "latency mean")],
            "From publish to delivery, since the statistics were reset.",
        ),
        Chart(
            "GC heap",
            "bytes",
            [("used", "GC used"), ("largest free run", "GC largest free run")],
        ),
        Chart("Heaps, free", "bytes", heaps[:MOST_SERIES], "IDF's heaps by capability."),
    ]


def _tile(name: str, value: str, kind: str = "") -> str:
    return f'<div class="tile {kind}"><b>{html.escape(value)}</b>{html.escape(name)}</div>'


def _tiles(recording: Recording) -> str:
    last = recording.last
    assert last is not None
    failures = int(recording.most("failures"))
    worst = int(recording.most("level"))
    tiles = [
        _tile("board", last.board or "-"),
        _tile("recorded", duration(recording.end - recording.begin)),
        _tile("samples", str(len(recording.times))),
        _tile("up at the end", duration(last.uptime_s)),
        _tile("highest utilization", f"{recording.most('utilization'):.0f} %"),
        _tile("worst level", LEVELS[worst], ("", "low", "critical")[worst]),
        _tile("failed allocations", str(failures), "critical" if failures else ""),
        _tile("restarts", str(recording.restarts), "low" if recording.restarts else ""),
    ]
    if recording.garbage:
        tiles.append(_tile("pieces of garbage", str(recording.garbage), "low"))
    suspects = sorted({x.text for x in recording.notes if x.kind == "suspect"})
    tiles += [_tile("", text, "critical") for text in suspects]
    return "".join(tiles)


def _table(head: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return "<p>none</p>"
    parts = ["<table><thead><tr>", *(f"<th>{html.escape(x)}</th>" for x in head), "</tr></thead>"]
    for row in rows:
        parts += ["<tr>", *(f"<td>{html.escape(x)}</td>" for x in row), "</tr>"]
    return "".join([*parts, "</table>"])


def _notes(recording: Recording, numbers: dict[int, int]) -> str:
    rows = [
        [str(numbers[index]), clock(note.at), note.kind, note.text]
        for index, note in enumerate(recording.notes)
        if index in numbers
    ]
    left = len(recording.notes) - len(rows)
    more = f"<p>{left} more are in the recording.</p>" if left else ""
    return _table(["", "time", "", ""], rows) + more


def _last(recording: Recording) -> str:
    last = recording.last
    assert last is not None
    pools = [
        [name, *(str(p[x]) for x in ("block_size", "count", "used", "peak", "allocs", "failures"))]
        for name, p in last.pools.items()
    ]
    owners = [
        [
            name,
            *(str(o[x]) for x in ("used", "peak", "quota", "denied")),
            "suspected leak" if name in last.suspects else "",
        ]
        for name, o in sorted(last.owners.items(), key=lambda item: -item[1]["used"])
    ]
    return (
        "<h3>Pools, in blocks</h3>"
        + _table(["pool", "bytes a block", "blocks", "used", "peak", "taken", "failed"], pools)
        + "<h3>Owners, in bytes</h3>"
        + _table(["owner", "used", "peak", "quota", "denied", ""], owners)
    )


def _numbered(recording: Recording) -> dict[int, int]:
    """Which notes the page shows, by index: what is marked in the plots comes first."""
    order = sorted(
        range(len(recording.notes)), key=lambda i: (recording.notes[i].kind not in TOLD, i)
    )
    return {index: at + 1 for at, index in enumerate(sorted(order[:MOST_NOTES]))}


def page(recording: Recording) -> str:
    numbers = _numbered(recording)
    day = time.strftime("%Y-%m-%d", time.localtime(recording.begin))
    what = (
        f"{day} {clock(recording.begin)} to {clock(recording.end)}, {', '.join(recording.ports)}"
    )
    parts = {
        "WHAT": html.escape(what),
        "TILES": _tiles(recording),
        "CHARTS": "".join(draw(chart, recording, numbers) for chart in charts(recording)),
        "NOTES": _notes(recording, numbers),
        "LAST": _last(recording),
        "MARGINS": json.dumps(MARGINS),
    }
    # In one pass: what a device calls itself must not be taken for a place of the page's.
    pieces = PAGE.read_text(encoding="utf-8").split("@@")
    return "".join(parts[x] if index % 2 else x for index, x in enumerate(pieces))


def check(record: str, output: str) -> None:
    """Raises where no page could be written there, before anyone waits for it."""
    file = Path(output)
    if record and file.resolve() == Path(record).resolve():
        raise RecordError(f"REPORT={output} is the recording itself: choose another name")
    if file.exists() and not file.is_file():
        raise RecordError(f"cannot write {output}: it is there and is no file")
    try:
        tempfile.TemporaryFile(dir=file.resolve().parent).close()
    except OSError as error:
        raise RecordError(f"cannot write {output}: {error.strerror}") from None


def write(record: str, output: str, complain: Callable[[str], None]) -> str:
    """-> what is in it, in a few words."""
    recording = load(record, complain)
    text = page(recording)
    try:
        whole_file.write(Path(output), text)
    except OSError as error:
        raise RecordError(f"cannot write {output}: {error.strerror}") from None
    span = duration(recording.end - recording.begin)
    return f"{len(recording.times)} samples, {span}, {len(text) // 1024} KB; open it in a browser"
