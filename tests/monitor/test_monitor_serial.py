"""A board at a serial line: one that streams by itself, one that is asked at its raw REPL, and
whatever happens to the line between.
"""

import os
import subprocess

import pytest
from waiting import wait_for


def test_a_program_that_streams_by_itself_is_not_touched(watch, board):
    one = board("streams")
    seen = watch(one.name)
    seen.more(5)
    assert bytes(one.typed) == b""
    assert seen.texts() == [f"{one.name}: a program there streams by itself"]


def test_a_board_is_asked_at_its_raw_repl_and_it_is_said(watch, board):
    one = board("repl")
    seen = watch(one.name, 200)
    seen.more(3)
    assert len(one.programs) == 1
    assert "stream(200)" in one.programs[0]
    seen.told("runs memdiag.stream() there; it interrupts what ran")
    # It is left at its prompt.
    seen.source.stop()
    assert not one.running
    wait_for(lambda: one.typed.endswith(b"\r\x02"), shown=lambda: bytes(one.typed))


@pytest.mark.parametrize("kind", ["streams", "repl"])
def test_the_statistics_are_reset_by_a_key_to_the_stream(watch, board, memory, kind):
    one = board(kind)
    seen = watch(one.name)
    seen.more(2)
    seen.source.reset_statistics()
    seen.until(lambda: memory.resets == 1)
    seen.more(1)


def test_a_firmware_without_memdiag_is_said_and_not_asked_again(watch, board):
    one = board("old")
    seen = watch(one.name)
    note = seen.told("its firmware has no memdiag")
    assert note.kind == "fatal" and "make flash" in note.text
    seen.look(2)
    assert len(one.programs) == 1


def test_a_board_that_does_not_answer(watch, board):
    one = board("mute")
    seen = watch(one.name)
    note = seen.told("nobody answers at")
    assert "reset button" in note.text and note.kind == "trouble"


def test_a_port_that_is_not_there_yet(watch, board, tmp_path):
    seen = watch(str(tmp_path / "ttyBOARD"))
    seen.told("ttyBOARD is not there")
    board("streams")
    seen.told("is there")
    seen.more(2)


@pytest.mark.parametrize("kind", ["streams", "repl"])
def test_a_port_that_vanishes_and_comes_back(watch, board, memory, kind):
    one = board(kind)
    seen = watch(one.name)
    seen.more(2)
    one.unplug()
    seen.told("vanished: is the cable still in?")
    seen.told("is not there")
    memory.restart()
    one.running = kind == "streams"
    one.plug()
    seen.more(2)
    assert seen.samples[-1].uptime_s < seen.samples[0].uptime_s


@pytest.mark.parametrize("kind", ["streams", "repl"])
def test_a_reset_in_the_middle(watch, board, kind):
    one = board(kind)
    seen = watch(one.name)
    seen.more(2)
    before = seen.samples[-1].uptime_s
    one.reset()
    seen.until(lambda: any(sample.uptime_s < before for sample in seen.samples))
    seen.more(2)
    # The one that was asked is asked again; the one that streams is not touched.
    assert len(one.programs) == (2 if kind == "repl" else 0)


def test_garbage_between_lines_is_counted_and_nothing_is_lost(watch, board):
    one = board("streams")
    seen = watch(one.name)
    seen.more(2)
    one.say = b"\xff\x00\xfe\x80\x81\x82\r\n\x1e{]\r\n\x1e\x1ehello from the program\x07\r\n"
    seen.more(3)
    kinds = [note.kind for note in seen.notes]
    assert kinds.count("garbage") == 4
    uptimes = [sample.uptime_s for sample in seen.samples]
    assert uptimes == list(range(uptimes[0], uptimes[0] + len(uptimes)))


def test_lines_that_are_cut_are_garbage_and_the_next_whole_one_is_taken(watch, board):
    one = board("streams")
    seen = watch(one.name)
    seen.more(2)
    one.cut_lines = True
    seen.told("a line cut off after")
    one.cut_lines = False
    seen.more(2)


def test_what_the_program_prints_is_shown_without_its_controls(watch, board):
    one = board("streams")
    seen = watch(one.name)
    seen.more(1)
    one.say = b"door \x1b[31mopen\x1b[0m\r\n"
    note = seen.told("door")
    assert note.kind == "words" and note.text.isprintable()


def test_a_stream_that_ends_says_why_and_is_started_again(watch, board):
    one = board("repl")
    seen = watch(one.name)
    seen.more(2)
    one.end_program(
        b"Traceback (most recent call last):\r\nMemoryError: memory allocation failed\r\n"
    )
    seen.told("memdiag.stream() ended: MemoryError: memory allocation failed")
    seen.more(2)
    assert len(one.programs) == 2


def test_a_busy_port_names_who_holds_it(watch, board):
    one = board("streams")
    holder = os.open(one.name, os.O_RDWR | os.O_NOCTTY)
    try:
        # This very process is not looked at: another one must hold it.
        with subprocess.Popen(["sleep", "infinity"], stdin=holder) as other:
            seen = watch(one.name)
            note = seen.told("is held by sleep")
            assert "end that one" in note.text
            other.kill()
        seen.more(2)
    finally:
        os.close(holder)
