"""A program that answers by UDP, as memdiag.live.Responder does, and what can be wrong with it."""

import json
import socket

import devices
import pytest
from monitor_open import UDP_PORT, open_source
from monitor_source import SourceError
from ports import free_port


def test_samples_come_each_period(watch, responder, memory):
    seen = watch(responder.url, 50)
    seen.more(5)
    assert set(responder.asked) == {b"live"}
    first, last = seen.samples[0], seen.samples[-1]
    assert last.uptime_s == first.uptime_s + len(seen.samples) - 1
    assert last.map["SMALL"].count("a") == last.pools["SMALL"]["used"]
    assert last.at - first.at > 0.04 * 4  # no sooner; how late is up to the computer
    assert seen.notes == []


def test_resetting_reaches_the_device_and_is_confirmed(watch, responder, memory):
    seen = watch(responder.url, 50)
    seen.more(3)
    seen.source.reset_statistics()
    seen.told("the device has reset its statistics")
    seen.more(2)
    assert memory.resets == 1
    assert seen.samples[-1].counts["allocs"] < seen.samples[0].counts["allocs"] + 5


def test_nobody_answers_says_what_to_start_once_and_finds_it_later(watch, memory):
    port = free_port(socket.SOCK_DGRAM)
    seen = watch(f"udp://127.0.0.1:{port}", 50)
    note = seen.told("nobody answers")
    assert "make run LEAK=1" in note.text and "memdiag.Responder()" in note.text
    seen.look(1.5)
    assert len(seen.notes) == 1
    responder = devices.Responder(memory, port)
    try:
        seen.more(2)
        seen.told("answers again")
    finally:
        responder.close()


def test_a_program_that_ends_is_waited_for(watch, memory):
    port = free_port(socket.SOCK_DGRAM)
    first = devices.Responder(memory, port)
    seen = watch(f"udp://127.0.0.1:{port}", 50)
    seen.more(2)
    first.close()
    seen.told("no answer any more: the program ended, or hangs")
    memory.restart()
    second = devices.Responder(memory, port)
    try:
        seen.more(2)
        assert seen.samples[-1].uptime_s < seen.samples[0].uptime_s
    finally:
        second.close()


def test_a_program_that_hangs_is_told_from_one_that_is_not_there(watch, responder):
    seen = watch(responder.url, 50)
    seen.more(2)
    responder.answer = lambda request: None
    seen.told("no answer any more")
    responder.answer = responder.right
    seen.more(1)


@pytest.mark.parametrize(
    "reply",
    [
        b"\xff\xfe\x00garbage",
        b"",
        b"[" * 60000,
        b'{"snapshot": ',
        b"NaN",
        b"17",
        b"{}",
        b'{"snapshot": {}}',
        b'{"snapshot": {"uptime_s": 1}, "map": 3}',
    ],
)
def test_garbage_is_counted_and_the_next_answer_is_taken(watch, responder, reply):
    turn = iter(range(10**6))
    responder.answer = lambda request: reply if next(turn) % 2 == 0 else responder.right(request)
    seen = watch(responder.url, 50)
    seen.more(3)
    kinds = [note.kind for note in seen.notes]
    assert kinds.count("garbage") >= 2 and set(kinds) == {"garbage"}


def test_what_the_device_says_is_wrong_is_shown(watch, responder):
    responder.answer = lambda request: json.dumps({"error": "no GC heap for live"}).encode()
    seen = watch(responder.url, 50)
    seen.told("the device says: no GC heap for live")


@pytest.mark.parametrize(
    ("port", "message"),
    [
        ("", "say what to look at, make monitor PORT="),
        ("udp://", "is no udp://host:port"),
        ("udp://host:99999", "is no udp://host:port"),
        ("udp://host:x", "is no udp://host:port"),
        ("udp://host:0", "is no udp://host:port; a port is 1 to 65535"),
        ("udp://a..b:1", "udp://a..b:1 is no udp://host:port"),
        ("udp://a b:1", "is no udp://host:port"),
        ("socket://host", "is no socket://host:port"),
        ("ftp://host:1", "what can be looked at is"),
        ("qemu:z80", "emulated boards are qemu:cm3, qemu:rv32"),
        (__file__, f"{__file__} is no serial port; "),
        ("/", "/ is no serial port; "),
    ],
)
def test_a_port_that_can_never_work_is_refused(port, message):
    with pytest.raises(SourceError) as error:
        open_source(port, 1000)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_unix_is_the_port_of_the_environment(monkeypatch, watch, responder):
    monkeypatch.setenv("MEMPOOL_LIVE_PORT", str(responder.port))
    seen = watch("unix", 50)
    seen.more(1)
    for wrong in ("many", "0", "65536", "-1"):
        monkeypatch.setenv("MEMPOOL_LIVE_PORT", wrong)
        message = f"MEMPOOL_LIVE_PORT={wrong} is no port number, 1 to 65535"
        with pytest.raises(SourceError, match=message):
            open_source("unix", 50)
    # As memdiag.Responder has it: empty is not set.
    monkeypatch.setenv("MEMPOOL_LIVE_PORT", "")
    assert open_source("unix", 50).name == f"udp://127.0.0.1:{UDP_PORT}"


def test_a_host_that_is_not_there(watch):
    seen = watch("udp://no-such-host.invalid:1", 50)
    seen.told("no host 'no-such-host.invalid'")
