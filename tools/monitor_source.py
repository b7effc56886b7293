"""Where samples come from: a thread that asks or listens. Whatever goes wrong there becomes a Note
of one line; the thread goes on, and finds the device again when it is back. monitor_open.py makes
the one that a PORT= names.

    source = open_source("/dev/ttyUSB0", period_ms=1000)
    source.start()
    source.events.get()         # a Sample or a Note
    source.reset_statistics()
    source.stop()
"""

from __future__ import annotations

import queue
import threading
import time

from monitor_model import BadSample, Note, Sample, parse

AGAIN_SECONDS = 1.0  # from a failure to the next attempt


class SourceError(Exception):
    """A PORT that can never work: one line."""


class Source:
    def __init__(self, name: str, period_ms: int) -> None:
        self.name = name
        self.period = period_ms / 1000
        self.events: queue.Queue[Sample | Note] = queue.Queue()
        self.stopping = threading.Event()
        self._reset = threading.Event()
        self._trouble = ""
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def reset_statistics(self) -> None:
        self._reset.set()

    def _main(self) -> None:
        raise NotImplementedError

    def _note(self, kind: str, text: str) -> None:
        self.events.put(Note(time.time(), kind, text))

    def _in_trouble(self, text: str, kind: str = "trouble") -> None:
        """Said once, however often it is met until something works."""
        if text != self._trouble:
            self._trouble = text
            self._note(kind, text)

    def _record(self, value: object) -> bool:
        """Whether the record was a sample."""
        try:
            sample = parse(value, time.time())
        except BadSample as error:
            self._note("garbage", str(error))
            return False
        if self._trouble:
            self._trouble = ""
            self._note("info", f"{self.name}: answers again")
        self.events.put(sample)
        return True
