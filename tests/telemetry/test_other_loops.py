"""Telemetry driven otherwise: its halves in two threads, and under asyncio."""

from __future__ import annotations

import json
import os
import socket
import subprocess

import machine
from broker import HERE
from waiting import PROGRAM_S


def run(script, *arguments):
    done = subprocess.run(
        [str(machine.binary("unix")), str(HERE / "device" / script), *map(str, arguments)],
        env=dict(os.environ, MICROPYPATH=f"{HERE / 'device'}:.frozen"),
        capture_output=True,
        text=True,
        timeout=PROGRAM_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_a_thread_waits_for_a_silent_broker_and_the_loop_does_not():
    with socket.create_server(("127.0.0.1", 0)) as server:
        told = run("apart.py", server.getsockname()[1], 41, 1)
    print(f"silent broker, pump() in a thread: longest pause of the loop {told['longest_ms']} ms")
    assert told["errors"] >= 1 and told["sent"] == 0
    # A connection attempt takes 1000. The thread may stand with a lock for a moment.
    assert told["longest_ms"] < 500
    assert told["balanced"] and told["used"] == told["check"] == 0


def test_two_threads_lose_nothing(broker, watcher):
    told = run("apart.py", broker.port, 41, 0)
    assert told["balanced"] and told["errors"] == 0 and told["sent"] == told["made"], told
    assert told["used"] == told["check"] == 0
    watcher.settled()
    numbers = [state["seq"] for state in watcher.payloads("/state")]
    assert numbers == list(range(1, told["made"] + 1))


def test_a_coroutine_for_a_client(broker, watcher):
    told = run("aio.py", broker.port, 10)
    assert told["dropped"] == told["used"] == 0 and told["made"] == told["sent"] + told["left"]
    assert told["errors"] >= 1 and told["waited"] >= 2, told
    watcher.settled()
    numbers = [state["seq"] for state in watcher.payloads("/state")]
    assert list(dict.fromkeys(numbers))[: told["sent"]] == list(range(1, told["sent"] + 1))
    assert list(watcher.payloads("/response")[0]) == ["leaks"]
