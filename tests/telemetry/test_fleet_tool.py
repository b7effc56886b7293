"""tools/fleet.py with a real broker: what devices say is scraped, and faults get one line each."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from broker import Broker, topic
from console import die_with_parent
from paho.mqtt.enums import CallbackAPIVersion
from ports import free_port
from test_fleet_devices import state
from waiting import PATIENCE_S, wait_for

TOOL = Path(__file__).resolve().parents[2] / "tools" / "fleet.py"


def as_a_terminal_does():
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's job in the background ignores it


class Tool:
    def __init__(self, *arguments):
        self.http = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-u", str(TOOL), "--http", f"127.0.0.1:{self.http}", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=as_a_terminal_does,
        )

    def scrape(self):
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.http}/metrics", timeout=PATIENCE_S
            ) as page:
                return page.read().decode()
        except OSError:  # it does not serve yet
            return ""

    def end(self):
        self.process.terminate()
        return self.process.communicate(timeout=PATIENCE_S)[0]


@pytest.fixture
def tool():
    started = []

    def start(*arguments):
        started.append(Tool(*arguments))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def publish(port, *messages):
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for name, payload in messages:
        told = client.publish(name, payload, 1)
        told.wait_for_publish(PATIENCE_S)
        assert told.is_published()
    client.disconnect()
    client.loop_stop()


def test_metrics_of_a_fleet(broker, tool):
    fleet = tool("--broker", f"127.0.0.1:{broker.port}")
    wait_for(lambda: "mempool_fleet_broker_connected 1.0" in fleet.scrape())
    publish(
        broker.port,
        *[(topic(f"room-{n}"), state(used=n)) for n in range(20)],
        (topic(), b"garbage"),
        (topic(), b"\xff" * 100_000),
    )
    last = 'mempool_fleet_garbage_total{fault="too_long"} 1.0'
    page = wait_for(lambda: last in (page := fleet.scrape()) and page, shown=fleet.scrape)
    assert "mempool_fleet_devices 20.0" in page
    assert 'mempool_used_bytes{device="room-7",tenant="acme"} 7.0' in page
    assert 'mempool_fleet_garbage_total{fault="not_json"} 1.0' in page


def test_what_a_real_device_says_is_taken(broker, tool, device):
    """Both ends of the messages: memdiag.Telemetry made them, nothing of them is garbage."""
    fleet = tool("--broker", f"127.0.0.1:{broker.port}")
    wait_for(lambda: "mempool_fleet_broker_connected 1.0" in fleet.scrape())
    room = device(broker.port, "room-9")
    room.ask("event memory.critical MEDIUM")
    labels = 'device="room-9",tenant="acme"'
    alert = 'mempool_alerts_total{device="room-9",level="critical",tenant="acme"} 1.0'
    wait_for(lambda: alert in fleet.scrape(), shown=fleet.scrape)
    wait_for(lambda: f"mempool_capacity_bytes{{{labels}}} 20480.0" in fleet.scrape())
    page = fleet.scrape()
    assert f"mempool_up{{{labels}}} 1.0" in page
    faults = re.findall(r"^mempool_fleet_garbage_total\{.*\} (.*)$", page, re.M)
    assert len(faults) == 5 and set(faults) == {"0.0"}, page
    room.kill()
    wait_for(lambda: f"mempool_up{{{labels}}} 0.0" in fleet.scrape())


def test_a_broker_that_comes_goes_and_comes(tmp_path, tool):
    broker = Broker(tmp_path)
    fleet = tool("--broker", f"127.0.0.1:{broker.port}")
    wait_for(lambda: "mempool_fleet_broker_connected 0.0" in fleet.scrape())
    for life in range(2):
        broker.start()
        wait_for(lambda: "mempool_fleet_broker_connected 1.0" in fleet.scrape())
        publish(broker.port, (topic(), state(life + 1, 10 * life + 10)))
        wait_for(
            lambda life=life: (
                f'mempool_messages_total{{device="room-1",tenant="acme"}} '
                f"{life + 1}.0" in fleet.scrape()
            )
        )
        broker.kill()
        wait_for(lambda: "mempool_fleet_broker_connected 0.0" in fleet.scrape())
    said = fleet.end()
    assert "no broker at 127.0.0.1" in said and "is gone" in said, said
    assert "Traceback" not in said and said.count("\n") < 10, said


def test_a_broker_that_refuses(tmp_path, tool):
    broker = Broker(tmp_path)
    broker.start(anonymous=False)
    fleet = tool("--broker", f"127.0.0.1:{broker.port}")
    wait_for(lambda: broker.log().count("not authorised") >= 3, shown=broker.log)
    assert "mempool_fleet_broker_connected 0.0" in fleet.scrape()
    said = fleet.end()
    broker.kill()
    assert said.count("refuses") == 1 and "Traceback" not in said, said


def refused(*arguments):
    command = [sys.executable, str(TOOL), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--broker", "host:port"], "'host:port' is not host:port"),
        (["--broker", "h", "--tenant", "a/b"], "one level"),
        (["--broker", "h", "--http", ":0"], "is not host:port"),
        (["--broker", "h", "--http", "9464"], "HTTP: '9464' is not host:port"),
        (["--broker", "h", "--http", "a..b:1"], "HTTP: 'a..b:1' is not host:port"),
        (["--broker", ""], "BROKER: '' is not host:port"),
        (["--broker", "mqtt://h:1883"], "BROKER: 'mqtt://h:1883' is not host:port"),
        (["--broker", "a b"], "'a b' is not host:port"),
        (["--broker", "a..b"], "'a..b' is not host:port"),
        (["--broker", "h:\N{SUPERSCRIPT TWO}"], "is not host:port"),
        (["--broker", "h:65536"], "a port is 1 to 65535"),
        (["--broker", "h", "--tenant", "a+b"], "TENANT=a+b is not one level"),
        (["--broker", "h", "--devices", "0"], "--devices 0: at least 1"),
    ],
)
def test_bad_arguments_are_one_line(arguments, part):
    done = refused(*arguments)
    assert done.returncode == 2 and part in done.stderr and done.stderr.count("\n") == 1


def test_ctrl_c_ends_it_without_a_word(broker, tool):
    fleet = tool("--broker", f"127.0.0.1:{broker.port}")
    wait_for(lambda: "mempool_fleet_broker_connected 1.0" in fleet.scrape())
    fleet.process.send_signal(signal.SIGINT)
    said = fleet.process.communicate(timeout=PATIENCE_S)[0]
    assert fleet.process.returncode == 0 and said.count("\n") == 2, said


def test_a_port_that_is_taken(broker):
    done = refused("--broker", "h", "--http", f"127.0.0.1:{broker.port}")
    assert done.returncode == 1 and "cannot serve" in done.stderr, done.stderr
    assert "choose another by HTTP=host:port" in done.stderr and done.stderr.count("\n") == 1
