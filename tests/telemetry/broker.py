"""What the telemetry's tests stand on: mosquitto on loopback, a wire to it that can be cut, a
watcher, and a device: the unix firmware that runs a loop with memdiag.Telemetry."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import machine
import paho.mqtt.client as mqtt
from console import die_with_parent
from paho.mqtt.enums import CallbackAPIVersion
from ports import free_port
from waiting import PATIENCE_S, wait_for

HERE = Path(__file__).resolve().parent
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous {open}
persistence false
max_queued_messages 0
max_connections -1
log_type error
log_type warning
log_type notice
"""


def topic(device="room-1", kind="state", tenant="acme"):
    """As room.py and docs/telemetry.md have it."""
    return f"modesp/v1/{tenant}/{device}/memory/{kind}"


class Broker:
    """mosquitto with a port that stays the same over its lives."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen | None = None

    def start(self, anonymous=True):
        config = self.folder / "mosquitto.conf"
        config.write_text(CONFIG.format(port=self.port, open=str(anonymous).lower()))
        assert MOSQUITTO, "mosquitto is missing: run python3 tools/packages.py test"
        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "mosquitto.log").open("ab"),
            preexec_fn=die_with_parent,
        )
        wait_for(self._answers, shown=self.log)

    def log(self):
        return (self.folder / "mosquitto.log").read_text()

    def _answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), PATIENCE_S).close()
        except OSError:
            return False
        return True

    def kill(self):
        """At once, with whatever is on the wire."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def cpu_seconds(self):
        assert self.process
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Watcher:
    """Everything that is published below a topic, as (topic, payload, retained)."""

    def __init__(self, port, topic="#"):
        self.got: list[tuple[str, bytes, bool]] = []
        self._subscribed = threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, clean_session=True)
        self.client.on_message = lambda client, data, message: self.got.append(
            (message.topic, message.payload, message.retain)
        )
        self.client.on_subscribe = lambda *arguments: self._subscribed.set()
        self.client.on_connect = lambda *arguments: self.client.subscribe(topic, 1)
        self.client.reconnect_delay_set(1, 1)
        self.client.max_inflight_messages_set(1000)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self._subscribed.wait(PATIENCE_S)

    def payloads(self, end):
        return [json.loads(payload) for topic, payload, _ in list(self.got) if topic.endswith(end)]

    def numbers(self):
        """Of the records of room-1, in the order in which they came; one may come again."""
        records = (topic(kind="state"), topic(kind="alert"))
        came = list(self.got)
        return [
            json.loads(what)["seq"] for name, what, kept in came if name in records and not kept
        ]

    def say(self, topic, payload, retain=False):
        self.client.publish(topic, payload, 1, retain)

    def settled(self):
        """All that the broker had before this call has come: what it is told last comes last."""
        mark = f"settled/{len(self.got)}"
        self.say(mark, b"")
        wait_for(lambda: any(name == mark for name, _, _ in list(self.got)))

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class Wire:
    """A TCP connection's way to the broker. `limit`: after so many bytes from the device it is
    cut; `deaf`: nothing comes back."""

    def __init__(self, port):
        self.limit: int | None = None
        self.deaf = False
        self.carried = 0
        self._to = port
        self._open: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near):
        far = None
        try:
            far = socket.create_connection(("127.0.0.1", self._to), PATIENCE_S)
            self._open += [near, far]
            with selectors.DefaultSelector() as selector:
                selector.register(near, selectors.EVENT_READ, far)
                selector.register(far, selectors.EVENT_READ, near)
                while self._pass(selector, near):
                    pass
        except OSError:
            pass
        finally:
            near.close()
            if far:
                far.close()

    def _pass(self, selector, near):
        for key, _ in selector.select(1):
            data = key.fileobj.recv(4096)
            if not data:
                return False
            if key.fileobj is near:
                if self.limit is not None:
                    data = data[: self.limit]
                    self.limit -= len(data)
                self.carried += len(data)
                key.data.sendall(data)
                if self.limit == 0:
                    self.limit = None
                    return False
            elif not self.deaf:
                key.data.sendall(data)
        return True

    def close(self):
        self._server.close()
        for sock in self._open:
            sock.close()


class Device:
    """room.py, which see."""

    def __init__(self, port, name="room-1", period_s=0.1, quota=2048, client="small", keepalive=0):
        paths = [str(HERE / "device"), ".frozen"]
        if os.environ.get("MEMPOOL_UMQTT"):
            paths.insert(0, os.environ["MEMPOOL_UMQTT"])
        self.process = subprocess.Popen(
            [
                str(machine.binary("unix")),
                str(HERE / "device" / "room.py"),
                *map(str, (client, port, name, period_s, quota, keepalive)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(os.environ, MICROPYPATH=":".join(paths)),
            text=True,
            bufsize=1,
            preexec_fn=die_with_parent,
        )

    def ask(self, line="stats"):
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(line + "\n")
        answer = self.process.stdout.readline()
        try:
            return json.loads(answer)
        except ValueError:
            raise AssertionError(answer + self.process.stdout.read()) from None

    def balanced(self):
        """Every record that was made is sent, waiting or dropped; and the pools are sound."""
        stats = self.ask()
        assert stats["made"] == stats["sent"] + stats["queued"] + stats["dropped"], stats
        assert stats["check"] == 0
        return stats

    def quit(self):
        assert self.process.stdin and self.process.stdout
        if self.process.poll() is None:
            self.process.stdin.write("quit\n")
        rest = self.process.stdout.read()
        assert self.process.wait(PATIENCE_S) == 0, rest

    def kill(self):
        self.process.kill()
        self.process.wait()
