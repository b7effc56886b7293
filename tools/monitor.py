"""The live view of a device's memory: `make monitor PORT=`. At a terminal a page, which
monitor_view.py draws; else, or with --plain, a line a sample.

    monitor.py --port unix
    monitor.py --port qemu:rv32 --record week.jsonl --report week.html
    monitor.py --record week.jsonl --report week.html      # of what was recorded: no device
"""

from __future__ import annotations

import argparse
import queue
import signal
import sys
import tempfile
import time
from pathlib import Path

import monitor_render as render
from monitor_columns import NoSample
from monitor_model import Model, Note, Sample
from monitor_open import open_source
from monitor_record import Recorder, RecordError
from monitor_report import check, write
from monitor_source import Source, SourceError

PERIODS = (100, 60_000)
FAILED = 1
STOPPED = 130  # by Ctrl-C, as a shell counts it


def _say(text: str) -> None:
    print(f"monitor: {text}", file=sys.stderr, flush=True)


class Plain:
    """Samples to stdout, a line each; what happens to stderr."""

    def __init__(self, source: Source, recorder: Recorder | None) -> None:
        self.source = source
        self.recorder = recorder
        self.model = Model()

    def _tell(self, note: Note) -> None:
        _say(render.log_line(note).plain)
        if self.recorder:
            self.recorder.add(note)

    def run(self, count: int | None, patience: float | None) -> int:
        """Until `count` samples have come (None: for ever), or none came for `patience` s."""
        heard = time.monotonic()
        self.source.start()
        try:
            while count is None or self.model.samples < count:
                try:
                    event = self.source.events.get(timeout=0.2)
                except queue.Empty:
                    if patience is not None and time.monotonic() - heard > patience:
                        _say(f"no sample for {patience:g} s")
                        return FAILED
                    continue
                if isinstance(event, Note):
                    self.model.note(event)
                    self._tell(event)
                    if event.kind == "fatal":
                        return FAILED
                    continue
                heard = time.monotonic()
                self._sample(event)
        finally:
            self.source.stop()
        return 0

    def _sample(self, sample: Sample) -> None:
        if self.recorder:
            self.recorder.add(sample)
        for note in self.model.take(sample):
            self._tell(note)
        print(render.line(self.model, sample), flush=True)


def _live(arguments: argparse.Namespace, recorder: Recorder | None, source: Source) -> int:
    plain = arguments.plain or not (sys.stdin.isatty() and sys.stdout.isatty())
    if plain:
        return Plain(source, recorder).run(arguments.count, arguments.patience)
    from monitor_view import View  # textual takes a while

    return View(source, recorder, Path(arguments.folder)).run() or 0


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def watch(arguments: argparse.Namespace, record: str) -> int:
    """A live session; whatever ends it, what was recorded is on the disk."""
    source = open_source(arguments.port, arguments.period)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    recorder = Recorder(record, source.name, arguments.period, time.time()) if record else None
    try:
        return _live(arguments, recorder, source)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        # Who read the lines has had enough, as `head` has.
        sys.stdout = None
        return 0
    finally:
        if recorder:
            recorder.close()


def report(record: str, output: str) -> int:
    figures = write(record, output, complain=_say)
    print(f"monitor: {output}: {figures}")
    return 0


def _period(text: str) -> int:
    """A line, where argparse would show a page."""
    if not text.isdecimal() or not PERIODS[0] <= int(text) <= PERIODS[1]:
        raise SourceError(f"PERIOD={text} is out of range: {PERIODS[0]} to {PERIODS[1]} ms")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    if arguments.report:
        check(arguments.record, arguments.report)
        if arguments.record and not arguments.port:
            return report(arguments.record, arguments.report)
    with tempfile.TemporaryDirectory() as folder:
        # A report is made of a recording, be it one that nobody asked for.
        record = arguments.record or (f"{folder}/live.jsonl" if arguments.report else "")
        status = watch(arguments, record)
        if arguments.report:
            try:
                status = report(record, arguments.report) or status
            except NoSample:
                _say(f"no sample came: {arguments.report} is not written")
                status = FAILED
    return status


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", default="", help="what to look at")
    parser.add_argument("--period", default="1000", metavar="MS", help="between samples")
    parser.add_argument("--record", default="", metavar="FILE", help="JSON lines, appended")
    parser.add_argument("--report", default="", metavar="OUT.html", help="plots, at the end")
    parser.add_argument("--plain", action="store_true", help="a line a sample, no page")
    parser.add_argument("--count", type=int, help="plain: end after so many samples")
    parser.add_argument(
        "--patience", type=float, help="plain: give up after so many s without one"
    )
    parser.add_argument("--folder", default=".", help="where the key s saves")
    try:
        arguments = parser.parse_args(argv)
        arguments.period = _period(arguments.period)
        return run(arguments)
    except (SourceError, RecordError) as error:
        _say(str(error))
        return FAILED
    except KeyboardInterrupt:
        _say("stopped before its end")
        return STOPPED


if __name__ == "__main__":
    sys.exit(main())
