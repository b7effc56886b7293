"""The live view and mpremote's shortcuts with the real firmware: emulated boards at a pseudo
terminal and at a socket, and the unix build over UDP.
"""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time

import device_link
import machine
import mpremote_config
import pytest
from monitor_open import UDP_PORT, open_source
from monitor_record import read
from monitor_view import View
from ports import free_port
from test_monitor_view import panel, until
from tool import ENVIRONMENT, ROOT, run, start
from waiting import PATIENCE_S, PROGRAM_S

EMULATED = ("rv32", "cm3")
LEAK = "import mempool; keep = [mempool.Owner('telemetry').alloc(50) for _ in range(3)]"


@pytest.fixture
def emulator():
    made = []

    def start(target):
        made.append(device_link.Emulator(target))
        return made[-1]

    yield start
    for one in made:
        one.stop()


@pytest.fixture
def mpremote(tmp_path, monkeypatch):
    """mpremote(port, ...) as a user of the shortcuts runs it -> status, output.

    Pseudo terminals are numbered anew: what another test had at this number may hold it again.
    """
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    mpremote_config.change(remove=False)

    def connected(port, *arguments):
        command = [sys.executable, "-m", "mpremote", "connect", port, *arguments]
        begin = time.monotonic()
        while True:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PROGRAM_S)
            shown = (done.stdout + done.stderr).replace("\r", "")
            busy = shown.startswith(f"mpremote: failed to access {port}")
            if not busy or time.monotonic() - begin > PATIENCE_S:
                return done.returncode, shown
            time.sleep(0.2)

    return connected


@pytest.mark.parametrize("target", EMULATED)
def test_mpremote_shows_the_pools_of_a_board_as_they_are(emulator, mpremote, target):
    port = emulator(target).port
    assert mpremote(port, "resume", "exec", LEAK) == (0, "")
    status, shown = mpremote(port, "leaks")  # first: they are younger than a minute
    assert status == 0 and shown.endswith("0 blocks are held for longer than 60 s\n")
    status, shown = mpremote(port, "pools")
    assert status == 0 and "=== Memory Pool Diagnostics Report ===" in shown
    # What a program holds is still held: nothing was reset to see it.
    assert re.search(r"^SMALL Pool: 3/64 blocks", shown, re.M), shown
    assert re.search(r"^telemetry: 192 bytes", shown, re.M), shown
    status, shown = mpremote(port, "poolmap")
    assert status == 0 and re.search(r"^SMALL +\.*a[a.]*a[a.]*a\.*$", shown, re.M), shown
    assert "a telemetry" in shown
    assert "3/64" in mpremote(port, "pools")[1]


def test_a_board_without_memdiag_is_one_line_and_a_failure(emulator, mpremote):
    port = emulator("rv32").port
    assert mpremote(port, "resume", "exec", "import sys; sys.path.clear()") == (0, "")
    for name in mpremote_config.SHORTCUTS:
        line = "no memdiag in this firmware: make firmware, make flash\n"
        assert mpremote(port, name) == (1, line)


def test_leaks_are_listed_oldest_first_with_their_owners():
    program = mpremote_config.commands()["leaks"]["command"][-1]
    fake = (
        "import memdiag; memdiag.leaks = lambda: [(70, None, 9, 99000), (7, 'door', 50, 61000)]\n"
    )
    command = [machine.binary("unix"), "-c", fake + program]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["handle", "bytes", "held", "owner"],
        ["70", "9", "99", "s", "nobody"],
        ["7", "50", "61", "s", "door"],
        "2 blocks are held for longer than 60 s".split(),
    ]


@pytest.mark.parametrize("target", EMULATED)
def test_an_emulated_board_is_started_and_looked_at(target, tmp_path):
    file = tmp_path / "r.jsonl"
    status, out, err = run(
        *("--port", f"qemu:{target}", "--period", "200", "--count", "4"),
        *("--patience", str(PATIENCE_S), "--record", file, "--report", tmp_path / "o.html"),
    )
    assert status == 0, err
    assert "runs memdiag.stream() there; it interrupts what ran" in err
    samples = [one for one in read(str(file), print) if hasattr(one, "pools")]
    assert len(samples) == 4
    assert samples[0].board == machine.BOARDS[target]
    assert {name: pool["count"] for name, pool in samples[0].pools.items()} == {
        name: len(blocks) for name, blocks in samples[0].map.items()
    }
    assert samples[-1].gc["used"] > 0 and samples[-1].counts["capacity"] == 20480
    assert "<svg" in (tmp_path / "o.html").read_text()


@pytest.mark.parametrize("target", EMULATED)
def test_the_page_of_an_emulated_board_its_keys_and_its_end(target):
    async def session():
        app = View(open_source(f"qemu:{target}", 200))
        async with app.run_test(size=(120, 48)) as pilot:
            await until(pilot, lambda: app.model.samples >= 3)
            assert machine.BOARDS[target] in panel(app, "head")
            assert "0/64" in panel(app, "pools") and "XLARGE" in panel(app, "blocks")
            await pilot.press("r")
            seen = app.model.samples
            await until(pilot, lambda: app.model.samples >= seen + 2)
            # Switched off in the middle: it is started anew, and the view goes on.
            before = app.model.sample.uptime_s
            await until(pilot, lambda: app.model.sample.uptime_s >= before + 2)
            app.source.board.emulator.stop()
            await until(pilot, lambda: app.model.resets == 1)
            assert "the emulated board was switched off" in panel(app, "log")
            assert "R" in panel(app, "trend")
            await pilot.press("q")
        app.source._thread.join(PATIENCE_S)
        assert app.return_code == 0 and not app.source._thread.is_alive()

    asyncio.run(session())


def test_a_program_that_streams_by_itself_is_left_alone(emulator, mpremote):
    port = emulator("rv32").port
    program = f"{LEAK}; import memdiag; memdiag.stream(200)"
    assert mpremote(port, "resume", "exec", "--no-follow", program)[0] == 0
    status, out, err = run("--port", port, "--count", "4", "--patience", str(PATIENCE_S))
    assert status == 0, err
    assert "a program there streams by itself" in err and "interrupts" not in err
    assert out.count("SMALL 3/64") == 4
    # And again: the first view has not ended it.
    status, out, err = run("--port", port, "--count", "2", "--patience", str(PATIENCE_S))
    assert status == 0 and out.count("SMALL 3/64") == 2, err


@pytest.mark.parametrize("target", EMULATED)
def test_the_key_r_reaches_a_stream_of_the_boards_own(emulator, mpremote, watch, target):
    port = emulator(target).port
    program = f"{LEAK}; import memdiag; memdiag.stream(200)"
    assert mpremote(port, "resume", "exec", "--no-follow", program)[0] == 0
    seen = watch(port)
    seen.more(1)
    assert seen.samples[0].counts["allocs"] == 3
    seen.source.reset_statistics()
    seen.until(lambda: seen.samples[-1].counts["allocs"] == 0)
    assert seen.samples[-1].pools["SMALL"]["used"] == 3


def test_a_board_that_resets_itself_in_the_middle_is_waited_for(emulator, mpremote, watch):
    """As a board without a program of its own: after the reset nothing streams."""
    port = emulator("rv32").port
    program = "import memdiag, _platform; memdiag.stream(200, 15); _platform.reset()"
    assert mpremote(port, "resume", "exec", "--no-follow", program)[0] == 0
    seen = watch(port)
    seen.told("streams by itself")
    note = seen.told("no sample comes any more")
    assert "start the view anew" in note.text
    assert seen.source.seen_start
    seen.look(2)
    assert seen.texts().count(note.text) == 1
    assert all(one.kind != "garbage" for one in seen.notes), seen.texts()


def test_a_board_behind_a_socket(tmp_path):
    port = free_port()
    serial = f"tcp:127.0.0.1:{port},server=on,wait=off"
    command = machine.qemu_command("rv32", machine.binary("rv32"), serial=serial)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            status, out, err = run(
                *("--port", f"socket://127.0.0.1:{port}", "--period", "200"),
                *("--count", "3", "--patience", str(PATIENCE_S)),
            )
        finally:
            process.kill()
    assert status == 0 and len(out.splitlines()) == 3, err


PROGRAM = f"""
{LEAK}
import time, memdiag
from memdiag import state
state.alert.suspects = ["telemetry"]
responder = memdiag.Responder()
while True:
    responder.poll()
    time.sleep_ms(5)
"""


@pytest.fixture
def unix():
    """A program of the unix build that can be looked at; the environment with its port."""
    environment = {"MEMPOOL_LIVE_PORT": str(free_port(socket.SOCK_DGRAM))}
    process = subprocess.Popen(
        [str(machine.binary("unix")), "-c", PROGRAM], env=ENVIRONMENT | environment
    )
    yield environment
    process.kill()
    process.wait()


def test_a_leak_is_named_in_a_second_terminal(unix):
    status, out, err = run(
        *("--port", "unix", "--period", "100", "--count", "3", "--patience", str(PATIENCE_S)),
        environment=unix,
    )
    assert status == 0, err
    assert out.count("suspected leak: telemetry") == 3 and out.count("SMALL 3/64") == 3
    assert "suspected leak: telemetry" in err


def test_both_ends_have_one_port():
    command = [str(machine.binary("unix")), "-c", "from memdiag.live import PORT; print(PORT)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) == UDP_PORT


def test_noise_on_the_wire_does_not_end_a_stream():
    program = "import memdiag; memdiag.stream(100, 600)"
    command = [str(machine.binary("unix")), "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdin and process.stdout
            for noise in (b"\xff", b"\xc3", b"\0\x80"):  # no UTF-8, or the first half of it
                assert process.stdout.readline().startswith(b"\x1e{")
                process.stdin.write(noise)
                process.stdin.flush()
            for _ in range(5):
                assert process.stdout.readline().startswith(b"\x1e{")
            process.stdin.write(b"q")
            process.stdin.flush()
            assert process.wait(timeout=PATIENCE_S) == 0
        finally:
            process.kill()


def test_the_statistics_of_a_running_program_are_reset(unix, monkeypatch):
    monkeypatch.setenv("MEMPOOL_LIVE_PORT", unix["MEMPOOL_LIVE_PORT"])

    async def session():
        app = View(open_source("unix", 100))
        async with app.run_test(size=(120, 48)) as pilot:
            await until(pilot, lambda: app.model.samples >= 2)
            assert app.model.sample.counts["allocs"] == 3
            await pilot.press("r")
            await until(pilot, lambda: app.model.sample.counts["allocs"] == 0)
            assert app.model.sample.pools["SMALL"]["used"] == 3
            assert "has reset its statistics" in panel(app, "log")

    asyncio.run(session())


def test_the_cold_rooms_leak_is_seen_from_a_second_terminal(tmp_path):
    """make run LEAK=1 in one, make monitor PORT=unix in another."""
    environment = {"MEMPOOL_LIVE_PORT": str(free_port(socket.SOCK_DGRAM))}
    with subprocess.Popen(
        ["make", "--no-print-directory", "run", "LEAK=1"],
        cwd=ROOT,
        env=ENVIRONMENT | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as room:
        try:
            file = tmp_path / "r.jsonl"
            arguments = ["--port", "unix", "--period", "500", "--patience", str(PATIENCE_S)]
            with start(*arguments, "--record", file, environment=environment) as monitor:
                said = []
                for line in monitor.stderr:
                    said.append(line)
                    if "suspected leak" in line:
                        break
                for _ in range(3):  # it goes on
                    assert monitor.stdout.readline(), said
                monitor.terminate()
                _, err = monitor.communicate(timeout=PATIENCE_S)
        finally:
            os.killpg(room.pid, signal.SIGKILL)
    assert monitor.returncode == 0, (said, err)
    (name,) = set(re.findall(r"suspected leak: (\w+)$", "".join(said) + err, re.M))
    samples = [one for one in read(str(file), print) if hasattr(one, "pools")]
    named = next(one for one in samples if one.suspects)
    assert named.suspects == [name] and name in named.owners
    # Long before any pool runs dry.
    assert all(pool["failures"] == 0 for pool in named.pools.values()) and named.level == 0
    assert samples[-1].bus["published"] > samples[0].bus["published"] > 0


def test_make_shows_it_and_ctrl_c_leaves_a_recording_and_a_page(unix, tmp_path):
    command = ["make", "--no-print-directory", "monitor", "PORT=unix", "PERIOD=200", "PLAIN=1"]
    command += [f"RECORD={tmp_path}/r.jsonl", f"REPORT={tmp_path}/o.html"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=ENVIRONMENT | unix,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(4)]
        assert any("SMALL 3/64" in line for line in lines), lines
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        rest, _ = process.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in rest
    assert (tmp_path / "r.jsonl").read_text().count('"live"') >= 1
    assert "<svg" in (tmp_path / "o.html").read_text()
