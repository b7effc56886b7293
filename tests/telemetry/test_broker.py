"""Telemetry with a real broker that is there: states, edges, answers, floods, garbage."""

from __future__ import annotations

import json
import time

import pytest
from broker import Watcher, topic
from waiting import wait_for

COMMAND = topic(kind="command")
AVAILABILITY = topic(kind="availability")


def test_states_come_once_each_and_in_order(broker, watcher, device):
    room = device(broker.port, period_s=0.05)
    wait_for(lambda: len(watcher.numbers()) >= 20)
    room.ask("close")
    stats = room.ask()
    watcher.settled()
    assert watcher.numbers() == list(range(1, stats["sent"] + 1))
    assert stats["reconnects"] == stats["errors"] == stats["dropped"] == stats["used"] == 0
    state = watcher.payloads("/state")[-1]
    assert state["capacity"] == 20480 and state["late_s"] == 0 and state["suspects"] == []
    sizes = [len(payload) for name, payload, _ in watcher.got if name.endswith("/state")]
    print(f"bytes of a state: {max(sizes)}; longest tick {stats['longest_us']} us")
    assert max(sizes) < 400


def test_an_edge_is_kept_for_who_comes_late(broker, watcher, device):
    room = device(broker.port, period_s=100)
    wait_for(lambda: watcher.payloads("/state"))
    room.ask("event memory.low MEDIUM")
    room.ask("event memory.critical MEDIUM")
    wait_for(lambda: len(watcher.payloads("/alert")) == 2)
    late = Watcher(broker.port)
    wait_for(lambda: late.payloads("/alert"))
    (alert,) = [json.loads(p) for name, p, kept in late.got if name.endswith("/alert") and kept]
    late.close()
    assert (alert["level"], alert["name"], alert["what"]) == (2, "critical", "MEDIUM")
    assert alert["utilization"] == 83
    # A state belongs to the edges; it is not kept.
    wait_for(lambda: len(watcher.payloads("/state")) >= 2)
    assert not [t for t, _, kept in late.got if t.endswith("/state")]


def test_the_last_will_says_that_it_is_gone(broker, watcher, device):
    room = device(broker.port)
    wait_for(lambda: (AVAILABILITY, b"online", False) in watcher.got)
    room.kill()
    wait_for(lambda: (AVAILABILITY, b"offline", False) in watcher.got)


@pytest.mark.parametrize("request_", ["snapshot", "report", "leaks", "map", "reset_stats"])
def test_requests_are_answered(broker, watcher, device, request_):
    room = device(broker.port)
    wait_for(lambda: room.ask()["connected"])
    watcher.say(COMMAND, request_)
    wait_for(lambda: watcher.payloads("/response"))
    (answer,) = watcher.payloads("/response")
    assert request_ in answer and len(answer) <= 2, answer


def test_garbage_gets_an_answer_that_says_so(broker, watcher, device):
    room = device(broker.port)
    wait_for(lambda: room.ask()["connected"])
    bad = {
        b"": "unknown",
        b"frobnicate": "frobnicate",
        b"\xff\xfe\x00": "",
        b"x" * 400: "400 bytes",
        b"y" * 20000: "20000 bytes",
    }
    for nth, (payload, part) in enumerate(bad.items()):
        watcher.say(COMMAND, payload)
        wait_for(lambda nth=nth: len(watcher.payloads("/response")) > nth)
        answer = watcher.payloads("/response")[-1]
        assert part in answer["error"], answer
    stats = room.balanced()
    assert stats["errors"] == 0 and stats["answered"] == len(bad)


def test_a_message_beyond_all_bounds_costs_a_connection(broker, watcher, device):
    room = device(broker.port)
    wait_for(lambda: room.ask()["connected"])
    watcher.say(COMMAND, b"z" * 200_000)
    wait_for(lambda: room.ask()["reconnects"] == 1)
    stats = room.balanced()
    assert stats["errors"] == 1 and "200000 bytes" in stats["error"]
    watcher.say(COMMAND, "leaks")
    wait_for(lambda: watcher.payloads("/response"))


def test_a_flood_is_bounded_and_counted(broker, watcher, device):
    room = device(broker.port, period_s=0.05)
    wait_for(lambda: room.ask()["connected"])
    count = 3000
    for _ in range(count):
        watcher.say(COMMAND, "leaks")

    def all_taken():
        stats = room.ask()
        return stats["answered"] + stats["refused"] == count and stats

    stats = wait_for(all_taken, shown=room.ask)
    wait_for(lambda: len(watcher.payloads("/response")) == stats["answered"])
    assert stats["refused"] > 0 and stats["errors"] == 0
    print(f"flood of {count}: longest tick {stats['longest_us']} us")
    assert stats["longest_us"] < 500_000
    # The states went on.
    stats = room.balanced()
    wait_for(lambda: len(watcher.numbers()) >= stats["sent"])
    assert watcher.numbers()[: stats["sent"]] == list(range(1, stats["sent"] + 1))


def test_keep_alive_holds_a_silent_connection(broker, watcher, device):
    room = device(broker.port, period_s=100, keepalive=2)
    wait_for(lambda: room.ask()["connected"])
    time.sleep(4.5)  # mosquitto ends one after 1.5 times the keep-alive
    stats = room.balanced()
    assert stats["connected"] and stats["errors"] == 0, stats
    assert (AVAILABILITY, b"offline", False) not in watcher.got
