"""The live view's page in a terminal, by textual: it shows what comes from a source, and has keys
to pause, to reset the device's statistics, to save, and to quit.
"""

from __future__ import annotations

import asyncio
import json
import queue
import signal
import time
from pathlib import Path

import monitor_render as render
from monitor_model import Model, Note, Sample
from monitor_record import Recorder, RecordError
from monitor_source import Source
from rich.text import Text
from textual.app import App, ComposeResult
from textual.containers import Container, VerticalScroll
from textual.events import Resize
from textual.widgets import Footer, Static

LOOK_SECONDS = 0.1
LATE_PERIODS = 3
LOG_LINES = 8
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Side by side where the terminal is wide enough.
ROWS = (
    ("Pools", "Blocks"),
    ("Trend",),
    ("Events", "Heap"),
    ("Owners", "Alerts"),
    ("Log",),
)
TITLES = [title for row in ROWS for title in row]


class View(App[int]):
    """Looks at a source until the user leaves: its status is 0, whatever came."""

    TITLE = "mempool"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    CSS = """
    #head { height: 1; padding: 0 1; }
    .row { height: auto; layout: vertical; }
    .-wide .row { layout: horizontal; }
    .panel { border: round $primary; padding: 0 1; height: auto; width: 1fr; }
    """
    BINDINGS = [
        ("p", "pause", "Pause"),
        ("r", "reset", "Reset statistics"),
        ("s", "save", "Save"),
        ("q", "leave", "Quit"),
        ("ctrl+c", "leave", "Quit"),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self, source: Source, recorder: Recorder | None = None, folder: Path | None = None
    ) -> None:
        super().__init__()
        self.source = source
        self.recorder = recorder
        self.folder = folder or Path()
        self.model = Model()  # all that came
        self.paused = False
        self.trouble = ""
        self.heard = 0.0
        # Held here: a look at the screen while it is taken down would find them no more.
        self.head = Static(id="head")
        self.panels = {title: Static(id=title.lower(), classes="panel") for title in TITLES}

    def compose(self) -> ComposeResult:
        yield self.head
        with VerticalScroll():
            for row in ROWS:
                with Container(classes="row"):
                    for title in row:
                        self.panels[title].border_title = title
                        yield self.panels[title]
        yield Footer()

    def on_mount(self) -> None:
        # The terminal is given back as it was, and what is made at the end is made.
        for number in ENDS:
            asyncio.get_running_loop().add_signal_handler(number, self.exit, 0)
        self.source.start()
        self.set_interval(LOOK_SECONDS, self.look)
        self.draw()

    def on_unmount(self) -> None:
        for number in ENDS:
            asyncio.get_running_loop().remove_signal_handler(number)
        self.source.stop()
        self._take_all()

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self.draw)

    def look(self) -> None:
        """What came since the last look."""
        if self._take_all() and not self.paused:
            self.draw()
        else:
            self.draw_head()

    def _take_all(self) -> bool:
        came = False
        while True:
            try:
                event = self.source.events.get_nowait()
            except queue.Empty:
                return came
            came = True
            if isinstance(event, Sample):
                self.heard = time.monotonic()
                self.trouble = ""
                self.record(event)
                for note in self.model.take(event):
                    self.record(note)
            else:
                self.tell(event)

    def tell(self, note: Note) -> None:
        if note.kind in ("trouble", "fatal"):
            self.trouble = note.text
        self.model.note(note)
        self.record(note)

    def say(self, text: str, kind: str = "info") -> None:
        """Of the view's own: shown at once, even while it is paused."""
        self.tell(Note(time.time(), kind, text))
        self.draw_log()

    def record(self, entry: Sample | Note) -> None:
        if self.recorder is None:
            return
        try:
            self.recorder.add(entry)
        except RecordError as error:
            self.recorder = None
            self.tell(Note(time.time(), "trouble", f"{error}: it records no more"))

    @property
    def state(self) -> str:
        """What the head says beside the figures."""
        if self.paused:
            return " paused: p goes on "
        if self.trouble:
            return f" {self.trouble} "
        late = time.monotonic() - self.heard
        if self.heard and late > max(2.0, LATE_PERIODS * self.source.period):
            return f" last sample {late:.0f} s ago "
        return ""

    def draw(self) -> None:
        for title, section in render.SECTIONS:
            panel = self.panels[title]
            panel.update(section(self.model, panel.content_size.width or 60))
        self.draw_log()
        self.draw_head()

    def draw_head(self) -> None:
        self.head.update(render.head(self.model, self.source.name, self.state))

    def draw_log(self) -> None:
        notes = list(self.model.notes)[-LOG_LINES:]
        text = Text("\n").join(render.log_line(note) for note in notes)
        self.panels["Log"].update(text)

    def action_pause(self) -> None:
        self.paused = not self.paused
        self.say("paused; what comes is still recorded" if self.paused else "goes on")
        self.draw_head()
        if not self.paused:
            self.draw()

    def action_reset(self) -> None:
        self.source.reset_statistics()

    def action_save(self) -> None:
        """The snapshot and the page's text, of the same moment."""
        stem = self.folder / time.strftime("mempool-%Y%m%d-%H%M%S")
        sample = self.model.sample
        width = max(60, self.size.width)
        try:
            text = render.page(self.model, self.source.name, self.state, width)
            stem.with_suffix(".txt").write_text(text)
            if sample is None:
                self.say(f"saved {stem}.txt; no sample has come yet")
                return
            stem.with_suffix(".json").write_text(json.dumps(sample.raw, indent=1) + "\n")
        except OSError as error:
            self.say(f"cannot save {stem}: {error.strerror}", "trouble")
            return
        self.say(f"saved {stem}.json and {stem}.txt")

    async def action_leave(self) -> None:
        self.exit(0)
