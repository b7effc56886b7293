# The way to the broker with a client in umqtt's shape, without a network: connecting, the last
# will, what comes in, keep-alive, growing pauses, and what umqtt.robust would do by itself.
import time as system

import memdiag.mqttlink as mqttlink
import memdiag.telemetry
import mempool
from memdiag import Telemetry

mqttlink.FIRST_PAUSE_MS = 20
mqttlink.LONGEST_PAUSE_MS = 80
ROOT = "modesp/v1/acme/room-1/memory"
COMMAND = ROOT.encode() + b"/command"


class Clock:
    """Time passes where a test says so, and nowhere else; soon it wraps."""

    def __init__(self):
        self.ticks_add = system.ticks_add
        self.ticks_diff = system.ticks_diff
        self.now = system.ticks_add(0, -200)

    def ticks_ms(self):
        return self.now

    def sleep_ms(self, ms):
        self.now = self.ticks_add(self.now, ms)


time = memdiag.telemetry.time = mqttlink.time = Clock()


class Client:
    def __init__(self):
        self.log = []
        self.messages = []
        self.lw_topic = self.lw_msg = self.cb = None
        self.keepalive = 0
        self.fault = None

    def set_callback(self, callback):
        self.cb = callback

    def set_last_will(self, topic, msg, retain=False, qos=0):
        self.lw_topic = topic
        self.log.append(("will", topic, msg, retain, qos))

    def connect(self):
        self.log.append(("connect",))
        if self.fault:
            raise self.fault

    def subscribe(self, topic, qos=0):
        self.log.append(("subscribe", topic, qos))

    def publish(self, topic, msg, retain, qos):
        self.log.append(("publish", topic, bytes(msg), retain, qos))

    def check_msg(self):
        if self.messages:
            self.cb(*self.messages.pop(0))
            return 0x30

    def ping(self):
        self.log.append(("ping",))

    def count(self, what):
        return sum(1 for entry in self.log if entry[0] == what)


def make(client, **more):
    more.setdefault("discovery", "")
    return Telemetry(client, ROOT, 100, bus=None, **more)


# In this order, one network step a tick.
client = Client()
connected = []
telemetry = make(client, on_connect=lambda: connected.append(len(client.log)))
assert client.log == [("will", ROOT.encode() + b"/availability", b"offline", True, 1)]
telemetry.tick()
assert client.log[1:3] == [("connect",), ("subscribe", COMMAND, 1)] and connected == [3]
assert client.log[3:] == [("publish", ROOT.encode() + b"/availability", b"online", True, 1)]
telemetry.tick()
assert client.log[4][1] == ROOT.encode() + b"/state" and client.log[4][3:] == (False, 1)
assert telemetry.connected and telemetry.reconnects == 0

# What comes in is taken a few at a time, and answered.
client.messages = [(COMMAND, b"leaks")] * 10
telemetry.tick()
assert len(client.messages) == 6, client.messages
for _ in range(12):
    telemetry.tick()
assert not client.messages and telemetry.answered + telemetry.refused == 10
assert client.count("publish") == 2 + telemetry.answered

# A connection that breaks is made anew, after a pause, and says again that it is there.
client.log = []


def broken(topic, msg, retain, qos):
    raise OSError(104)


client.publish = broken
telemetry.command(b"leaks")
telemetry.tick()
telemetry.tick()
assert not telemetry.connected and telemetry.errors == 1
telemetry.tick()
assert client.count("connect") == 0  # not yet
del client.publish
time.sleep_ms(60)
telemetry.tick()
assert client.log[:2] == [("connect",), ("subscribe", COMMAND, 1)] and connected == [3, 2]
assert client.log[2][1].endswith(b"/availability") and telemetry.reconnects == 1
telemetry.tick()
assert client.log[3][1].endswith(b"/response")
telemetry.close()

# Pauses grow to the longest: in a second of trying there are few attempts.
client = Client()
client.fault = OSError(113)
telemetry = make(client)
begin = time.ticks_ms()
while time.ticks_diff(time.ticks_ms(), begin) < 600:
    telemetry.tick()
    time.sleep_ms(1)
attempts = client.count("connect")
assert 5 <= attempts <= 12 and telemetry.errors == attempts, attempts
client.fault = None
time.sleep_ms(150)
telemetry.tick()
assert telemetry.connected and client.count("connect") == attempts + 1
telemetry.close()


# umqtt.robust connects in a loop of its own, with sleeps, wherever something fails.
class Robust(Client):
    def reconnect(self):
        raise SystemExit("a loop that waits for the broker")

    def publish(self, topic, msg, retain, qos):
        while True:
            if not self.fault:
                return super().publish(topic, msg, retain, qos)
            self.reconnect()

    def check_msg(self):
        if self.fault:
            self.reconnect()


client = Robust()
telemetry = make(client)
telemetry.tick()
client.fault = OSError(104)
telemetry.tick()
assert not telemetry.connected and telemetry.queued == 1
client.fault = None
time.sleep_ms(60)
telemetry.tick()
telemetry.tick()
assert telemetry.sent == 1
telemetry.close()

# Keep-alive: a ping in every half of it, where nothing else is said.
client = Client()
client.keepalive = 0.1
telemetry = make(client)
begin = time.ticks_ms()
while time.ticks_diff(time.ticks_ms(), begin) < 480:
    telemetry.tick()
    time.sleep_ms(1)
assert 5 <= client.count("ping") <= 9, client.count("ping")
telemetry.close()

# The program's own callback and will stay its own.
client = Client()
own = []
client.cb = lambda topic, msg: own.append((topic, msg))
client.lw_topic = b"mine"
telemetry = make(client)
assert not client.log
client.messages = [(b"other/topic", b"1"), (COMMAND, b"leaks"), (b"other/topic", b"2")]
for _ in range(4):
    telemetry.tick()
assert own == [(b"other/topic", b"1"), (b"other/topic", b"2")] and telemetry.answered == 1
assert not any(e[0] == "publish" and e[1].endswith(b"availability") for e in client.log)
telemetry.close()


# A socket that the client may make blocking has an end to every wait, and what is too long for the
# heap is read past.
class Sock:
    def __init__(self, data=b""):
        self.log = []
        self.data = data

    def settimeout(self, seconds):
        self.log.append(seconds)

    def setblocking(self, flag):
        self.log.append(flag)

    def setsockopt(self, *option):
        self.log.append(option)

    def read(self, size):
        data, self.data = self.data[:size], self.data[size:]
        return data

    def write(self, *data):
        pass

    def close(self):
        pass


raw = Sock(b"x" * 1030)
sock = mqttlink.Socket(raw, 2, 1024)
assert raw.log == [(6, 1, 1), 2], raw.log
sock.setblocking(False)
sock.setblocking(True)
assert raw.log[2:] == [False, 2]
assert sock.read(6) == b"xxxxxx" and sock.skipped == 0
raw.data += b"y" * 301 + b"end"
assert sock.read(1325) == b"" and sock.skipped == 1325 and sock.read(3) == b"end"
assert sock.read(2000) == b""  # it ended before that
try:
    sock.read(70000)
    raise SystemExit("70000 bytes read past")
except OSError as error:
    assert "70000" in str(error)


class Deaf(Client):
    def __init__(self, data):
        super().__init__()
        self.sock = Sock(data)

    def connect(self, clean, timeout):
        assert clean is True and timeout == 1
        self.log.append(("connect",))

    def check_msg(self):
        if self.sock._sock.data:
            self.cb(COMMAND, self.sock.read(5000))
            return 0x30


client = Deaf(b"z" * 5000)
telemetry = make(client)
for _ in range(5):
    telemetry.tick()
(answer,) = [e for e in client.log if e[0] == "publish" and e[1].endswith(b"/response")]
assert b"5000 bytes" in answer[2], answer
telemetry.close()
assert mempool.stats().used == 0
