"""The table of a fleet: what is counted, stale, or garbage, and that it is bounded."""

from __future__ import annotations

import json

import pytest
from broker import topic
from fleet_devices import FAULTS, NUMBERS, Fleet
from fleet_metrics import Metrics
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def state(seq=1, uptime=10, **more):
    fields = dict.fromkeys(NUMBERS, 0) | {
        "seq": seq,
        "uptime_s": uptime,
        "capacity": 20480,
        "used": 2048,
        "period_s": 60,
        "pools": [1, 2, 3, 4, 5],
        "suspects": [],
    }
    return json.dumps(fields | more).encode()


def served(fleet):
    """{sample: value} as a scrape gets them."""
    registry = CollectorRegistry()
    registry.register(Metrics(fleet))
    lines = generate_latest(registry).decode().splitlines()
    pairs = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
    return {name: float(value) for name, value in pairs}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def fleet(clock):
    return Fleet(3, clock)


ROOM = '{device="room-1",tenant="acme"}'


def test_a_state_is_served(fleet):
    fleet.take(topic(), state(used=4096, suspects=["logger", "logger"], failures=7))
    got = served(fleet)
    assert got[f"mempool_up{ROOM}"] == 1 and got[f"mempool_used_bytes{ROOM}"] == 4096
    assert got[f"mempool_failures_total{ROOM}"] == 7
    assert got['mempool_pool_used_blocks{device="room-1",pool="XLARGE",tenant="acme"}'] == 5
    assert got['mempool_suspected_leak{device="room-1",owner="logger",tenant="acme"}'] == 1
    assert got["mempool_fleet_messages_total"] == 1 and got["mempool_fleet_devices"] == 1


def test_who_stops_reporting_is_stale_and_then_forgotten(fleet, clock):
    fleet.take(topic(), state())
    clock.now += 179
    assert served(fleet)[f"mempool_up{ROOM}"] == 1
    clock.now += 2
    got = served(fleet)
    assert got[f"mempool_up{ROOM}"] == 0 and got[f"mempool_last_state_age_seconds{ROOM}"] == 181
    assert f"mempool_used_bytes{ROOM}" not in got and f"mempool_failures_total{ROOM}" in got
    fleet.take(topic(), state(2, 200))
    assert served(fleet)[f"mempool_up{ROOM}"] == 1
    clock.now += 25 * 3600
    got = served(fleet)
    assert f"mempool_up{ROOM}" not in got and got["mempool_fleet_forgotten_total"] == 1


def test_its_last_will_says_so_at_once(fleet):
    fleet.take(topic(), state())
    fleet.take(topic(kind="availability"), b"offline")
    assert served(fleet)[f"mempool_up{ROOM}"] == 0
    fleet.take(topic(kind="availability"), b"online")
    assert served(fleet)[f"mempool_up{ROOM}"] == 1


def test_what_the_broker_kept_is_no_sign_of_life(fleet):
    alert = json.dumps({"seq": 9, "uptime_s": 5, "level": 2}).encode()
    fleet.take(topic(kind="alert"), alert, retained=True)
    fleet.take(topic(), state(), retained=True)
    got = served(fleet)
    assert got[f"mempool_up{ROOM}"] == 0 and got[f"mempool_messages_total{ROOM}"] == 0


def test_gaps_doubles_and_restarts_are_told_apart(fleet):
    for seq, uptime in ((1, 10), (2, 20), (2, 20), (6, 60)):
        fleet.take(topic(), state(seq, uptime))
    got = served(fleet)
    assert got[f"mempool_messages_lost_total{ROOM}"] == 3
    assert got[f"mempool_messages_repeated_total{ROOM}"] == 1
    fleet.take(topic(), state(1, 3))
    fleet.take(topic(kind="alert"), json.dumps({"seq": 2, "uptime_s": 4, "level": 2}).encode())
    got = served(fleet)
    assert got[f"mempool_restarts_total{ROOM}"] == 1 and got[f"mempool_uptime_seconds{ROOM}"] == 3
    assert got[f"mempool_messages_lost_total{ROOM}"] == 3
    assert got['mempool_alerts_total{device="room-1",level="critical",tenant="acme"}'] == 1


BAD = {
    b"\xff\xfe": "not_json",
    b"": "not_json",
    b"[" * 3000: "not_json",
    b"[1]": "no_object",
    b"{}": "bad_field",
    state(used=-1): "bad_field",
    state(used="1"): "bad_field",
    state(used=True): "bad_field",
    state(level=3): "bad_field",
    state(pools=[1]): "bad_field",
    state(suspects=[1]): "bad_field",
    state(used=float("nan")): "bad_field",
    b"x" * 5000: "too_long",
}


@pytest.mark.parametrize("payload", BAD, ids=range(len(BAD)))
def test_garbage_is_counted(fleet, payload):
    fleet.take(topic(), payload)
    assert fleet.garbage == {BAD[payload]: 1} and not fleet.devices
    assert served(fleet)[f'mempool_fleet_garbage_total{{fault="{BAD[payload]}"}}'] == 1


@pytest.mark.parametrize("name", ["a/b", "modesp/v1/a/b/memory/other", topic("d" * 65)])
def test_a_topic_that_is_not_ours(fleet, name):
    fleet.take(name, state())
    assert fleet.garbage["topic"] == 1 and not fleet.devices


@given(st.sampled_from(["state", "alert", "availability", "response"]), st.binary() | st.text())
def test_nothing_on_the_wire_is_fatal(kind, payload):
    fleet = Fleet(2)
    fleet.take(topic(kind=kind), payload.encode() if isinstance(payload, str) else payload)
    served(fleet)
    assert fleet.messages == 1 and set(fleet.garbage) <= set(FAULTS)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=6),
)


@given(
    st.sampled_from(["state", "alert"]),
    st.sampled_from([*NUMBERS, "pools", "suspects"]),
    json_values,
)
def test_no_field_is_fatal(kind, key, value):
    fleet = Fleet(2)
    fleet.take(topic(kind=kind), json.dumps(json.loads(state()) | {key: value}).encode())
    fleet.take(topic(kind=kind), state(5, 50))
    served(fleet)


def test_the_table_is_bounded(fleet):
    for n in range(10):
        fleet.take(topic(f"d{n}"), state(suspects=[f"owner{i}" for i in range(50)]))
    got = served(fleet)
    assert got["mempool_fleet_devices"] == 3 and got["mempool_fleet_not_taken_total"] == 7
    assert sum(name.startswith("mempool_suspected_leak") for name in got) == 3 * 8
