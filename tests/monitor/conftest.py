"""Devices that are not there, for the live view's tests; each ends with its test."""

import queue

import devices
import pytest
from monitor_model import Sample
from monitor_open import open_source
from waiting import PATIENCE_S, wait_for


@pytest.fixture
def memory():
    return devices.Memory()


@pytest.fixture
def responder(memory):
    one = devices.Responder(memory)
    yield one
    one.close()


@pytest.fixture
def board(tmp_path, memory):
    """board(kind) -> a board at a pseudo terminal."""
    made = []

    def make(kind="repl", **options):
        made.append(devices.Board(tmp_path, memory, kind, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


class Watch:
    """A source's events, as they are waited for."""

    def __init__(self, source):
        self.source = source
        self.samples = []
        self.notes = []

    def look(self, seconds=0.1):
        """What comes within the time, one event at most."""
        try:
            event = self.source.events.get(timeout=seconds)
        except queue.Empty:
            return
        (self.samples if isinstance(event, Sample) else self.notes).append(event)

    def until(self, condition):
        def met():
            return condition() or self.look()

        wait_for(met, shown=lambda: f"{self.texts()}, {len(self.samples)} samples")

    def more(self, count=2):
        """That many samples more."""
        wanted = len(self.samples) + count
        self.until(lambda: len(self.samples) >= wanted)

    def told(self, text):
        """Waits for a note that has the text in it."""
        self.until(lambda: any(text in note.text for note in self.notes))
        return next(note for note in self.notes if text in note.text)

    def texts(self):
        return [note.text for note in self.notes]


@pytest.fixture
def watch():
    """watch(port, period_ms) -> the events of a started source."""
    made = []

    def make(port, period_ms=100):
        source = open_source(port, period_ms)
        made.append(source)
        source.start()
        return Watch(source)

    yield make
    for one in made:
        one.stop()
        one._thread.join(PATIENCE_S)
        assert not one._thread.is_alive()
