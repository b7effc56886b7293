"""The demo as a user runs it: a day, its report, and that it fails where it must."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path

import machine
import pytest
from ports import free_port
from waiting import PATIENCE_S, PROGRAM_S

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "cold_room.py"
DAY_SECONDS = 60  # of a processor's time: "well under a minute"
QUEUE = 32  # CONFIG_MEMORY_POOL_EVENT_QUEUE

REPORT = [
    "=== Memory Pool Diagnostics Report ===",
    "Uptime:",
    "Overall Utilization:",
    "Total Capacity:",
    "Currently Allocated:",
    "Peak Allocated:",
    "Fragmentation Index:",
    "Largest Free Block:",
    "--- Pool Statistics ---",
    "TINY Pool:",
    "XLARGE Pool:",
    "--- Owners ---",
    "GC heap:",
    "--- Alert ---",
    "--- Plant ---",
    "--- Event bus ---",
    "--- Subscriptions ---",
    "--- Proof ---",
]

# The real traffic: events a second that a subscription gets, least and most. state.* are five
# actuators twice a second, and the door.
RATES = {
    "sensor.reading": (2.0, 2.2),
    "sensor.temperature.updated": (0.9, 1.0),
    "state.*": (10.0, 10.1),
    "system.module_health": (0.2, 0.2),
    "haccp.record": (1.0, 1.0),
}


def live(target: str, arguments: str, timeout: float = PROGRAM_S) -> tuple[int, str]:
    code = f"import sys, cold_room; sys.exit(cold_room.main({arguments}))"
    with machine.Machine(target) as one:
        status, output = one.run(code.encode(), name="demo", timeout=timeout)
        assert not one.traceback, one.traceback
    return status, output.decode().replace("\r\n", "\n")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(machine.binary("unix")), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PROGRAM_S, check=False)


def processor_seconds() -> float:
    """That the programs which have ended took; what others take meanwhile does not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Lived(str):
    """What a day printed, and what it took."""

    seconds: float


@pytest.fixture(scope="module")
def day() -> Lived:
    begin = processor_seconds()
    status, output = live("unix", "24")
    assert status == 0, output
    lived = Lived(output)
    lived.seconds = processor_seconds() - begin
    return lived


def test_report_has_the_layout_users_know(day):
    at = 0
    for line in REPORT:
        found = day.find("\n" + line, at)
        assert found >= 0, f"{line} is missing or out of order"
        at = found


def test_every_proof_holds(day):
    proofs = day.split("--- Proof ---\n")[1].splitlines()
    assert len([line for line in proofs if line.startswith("ok  ")]) >= 20
    assert not [line for line in proofs if line.startswith("FAIL")]
    assert proofs[-1] == "proved"


def test_traffic_has_the_rates_of_the_product(day):
    for topic, (least, most) in RATES.items():
        rate = re.search(rf"^{re.escape(topic)} .* (\d+\.\d\d) /s", day, re.M)
        assert rate, topic
        assert least <= float(rate[1]) <= most, topic


def test_emergency_stop_overtakes_a_full_queue(day):
    stop = re.search(
        r"^Emergency stop  overtook (\d+) waiting events, delivered after \d+ us$", day, re.M
    )
    assert stop
    assert int(stop[1]) == QUEUE - 1, "one of those that waited made way"
    assert f"stop overtook a full queue: {QUEUE} waited, {QUEUE - 1} came after it" in day


# What made way is counted by priority, and again by whoever should have had it.
def test_drops_are_accounted_for(day):
    published, refused = map(
        int, re.search(r"^published +(\d+), refused (\d+)$", day, re.M).groups()
    )
    dropped = re.search(r"^dropped +CRITICAL 0, HIGH 0, NORMAL (\d+), LOW (\d+)$", day, re.M)
    assert dropped
    missed = {}
    delivered = 0
    for line in day.split("--- Subscriptions ---\n")[1].split("\nall events")[0].splitlines():
        pattern, module, got, _, _, _, missing = line.split()
        delivered += int(got)
        missed[pattern, module] = int(missing)
    normal, low = int(dropped[1]), int(dropped[2])
    assert missed["telemetry.batch", "network"] == low > 0
    assert missed["state.*", "telemetry"] == normal > 0
    assert sum(missed.values()) == normal + low
    assert refused == 0
    # One topic has two subscribers.
    doors = int(re.search(r"^state\.door +control +(\d+)", day, re.M)[1])
    assert published == delivered - doors + normal + low


# A subscriber that hears nothing any more, from the second minute on.
DEAF = """
import sys, cold_room
deliver = cold_room.deliver
make = cold_room.Day.__init__
def remember(self, *args, **options):
    global day
    day = self
    make(self, *args, **options)
def deafen():
    if day.world.now_s == 60:
        day.alarms.subscriptions[0].cancel()
    deliver()
cold_room.Day.__init__ = remember
cold_room.deliver = deafen
sys.exit(cold_room.main(1))
"""


def test_an_event_that_does_not_arrive_fails_it():
    with machine.Machine("unix") as one:
        status, output = one.run(DEAF.encode(), name="deaf", timeout=PROGRAM_S)
    assert status == 1
    fails = re.findall(r"^FAIL  (.*)\r?$", output.decode(), re.M)
    assert fails == [
        "each delivered to all its subscribers, or counted as dropped: "
        "sensor.temperature.updated to alarms"
    ], output.decode()


def test_a_day_takes_less_than_a_minute(day):
    assert re.search(r"^all .* in (\d+\.\d) s", day, re.M)
    assert 0 < day.seconds < DAY_SECONDS


def test_a_pipe_gets_lines_and_a_terminal_a_bar(day):
    assert "\r" not in day
    assert 4 <= len(re.findall(r"^\d\d:\d\d  air", day, re.M)) <= 24
    _, output = live("unix", "1, bar=True")
    bar = [line for line in output.split("\n") if "\r" in line]
    assert len(bar) == 1
    assert bar[0].count("\r[") >= 50
    assert "[##############################] 01:00" in bar[0]


def test_a_forgotten_block_fails_it_and_its_holder_is_named():
    status, output = live("unix", "1, forget=True")
    assert status == 1
    assert "FAIL  no block outstanding: 64 bytes" in output
    assert re.search(r"^held by logger: 46 bytes for \d+ ms, handle \d+$", output, re.M)
    assert output.count("FAIL") == 1


# A leak of one block a minute, and a module that takes everything: on every target that is built.
@pytest.mark.parametrize("target", machine.BOARDS)
def test_a_leak_is_named_and_the_others_go_on(target):
    if not _is_built(target):
        pytest.skip(f"{target} is not built")
    status, output = live(target, "2, leak=True")
    assert status == 0, output
    lines = output.splitlines()
    assert set(line for line in lines if line.startswith("suspected leak: ")) == {
        "suspected leak: network"
    }
    named = re.search(
        r"^ok    the leak was named before a pool was dry: (\d+) s after it began", output, re.M
    )
    assert named and int(named[1]) <= 7 * 60
    assert "FAIL" not in output
    assert re.search(r"^\d\d:\d\d  memory is low: TINY", output, re.M)
    assert re.search(r"^\d\d:\d\d  taken back from network: \d\d+ blocks$", output, re.M)


@pytest.mark.parametrize("target", machine.BOARDS)
def test_exhaustion_ends_in_the_safe_state(target, tmp_path):
    if not _is_built(target):
        pytest.skip(f"{target} is not built")
    box = tmp_path / "blackbox.bin"
    on_unix = target.startswith("unix")
    arguments = f"1, exhaust=True{f', blackbox={str(box)!r}' if on_unix else ''}"
    status, output = live(target, arguments)
    assert status == 0, output
    assert "memory is critical: XLARGE, 8 of 8 blocks in use" in output
    assert "ok    compressor, fan and heater are off, the buzzer is on: buzzer" in output
    told = output.split("--- Black box ---\n")[1]
    assert re.search(r"^state: +valid$", told, re.M)
    assert re.search(r"^why: +safe state: XLARGE CRITICAL for 6 periods$", told, re.M)
    held = re.findall(r"^held: +(\S+) +\d+ bytes$", told, re.M)
    assert held[0] == "network", "who holds most"
    if on_unix:  # the next run says so
        status, output = live(target, f"1, blackbox={str(box)!r}")
        assert status == 0
        line = "black box of the last run: safe state: XLARGE CRITICAL for 6 periods"
        assert line in output.splitlines()
        assert "black box of" not in live(target, f"1, blackbox={str(box)!r}")[1]


def test_a_suspect_that_takes_everything_gives_no_block_twice(tmp_path):
    box = str(tmp_path / "blackbox.bin")
    status, output = live("unix", f"2, leak=True, exhaust=True, blackbox={box!r}")
    assert status == 0, output
    assert "suspected leak: network" in output.splitlines()
    assert output.count("taken back from network") == 2  # once while it runs, once at the end
    assert "ok    no stale, double or foreign use" in output


# Who looks at it while it runs: every request is answered, and the suspect is seen.
def test_a_live_view_sees_the_suspect():
    code = "import sys, cold_room; sys.exit(cold_room.main(1, leak=True, speed=300, live=True))"
    port = free_port(socket.SOCK_DGRAM)
    process = subprocess.Popen(
        [str(machine.binary("unix")), "-c", code],
        env={**os.environ, "MEMPOOL_LIVE_PORT": str(port)},
        stdout=subprocess.PIPE,
    )
    schedule = Path(f"/proc/{process.pid}/schedstat")
    suspects = set()
    waited = 0.0  # for a processor
    try:
        begin = time.monotonic()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as viewer:
            viewer.settimeout(0.5)
            while process.poll() is None and time.monotonic() < begin + PROGRAM_S:
                with contextlib.suppress(OSError):  # a kernel that does not count it
                    waited = int(schedule.read_text().split()[1]) / 1e9
                viewer.sendto(b"snapshot", ("127.0.0.1", port))
                try:
                    told = json.loads(viewer.recv(65536))
                except (TimeoutError, ConnectionRefusedError):
                    continue
                suspects.update(told["snapshot"]["suspects"])
                time.sleep(0.2)
        seconds = time.monotonic() - begin
    finally:
        process.kill()
        output, _ = process.communicate()
    assert b"proved" in output, output.decode()
    assert suspects == {"network"}
    assert 11 <= seconds and seconds - waited <= 40, "an hour at 300 seconds a second takes 12"


def test_ctrl_c_is_one_line():
    code = "import sys, cold_room; sys.exit(cold_room.main(1, speed=60, bar=True))"
    process = subprocess.Popen(
        [str(machine.binary("unix")), "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        shown = b""
        while b"\r[" not in shown:  # the day has begun
            more = process.stdout.read1()
            assert more, shown.decode()
            shown += more
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    lines = rest.decode().splitlines()
    assert process.returncode == 130, rest.decode()
    assert re.fullmatch(
        r"interrupted at 00:\d\d of the day; the modules still held \d+ bytes and gave them back",
        lines[-1],
    )
    assert "Traceback" not in rest.decode()


# One forgotten object a minute, in a program that otherwise is as it should be.
SLOW_GROWTH = """
import sys, cold_room
kept = []
step = cold_room.World.step
def growing(self):
    step(self)
    if self.now_s % 60 == 0:
        kept.append(self.now_s * 1.5)
cold_room.World.step = growing
sys.exit(cold_room.main(2))
"""


def test_a_gc_heap_that_grows_fails_it():
    with machine.Machine("unix32" if _is_built("unix32") else "unix") as one:
        status, output = one.run(SLOW_GROWTH.encode(), name="growth", timeout=PROGRAM_S)
    assert status == 1
    assert re.search(r"^FAIL  GC heap no larger", output.decode(), re.M)


# Whatever is on its way when the day ends.
@pytest.mark.parametrize("hours", [1, 2, 5, 6, 7])
def test_any_number_of_hours(hours):
    status, output = live("unix", str(hours))
    assert status == 0, output


# Everything is in integers and there is one seed: the same hours are the same on every machine.
def test_every_target_lives_the_same_hours():
    def facts(target: str) -> list[str]:
        status, output = live(target, "3")
        assert status == 0, output
        text = output.split("--- Plant ---\n")[1].split("--- Proof ---\n")[0]
        lines = re.sub(r"delivered after \d+ us", "", text).splitlines()
        assert [line for line in lines if line.startswith("Emergency stop")]
        return [line for line in lines if not line.startswith("all ")]

    expected = facts("unix")
    others = [t for t in machine.BOARDS if t != "unix" and _is_built(t)]
    if not others:
        pytest.skip("no other target is built")
    for target in others:
        assert facts(target) == expected, target


def test_command_line():
    for how in ([str(SCRIPT)], ["-m", "cold_room"]):
        ended = run(*how, "--hours", "1")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert ended.stdout.endswith("proved\n")
    assert run(str(SCRIPT), "--hours", "1", "--forget").returncode == 1
    assert run(str(SCRIPT), "--hours", "1", "--leak").returncode == 0
    for wrong in (["--nonsense"], ["--hours"], ["7"]):
        ended = run(str(SCRIPT), *wrong)
        assert ended.returncode == 2
        assert ended.stdout.startswith("usage: cold_room [--hours N]")


def _is_built(target: str) -> bool:
    try:
        machine.binary(target)
    except machine.MachineError:
        return False
    return True


RELEASED = """
import time
from cold_room import Day, deliver
from eventbus import CRITICAL, bus
from refrigeration.actuators import SAFE_STATE

day = Day(1, None)
bus.pause()
day.manager.init_all()
day.actuators.site.emergency = SAFE_STATE
day.actuators.second(1)
bus.publish("actuator.emergency_stop", priority=CRITICAL, pressed_us=time.ticks_us())
deliver()
bus.publish("actuator.resume")
deliver()
on = [role for role, value in day.actuators.value.items() if value]
print(day.actuators.emergencies, day.actuators.site.emergency == SAFE_STATE, on)
day.stop()
print(sum(day.actuators.value.values()))
"""


def test_the_safe_state_outlives_the_emergency_stop():
    with machine.Machine("unix") as one:
        status, output = one.run(RELEASED, name="released.py")
    assert status == 0, output
    assert output.decode().split() == ["1", "True", "['buzzer']", "0"]
