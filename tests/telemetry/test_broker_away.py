"""Telemetry with a broker that is absent, refusing, silent, dying in mid-message, or coming back:
the loop goes on, and every record comes once it is there, in order, or is counted as dropped."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time

import pytest
from broker import Broker, Watcher
from waiting import wait_for

# Steps are measured by the device's own time (device/owntime.py), whatever else the computer does.
LONGEST_PAUSE_MS = 150
# What a step may wait for an answer of a broker that took the connection (timeout_s).
TIMEOUT_MS = 1000


def records(watcher):
    """Numbers in the order in which they came first, and how often one came again."""
    numbers = watcher.numbers()
    first = list(dict.fromkeys(numbers))
    return first, len(numbers) - len(first)


def all_came(room, watcher, doubles=0):
    """Waits until nothing waits; then: what came is what was sent, in order, the rest dropped."""
    room.ask("period 1000")
    wait_for(lambda: room.ask()["queued"] == 0, shown=room.ask)
    room.ask("close")
    stats = room.balanced()
    watcher.settled()
    assert len(records(watcher)[0]) == stats["sent"], (records(watcher), stats)
    numbers, again = records(watcher)
    assert numbers == sorted(numbers) and again <= doubles, (numbers, again)
    assert numbers[-1] == stats["made"] or stats["dropped"]
    assert stats["made"] - len(numbers) == stats["dropped"]
    assert stats["used"] == 0
    return stats


def test_absent_and_then_there(tmp_path, device):
    broker = Broker(tmp_path)
    room = device(broker.port, period_s=0.2)
    wait_for(lambda: (told := room.ask())["queued"] >= 10 and told["errors"] >= 1, shown=room.ask)
    room.ask("period 1000")  # what it has made is all that waits, however long the broker takes
    stats = room.balanced()
    assert stats["sent"] == 0 and not stats["connected"]
    assert 10 <= stats["queued"] == stats["made"]
    print(f"broker absent: longest tick {stats['longest_us']} us in {stats['ticks']} ticks")
    assert stats["longest_us"] < LONGEST_PAUSE_MS * 1000
    broker.start()
    watcher = Watcher(broker.port)
    try:
        stats = all_came(room, watcher)
        assert stats["dropped"] == 0 and stats["reconnects"] == 0
        assert watcher.payloads("/state")[0]["late_s"] >= 1
    finally:
        watcher.close()
        broker.kill()


def test_refusing_and_then_not(tmp_path, device):
    broker = Broker(tmp_path)
    broker.start(anonymous=False)
    room = device(broker.port, period_s=0.2)
    wait_for(lambda: room.ask()["errors"] >= 2)
    stats = room.balanced()
    assert "Refused" in stats["error"] and stats["sent"] == 0
    assert stats["longest_us"] < LONGEST_PAUSE_MS * 1000
    broker.kill()
    broker.start()
    watcher = Watcher(broker.port)
    try:
        all_came(room, watcher)
    finally:
        watcher.close()
        broker.kill()


def test_nobody_answers_at_all(device):
    """A host that drops what it gets: a connection that never comes about."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        room = device(port, period_s=0.2)
        wait_for(lambda: room.ask()["ticks"] > 1000, shown=room.ask)
        stats = room.balanced()
        for filler in fillers:
            filler.close()
    print(f"packets dropped: longest tick {stats['longest_us']} us in {stats['ticks']} ticks")
    assert stats["sent"] == 0 and not stats["connected"]
    assert stats["longest_us"] < LONGEST_PAUSE_MS * 1000


def test_takes_the_connection_and_is_silent(device):
    """The one wait that a blocking client has: bounded by timeout_s, rarer from time to time."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        begin = time.monotonic()
        room = device(server.getsockname()[1], period_s=0.2)
        wait_for(lambda: room.ask()["errors"] >= 3, shown=room.ask)
        seconds = time.monotonic() - begin
        stats = room.balanced()
    print(f"silent: longest tick {stats['longest_us']} us, 3 attempts in {seconds:.1f} s")
    # Three timeouts of 1 s, and pauses of 1 and 2 s at least between them; a busy computer adds.
    assert seconds >= 6 and stats["sent"] == 0
    assert stats["longest_us"] < (TIMEOUT_MS + LONGEST_PAUSE_MS) * 1000


@pytest.mark.parametrize("limit", [1, 40, 150, 400, 411, 640, 1500, 2600])
def test_dies_in_mid_message(broker, watcher, wire, device, limit):
    """Cut after so many bytes: in CONNECT, in SUBSCRIBE, in the discovery, in a state."""
    wire.limit = limit
    room = device(wire.port, period_s=0.2, quota=4096)
    wait_for(lambda: room.ask()["errors"] >= 1)
    wait_for(lambda: room.ask()["sent"] >= 3)
    stats = all_came(room, watcher, doubles=1)
    assert stats["dropped"] == 0 and stats["longest_us"] < (TIMEOUT_MS + LONGEST_PAUSE_MS) * 1000


def test_goes_silent_in_mid_message(broker, watcher, wire, device):
    """The acknowledgement does not come: not counted as sent, and sent again."""
    room = device(wire.port, period_s=0.2, quota=4096)
    wait_for(lambda: room.ask()["sent"] >= 2)
    wire.deaf = True
    room.ask("period 1")
    wait_for(lambda: room.ask()["errors"] >= 2)
    wire.deaf = False
    stats = room.balanced()
    assert stats["longest_us"] < (TIMEOUT_MS + LONGEST_PAUSE_MS) * 1000, stats
    stats = all_came(room, watcher, doubles=4)
    assert records(watcher)[1] >= 1 and stats["dropped"] == 0


def test_dies_and_comes_back_many_times(broker, device, tmp_path):
    watcher = Watcher(broker.port)
    room = device(broker.port, period_s=0.05, quota=4096)
    rng = random.Random(5)
    for _ in range(4):
        wait_for(lambda: room.ask()["connected"])
        time.sleep(rng.uniform(0, 0.3))  # at any moment of its work
        broker.kill()
        wait_for(lambda: not room.ask()["connected"])
        # The watcher has to be there before the device is: mosquitto keeps nothing for it.
        room.ask("hold")
        broker.start()
        watcher.close()
        again = Watcher(broker.port)
        again.got = watcher.got + again.got
        watcher = again
        room.ask("go")
    try:
        stats = all_came(room, watcher, doubles=8)
    finally:
        watcher.close()
    print(
        f"4 deaths: {stats['sent']} records, {stats['dropped']} dropped, longest tick "
        f"{stats['longest_us']} us, {stats['reconnects']} reconnects"
    )
    assert stats["reconnects"] >= 3
    assert stats["longest_us"] < (TIMEOUT_MS + LONGEST_PAUSE_MS) * 1000


def test_overflow_is_counted_and_the_edge_stays(tmp_path, device):
    broker = Broker(tmp_path)
    room = device(broker.port, period_s=0.02, quota=512)
    wait_for(lambda: room.ask()["made"] >= 3)
    room.ask("event memory.critical TINY")
    wait_for(lambda: room.ask()["dropped"] >= 30)
    stats = room.balanced()
    assert stats["queued"] <= 8 and stats["used"] <= 512 + 64  # and a block of the bus's
    broker.start()
    watcher = Watcher(broker.port)
    try:
        wait_for(lambda: room.ask()["connected"])
        stats = all_came(room, watcher)
        assert stats["dropped"] >= 30
        (alert,) = watcher.payloads("/alert")
        assert alert["what"] == "TINY"
        assert alert["seq"] == records(watcher)[0][0]
    finally:
        watcher.close()
        broker.kill()


def test_a_port_where_something_else_listens(device):
    """Bytes that are no MQTT."""

    def talk():
        with contextlib.suppress(OSError):  # the test has ended
            while True:
                peer, _ = server.accept()
                with peer, contextlib.suppress(OSError):
                    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 3)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=talk, daemon=True).start()
        room = device(server.getsockname()[1], period_s=0.2)
        wait_for(lambda: room.ask()["errors"] >= 2, shown=room.ask)
        stats = room.balanced()
        server.shutdown(socket.SHUT_RDWR)  # ends accept()
    assert stats["sent"] == 0
    assert stats["longest_us"] < (TIMEOUT_MS + LONGEST_PAUSE_MS) * 1000
