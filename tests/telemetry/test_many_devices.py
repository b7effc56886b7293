"""1,000 devices on one broker, in a few processes of the unix firmware: each record that a device
counts as sent arrives, once, in order; and what one costs in bytes and CPU."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import time
from collections import defaultdict

import machine
from broker import HERE, Watcher
from console import die_with_parent
from fleet_devices import PATTERN
from waiting import PATIENCE_S, wait_for

DEVICES = 1000
PROCESSES = 4
LONG = os.environ.get("MEMPOOL_TESTS") == "long"
STATES = 30 if LONG else 5
PERIOD_S = 2


def start(port, first):
    return subprocess.Popen(
        [
            str(machine.binary("unix")),
            "-X",
            "heapsize=16m",
            str(HERE / "device" / "many.py"),
            *map(str, (port, first, DEVICES // PROCESSES, STATES, PERIOD_S)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(os.environ, MICROPYPATH=f"{HERE / 'device'}:.frozen"),
        text=True,
        bufsize=1,
        preexec_fn=die_with_parent,
    )


def test_a_thousand_devices(many_files, broker):
    watcher = Watcher(broker.port, PATTERN.format(tenant="+"))
    began = time.monotonic()
    each = DEVICES // PROCESSES
    fleet = [start(broker.port, nth * each) for nth in range(PROCESSES)]
    try:
        for process in fleet:
            line = process.stdout.readline()
            assert line == "ready\n", line + process.stdout.read()
        connected = time.monotonic() - began
        cpu = broker.cpu_seconds()
        for process in fleet:
            process.stdin.write("go\n")
        for number in range(DEVICES):
            watcher.say(f"modesp/v1/site-{number % 10}/device-{number}/memory/command", "leaks")
        told = [json.loads(process.stdout.readline()) for process in fleet]
        total = {key: sum(one[key] for one in told) for key in told[0]}
        assert total["sent"] == DEVICES * STATES and total["answered"] == DEVICES
        assert total["errors"] == total["dropped"] == total["used"] == 0, total
        wanted = total["sent"] + total["answered"]
        ends = ("/state", "/response")
        wait_for(lambda: sum(t.endswith(ends) for t, _, _ in list(watcher.got)) >= wanted)
        cpu = broker.cpu_seconds() - cpu
    finally:
        for process in fleet:
            process.stdin.close()
            process.wait(PATIENCE_S)
        watcher.close()
    numbers = defaultdict(list)
    for topic, payload, _ in watcher.got:
        if topic.endswith("/state"):
            numbers[topic].append(json.loads(payload)["seq"])
    assert len(numbers) == DEVICES
    assert all(came == list(range(1, STATES + 1)) for came in numbers.values())
    assert sum(topic.endswith("/response") for topic, _, _ in watcher.got) == DEVICES
    devices = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{DEVICES} devices: connected in {connected:.1f} s; {wanted} messages sent and received; "
        f"{total['bytes'] // wanted} bytes a message on the wire from the device; "
        f"broker {cpu / wanted * 1e6:.0f} us CPU a message; "
        f"devices {(devices.ru_utime + devices.ru_stime) / wanted * 1e3:.2f} ms CPU a message, "
        f"idle loops too"
    )
