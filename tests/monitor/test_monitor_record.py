"""Recordings: what they hold, whatever ends the one who writes them, and what is made of a file
that is none.
"""

import json
import os
import signal
import subprocess
import sys
import time

import monitor
import pytest
from monitor_columns import load
from monitor_model import Note, Sample, parse
from monitor_record import Recorder, RecordError, Session, read
from tool import ROOT, run, start
from waiting import PATIENCE_S, PROGRAM_S


def entries(file):
    complaints = []
    found = list(read(str(file), complaints.append))
    return found, complaints


def recorded(file, memory, samples, begin=1_700_000_000.0, restart_at=None, port="fake"):
    """A recording of so many seconds."""
    with Recorder(str(file), port, 1000, begin) as recorder:
        for second in range(samples):
            if second == restart_at:
                memory.restart()
            recorder.add(parse(memory.live(), begin + second))
    return file


def test_without_a_terminal_it_prints_a_line_a_sample(responder):
    status, out, err = run("--port", responder.url, "--period", "100", "--count", "3")
    lines = out.splitlines()
    assert status == 0 and len(lines) == 3
    assert "SMALL 3/64" in lines[1] and "| NORMAL" in lines[1] and "up 102 s" in lines[1]
    assert err == ""


def test_notes_go_to_stderr(responder, memory):
    memory.steps = 60
    status, out, err = run("--port", responder.url, "--period", "100", "--count", "1")
    assert "suspected leak: telemetry" in err and "level CRITICAL: SMALL 62/64" in err
    assert "| CRITICAL | suspected leak: telemetry" in out


def test_nobody_there_gives_up_where_it_may(tmp_path):
    status, out, err = run("--port", "udp://127.0.0.1:9", "--patience", "1")
    assert status == 1 and out == ""
    assert "nobody answers" in err and "no sample for 1 s" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "monitor: say what to look at, make monitor PORT="),
        (["--port", "unix", "--period", "5"], "PERIOD=5 is out of range: 100 to 60000 ms"),
        (["--port", "unix", "--period", "1s"], "PERIOD=1s is out of range: 100 to 60000 ms"),
        (["--port", "unix", "--record", "/none/x"], "cannot write /none/x: No such file"),
        (["--record", "/none/x", "--report", "y"], "cannot read /none/x: No such file"),
        (["--record", __file__, "--report", "y"], "is no recording of make monitor RECORD="),
        (["--port", "unix", "--record", __file__], "is no recording: choose another name"),
        (["--port", "unix", "--record", "/"], "cannot write /: Is a directory"),
        # Before anyone waits for it.
        (["--port", "unix", "--report", "/none/y"], "cannot write /none/y: No such file"),
        (["--port", "unix", "--report", "/dev/null"], "/dev/null: it is there and is no file"),
        (["--port", "unix", "--report", "/"], "cannot write /: it is there and is no file"),
        (["--record", "x", "--report", "./x"], "REPORT=./x is the recording itself"),
    ],
)
def test_wrong_use_is_one_line(arguments, message):
    status, out, err = run(*arguments)
    assert status == 1 and message in err and len(err.splitlines()) == 1 and out == ""


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"garbage",
        b'{"mempool_record":1,"t":1',
        b'{"mempool_record":1,"t":1,"port":"x","period_ms":[1]}',
        b'{"mempool_record":1,"t":NaN,"port":"x","period_ms":1000}',
        b'{"mempool_record":1,"t":1,"port":"x","period_ms":1e400}',
        b'{"mempool_record":1,"t":1,"port":"x","period_ms":1000}',
    ],
)
def test_a_recording_of_nothing_or_of_garbage_is_said_and_makes_no_page(tmp_path, line):
    record, page = tmp_path / "r.jsonl", tmp_path / "o.html"
    record.write_bytes(line)
    status, out, err = run("--record", record, "--report", page)
    assert status == 1 and out == "" and 1 <= len(err.splitlines()) <= 2
    assert "is no recording of make monitor RECORD=" in err or "nothing to draw" in err
    assert list(tmp_path.iterdir()) == [record]


@pytest.mark.parametrize("moment", ["1e300", "NaN", "-1", "true", "1" + "0" * 400])
def test_a_sample_of_no_time_is_left_out(memory, tmp_path, moment):
    record, page = recorded(tmp_path / "r.jsonl", memory, 2), tmp_path / "o.html"
    with record.open("a") as lines:
        lines.write(f'{{"t":{moment},"live":{json.dumps(memory.live())}}}\n')
    status, out, err = run("--record", record, "--report", page)
    assert status == 0 and "2 samples" in out and err.endswith("are left out: 4\n")


def test_a_view_without_a_sample_makes_no_page(tmp_path):
    page = tmp_path / "o.html"
    status, out, err = run("--port", "udp://127.0.0.1:9", "--patience", "1", "--report", page)
    assert status == 1 and out == "" and not page.exists()
    assert err.endswith(f"monitor: no sample came: {page} is not written\n")


def test_ctrl_c_while_a_page_is_made_is_a_line_and_leaves_none(
    memory, tmp_path, monkeypatch, capsys
):
    record, page = recorded(tmp_path / "r.jsonl", memory, 2), tmp_path / "o.html"

    def interrupted(*arguments):
        assert len(list(tmp_path.iterdir())) == 2  # the new page is on its way
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupted)
    status = monitor.main(["--record", str(record), "--report", str(page)])
    assert status == 130 and capsys.readouterr().err == "monitor: stopped before its end\n"
    assert list(tmp_path.iterdir()) == [record]


def test_an_old_firmware_ends_it_with_a_line(board):
    status, out, err = run("--port", board("old").name)
    assert status == 1 and "its firmware has no memdiag" in err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_it_the_recording_is_whole(responder, tmp_path, how):
    file = tmp_path / "r.jsonl"
    with start("--port", responder.url, "--period", "100", "--record", file) as process:
        lines = [process.stdout.readline() for _ in range(5)]
        process.send_signal(how)
        rest, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == (-9 if how == signal.SIGKILL else 0), err
    assert "Traceback" not in err
    found, complaints = entries(file)
    assert complaints == []
    assert isinstance(found[0], Session)
    # Every sample that was shown is there.
    samples = [one.uptime_s for one in found if isinstance(one, Sample)]
    shown = [int(line.split("up ")[1].split()[0]) for line in [*lines, *rest.splitlines()]]
    assert samples[: len(shown)] == shown and len(shown) >= 5


def test_a_reader_that_has_had_enough_ends_it(responder, tmp_path):
    command = f"{sys.executable} tools/monitor.py --port {responder.url} --period 100 | head -2"
    done = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=PROGRAM_S
    )
    assert len(done.stdout.splitlines()) == 2
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr, done.stderr


def test_a_second_session_is_appended(responder, tmp_path):
    file = tmp_path / "r.jsonl"
    for _ in range(2):
        arguments = ["--period", "100", "--count", "2", "--record", file]
        assert run("--port", responder.url, *arguments)[0] == 0
    found, _ = entries(file)
    assert [type(one) for one in found] == [Session, Sample, Sample] * 2


def test_a_line_that_a_power_cut_halved_does_not_swallow_the_next(memory, tmp_path):
    file = recorded(tmp_path / "r.jsonl", memory, 3)
    os.truncate(file, file.stat().st_size - 100)
    recorded(file, memory, 2)
    found, complaints = entries(file)
    assert [type(one) for one in found] == [Session, Sample, Sample, Session, Sample, Sample]
    assert complaints == [f"{file}: 1 lines could not be read and are left out: 4"]


def test_what_is_no_entry_is_counted_and_named(memory, tmp_path):
    file = recorded(tmp_path / "r.jsonl", memory, 2)
    with file.open("ab") as lines:
        lines.write(b"\xff\xfe\n[]\n{}\n" + b"[" * 100_000 + b'\n{"t": "x"}\n\n')
    found, complaints = entries(file)
    assert len(found) == 3
    assert complaints == [f"{file}: 5 lines could not be read and are left out: 4, 5, 6, 7, 8"]


def test_notes_are_recorded_as_they_were(tmp_path):
    file = tmp_path / "r.jsonl"
    with Recorder(str(file), "p", 1000, 5.0) as recorder:
        recorder.add(Note(6.0, "trouble", 'it said "\n"'))
    assert entries(file)[0] == [Session(5.0, "p", 1000), Note(6.0, "trouble", 'it said "\ufffd"')]


def test_a_format_of_another_version_is_refused(tmp_path):
    file = tmp_path / "r.jsonl"
    file.write_text('{"mempool_record":2,"t":1,"port":"x","period_ms":1000}\n')
    with pytest.raises(RecordError, match="format 2; this reads 1"):
        entries(file)


def test_no_peak_is_lost_however_long_the_recording(memory, tmp_path):
    file = tmp_path / "r.jsonl"
    memory.leak = False
    with Recorder(str(file), "fake", 1000, 0.0) as recorder:
        for second in range(5000):
            record = memory.live()
            if second == 3333:
                record["snapshot"]["used"] = record["snapshot"]["capacity"]
            recorder.add(parse(record, 1000.0 + second))
    recording = load(str(file), print)
    (run,) = recording.slices("utilization")
    assert len(run) == 600
    peaks = [one for one in run if one.most == 100]
    assert len(peaks) == 1 and abs(peaks[0].at - (1000 + 3333)) < 9 and peaks[0].least < 5


def test_lines_are_broken_where_nothing_was_seen(memory, tmp_path):
    file = recorded(tmp_path / "r.jsonl", memory, 20, restart_at=10)
    recorded(file, memory, 10, begin=1_700_000_100.0)
    recording = load(str(file), print)
    assert [len(run) for run in recording.slices("utilization")] == [10, 10, 10]
    assert recording.restarts == 1
    assert [note.kind for note in recording.notes].count("reset") == 1


def test_an_owner_that_comes_late_or_goes_has_no_number_else(memory, tmp_path):
    file = tmp_path / "r.jsonl"
    with Recorder(str(file), "fake", 1000, 0.0) as recorder:
        for second in range(9):
            record = memory.live()
            if 3 <= second < 6:
                record["snapshot"]["owners"]["guest"] = {"used": 7}
            recorder.add(parse(record, 1000.0 + second))
    recording = load(str(file), print)
    assert [len(run) for run in recording.slices("owner guest")] == [3]
    assert {len(column) for column in recording.columns.values()} == {9}


def test_levels_are_spans_of_time(memory, tmp_path):
    recording = load(str(recorded(tmp_path / "r.jsonl", memory, 80)), print)
    low, critical = recording.spans(1), recording.spans(2)
    assert len(low) == len(critical) == 1
    assert low[0][1] == critical[0][0] and critical[0][1] == recording.end


def test_reading_a_day_at_one_a_second_takes_seconds(memory, tmp_path):
    file = tmp_path / "r.jsonl"
    one = json.dumps({"t": 0, "live": memory.live()})
    with Recorder(str(file), "fake", 1000, 0.0):
        pass
    with file.open("a") as lines:
        for second in range(86_400 // 8):
            lines.write(one.replace('"t": 0', f'"t": {second}', 1) + "\n")
    begin = time.process_time()
    recording = load(str(file), print)
    assert len(recording.times) == 86_400 // 8
    assert time.process_time() - begin < 30
