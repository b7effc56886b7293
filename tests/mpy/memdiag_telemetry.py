# Telemetry with a client that only publishes: states, alerts, answers, and the backlog of a broker
# that is away. Nothing is lost without being counted, nothing comes twice.
# timeout: 120
import gc
import json
import time as system

import memdiag.mqttlink as mqttlink
import memdiag.telemetry
import mempool
from eventbus import bus
from memdiag import Telemetry
from memdiag.state import alert

mqttlink.FIRST_PAUSE_MS = 10
mqttlink.LONGEST_PAUSE_MS = 40
ROOT = "modesp/v1/acme/room-1/memory"


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
    """Keeps what it took; raises `fault` where there is one, before or after it took a message."""

    def __init__(self):
        self.got = []
        self.fault = None
        self.after = False
        self.attempts = 0

    def publish(self, topic, msg, retain, qos):
        self.attempts += 1
        if self.fault and not self.after:
            raise self.fault
        self.got.append((bytes(topic).decode(), bytes(msg), retain, qos))
        if self.fault:
            raise self.fault

    def take(self, end):
        found = [json.loads(m) for t, m, _, _ in self.got if t == ROOT + end]
        self.got = [entry for entry in self.got if entry[0] != ROOT + end]
        return found


def make(client, period_s=100, **more):
    more.setdefault("discovery", "")
    return Telemetry(client, ROOT, period_s, **more)


def raises(error, call, *args, **kw):
    try:
        call(*args, **kw)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s %s" % (error.__name__, args, kw))


def deliver():
    while bus.process():
        pass


def ticks(telemetry, count=1, pause_ms=0):
    for _ in range(count):
        telemetry.tick()
        if pause_ms:
            time.sleep_ms(pause_ms)


# Arguments.
for topic in ("", "/", "a/#", "a/+/b", "/a", "a/", "a\0b"):
    assert "topic" in raises(ValueError, Telemetry, Client(), topic)
assert raises(ValueError, make, Client(), discovery="home/#").startswith("discovery must not")
raises(ValueError, make, Client(), 0)
raises(ValueError, make, Client(), timeout_s=0)
raises(ValueError, make, Client(), qos=2)
assert "127" in raises(ValueError, make, Client(), quota=127)
for client in (None, object(), print):
    assert raises(TypeError, make, client).startswith("client must have publish()")
for topic in (None, 5, b"a/b"):
    assert "topic must be a str" in raises(TypeError, Telemetry, Client(), topic)
WRONG = "owner ready on_connect bus name discovery quota qos longest"
for wrong in WRONG.split():
    assert wrong in raises(TypeError, make, Client(), **{wrong: 5.5})
for wrong in (0, -1, 518401, float("nan"), float("inf")):
    assert "period_s must be above 0" in raises(ValueError, make, Client(), wrong)
assert "timeout_s must be a number" in raises(TypeError, make, Client(), timeout_s=None)
assert "1..65536 bytes, not 0" in raises(ValueError, make, Client(), longest=0)
# A loop that has a bound of its own: the blocks that the bus's listener holds are not ours.
assert mempool.stats().used == 0

# A state: the figures are those of the pools.
client = Client()
telemetry = make(client)
held = [mempool.alloc(100), mempool.alloc(20)]
telemetry.tick()
stats = mempool.stats()
(state,) = client.take("/state")
assert not client.got and telemetry.sent == 1 and telemetry.queued == 0
assert state["seq"] == 1 and state["capacity"] == stats.capacity
# Its own block was not there yet when it looked.
assert state["used"] == 128 + 32 and state["waste"] == 40, state
assert state["utilization"] == 160 * 100 // stats.capacity and state["fragmentation"] == 25
assert state["level"] == mempool.LEVEL_NORMAL and state["check"] == 0
assert state["pools"] == [1, 0, 1, 0, 0] and state["suspects"] == [] and state["dropped"] == 0
assert state["largest_free"] == 512 and state["period_s"] == 100 and state["gc_free"] > 0
for field in ("uptime_s", "late_s", "peak", "allocs", "failures", "refused", "reclaimed"):
    assert isinstance(state[field], int), field
assert 0 <= mempool.uptime_s() - state["uptime_s"] <= 60 and state["late_s"] <= 60
for block in held:
    block.free()
ticks(telemetry, 20)
assert telemetry.sent == 1  # none is due
telemetry.close()
assert mempool.stats().used == 0

# Its period, which neither drifts nor catches up.
client = Client()
telemetry = make(client, 0.05)
begin = time.ticks_ms()
while time.ticks_diff(time.ticks_ms(), begin) < 520:
    telemetry.tick()
    time.sleep_ms(3)
assert len(client.got) == 11, len(client.got)
time.sleep_ms(300)
ticks(telemetry, 3)
assert len(client.got) == 12, len(client.got)
telemetry.close()

# Levels and suspects; a retained edge of quality 1, and the state that belongs to it.
client = Client()
telemetry = make(client)
telemetry.tick()
client.got = []
bus.publish("memory.low", pool="MEDIUM")
bus.publish("memory.suspect", owner='a "name"')
bus.publish("memory.other", pool="MEDIUM")  # not ours
bus.publish("memory.critical")
deliver()
ticks(telemetry, 6)
assert [entry[2:] for entry in client.got] == [(True, 1)] * 3 + [(False, 1)], client.got
alerts = client.take("/alert")
assert [(a["level"], a["name"], a["what"]) for a in alerts] == [
    (1, "low", "MEDIUM"),
    (3, "suspect", 'a "name"'),
    (2, "critical", ""),
], alerts
assert [a["seq"] for a in alerts] == [2, 3, 4] and client.take("/state")[0]["seq"] == 5
assert all(a["suspects"] == [] for a in alerts)
telemetry.close()
bus.publish("memory.low", pool="MEDIUM")
deliver()
assert mempool.stats().used == 0

# Names of suspects come with the state of their time; more than there is room for are cut.
client = Client()
telemetry = make(client, bus=None)
alert.suspects = ["sensor", "logger"]
telemetry.sample()
alert.suspects = ["owner-%09d" % n for n in range(8)]
time.sleep_ms(2)
telemetry._due = time.ticks_ms()
telemetry.sample()
alert.suspects = []
ticks(telemetry, 2)
first, second = client.take("/state")
assert first["suspects"] == ["sensor", "logger"]
assert second["suspects"] == ["owner-%09d" % n for n in range(3)], second
telemetry.close()

# The broker is away: all waits, in order, and comes once each; attempts have pauses between.
client = Client()
telemetry = make(client, 0.02)
client.fault = OSError(104)
begin = time.ticks_ms()
while telemetry._seq < 12:
    telemetry.tick()
    time.sleep_ms(1)
took = time.ticks_diff(time.ticks_ms(), begin)
assert 4 <= client.attempts <= 4 + took // 40, (client.attempts, took)
assert telemetry.sent == 0 and telemetry.queued == 12 and not telemetry.connected
assert telemetry.errors == client.attempts and telemetry.last_error is client.fault
telemetry._due = time.ticks_add(time.ticks_ms(), 100000)
client.fault = None
time.sleep_ms(100)
ticks(telemetry, 20)
states = client.take("/state")
assert [state["seq"] for state in states] == list(range(1, 13)), states
assert telemetry.sent == 12 and telemetry.queued == telemetry.dropped == 0
assert telemetry.reconnects == 0 or telemetry.reconnects <= client.attempts
telemetry.close()

# Faults of other kinds are no more than that, too.
for fault in (ValueError("x"), AssertionError(), MemoryError("m"), IndexError(), AttributeError()):
    client = Client()
    telemetry = make(client)
    client.fault = fault
    telemetry.tick()
    assert telemetry.last_error is fault and telemetry.queued == 1 and telemetry.sent == 0
    client.fault = None
    time.sleep_ms(30)
    telemetry.tick()
    assert telemetry.sent == 1 and len(client.got) == 1
    telemetry.close()


# An acknowledgement that was lost: sent again, as quality 1 is, under the same number.
client = Client()
telemetry = make(client)
client.fault, client.after = OSError(110), True
telemetry.tick()
assert len(client.got) == 1 and telemetry.sent == 0 and telemetry.queued == 1
client.fault = None
time.sleep_ms(30)
telemetry.tick()
assert [s["seq"] for s in client.take("/state")] == [1, 1] and telemetry.sent == 1
telemetry.close()

# Full: the oldest state makes way, alerts stay, all is counted: seq = sent + queued + dropped.
client = Client()
telemetry = make(client, 0.001, quota=512)
client.fault = OSError(104)
bus.publish("memory.low", pool="TINY")
deliver()
while telemetry._seq < 41:
    telemetry.tick()
    time.sleep_ms(1)
assert telemetry._backlog.owner.used <= 512
queued = telemetry.queued
assert telemetry.dropped == telemetry._seq - queued and 7 <= queued <= 8, telemetry.queued
assert mempool.stats().used == telemetry._backlog.owner.used
last = telemetry._seq
telemetry._due = time.ticks_add(time.ticks_ms(), 100000)
client.fault = None
time.sleep_ms(100)
ticks(telemetry, 30)
(edge,) = client.take("/alert")
states = client.take("/state")
assert edge["seq"] == 1 and edge["level"] == 1
assert [s["seq"] for s in states] == list(range(last - queued + 2, last + 1)), states
assert telemetry.sent + telemetry.dropped == last and telemetry.queued == 0
assert states[-1]["dropped"] == telemetry.dropped
telemetry.close()

# Nothing but alerts: the oldest of them makes way for a new one, and a state for none.
client = Client()
telemetry = make(client, quota=128)
client.fault = OSError(104)
for n in range(7):
    bus.publish("memory.low", pool="P%d" % n)
    deliver()
    telemetry.sample()
assert telemetry.queued == 4 and telemetry.dropped == telemetry._seq - 4
client.fault = None
time.sleep_ms(60)
ticks(telemetry, 10)
assert [a["what"] for a in client.take("/alert")] == ["P3", "P4", "P5", "P6"]
telemetry.close()

# The pools are empty: an alert goes out all the same, in the place of a state of ours.
client = Client()
telemetry = make(client, bus=bus)
client.fault = OSError(104)
telemetry.sample()
assert telemetry.queued == 1
bus.publish("memory.critical", pool="TINY")
deliver()
greedy = []
for pool in mempool.pools():
    while True:
        try:
            greedy.append(pool.alloc())
        except MemoryError:
            break
greedy.append(telemetry._events)  # the event's block is the bus's until it is read
telemetry.sample()
assert telemetry.queued >= 1
client.fault = None
time.sleep_ms(60)
ticks(telemetry, 5)
(edge,) = client.take("/alert")
assert edge["what"] == "TINY" and edge["level"] == 2
assert telemetry.sent + telemetry.dropped + telemetry.queued == telemetry._seq
greedy.pop()
for block in greedy:
    block.free()
telemetry.close()
assert mempool.stats().used == 0

# Commands: answered one a step, once each; a late broker gets them later.
client = Client()
telemetry = make(client)
telemetry.tick()
telemetry.command(b"leaks")
ticks(telemetry, 3)
(answer,) = client.take("/response")
assert list(answer) == ["leaks"] and telemetry.answered == 1
client.fault = OSError(104)
telemetry.command(b"report")
telemetry.command(bytearray(b"reset_stats"))
ticks(telemetry, 5)
assert telemetry.answered == 1
client.fault = None
time.sleep_ms(60)
ticks(telemetry, 5)
assert [list(a)[0] for a in client.take("/response")] == ["report", "reset_stats"]
# Garbage and what is too long: an answer that says so.
for payload, part in (
    (b"", "unknown"),
    (b"frobnicate", "frobnicate"),
    (b'"\\', "unknown"),
    (b"x" * 33, "33 bytes"),
    (b"\0" * 1000, "1000 bytes"),
):
    telemetry.command(payload)
    ticks(telemetry, 2)
    (answer,) = client.take("/response")
    assert part in answer["error"], answer
telemetry.command(b"\xff\xfe\x80")
ticks(telemetry, 2)
(answer,) = client.take("/response")
assert "error" in answer
telemetry.command(b"", 70000)  # one that the link read past
ticks(telemetry, 2)
assert "70000" in client.take("/response")[0]["error"]
# A flood: so many wait, the others are counted.
for _ in range(1000):
    telemetry.command(b"leaks")
assert telemetry.refused == 996
ticks(telemetry, 10)
assert len(client.take("/response")) == 4 and telemetry.answered == 14, telemetry.answered
telemetry.close()

# Not ready: no attempt is made.
client = Client()
ready = [False]
telemetry = make(client, ready=lambda: ready[0])
ticks(telemetry, 5)
assert client.attempts == 0 and telemetry.queued == 1 and telemetry.errors == 0
ready[0] = True
ticks(telemetry, 2)
assert telemetry.sent == 1 and telemetry.connected
ready[0] = False
telemetry.tick()
assert not telemetry.connected
telemetry.close()


# A coroutine is no publish() that tick() could wait for.
class Later:
    def publish(self, topic, msg, retain, qos):
        yield


telemetry = make(Later())
assert "run()" in raises(TypeError, telemetry.tick)
telemetry.close()

# In a steady state looking takes no GC heap, and telling little.
client = Client()
client.publish = lambda topic, msg, retain, qos: None
telemetry = make(client, 1)


def periods(telemetry, count):
    """GC bytes of each half, the most of a period."""
    sampled = pumped = 0
    for _ in range(count):
        telemetry._due = time.ticks_ms()
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        telemetry.sample()
        between = gc.mem_alloc()
        telemetry.pump()
        after = gc.mem_alloc()
        gc.enable()
        sampled = max(sampled, between - before)
        pumped = max(pumped, after - between)
    return sampled, pumped


periods(telemetry, 3)
sampled, pumped = periods(telemetry, 20)
print("GC bytes of a period: sample", sampled, "pump", pumped)
assert sampled == 0, sampled
assert pumped <= 64, pumped
telemetry.close()

assert mempool.stats().used == 0 and mempool.check() == 0


# One that is closed takes no block and sends nothing, whoever still calls it.
client = Client()
telemetry = make(client, 0.001)
ticks(telemetry, 2, 5)
telemetry.close()
sent = telemetry.sent
client.got.clear()
ticks(telemetry, 3, 5)
telemetry.command("report")
telemetry.tick()
assert not client.got and telemetry.sent == sent and telemetry.queued == 0
assert mempool.stats().used == 0, mempool.leaks(0)


# A client that calls back into tick() within publish(): a record is sent once.
class Nested(Client):
    def publish(self, *message):
        telemetry.tick()
        return Client.publish(self, *message)


client = Nested()
telemetry = make(client)
telemetry.tick()
assert telemetry.sent == 1 and telemetry.queued == 0, (telemetry.sent, telemetry.queued)
telemetry.close()
assert mempool.stats().used == 0 and mempool.check() == 0


# One that is closed within publish(): what was on its way is dropped, and not sent as well.
class Closing(Client):
    def publish(self, *message):
        telemetry.close()


telemetry = make(Closing())
telemetry.sample()
assert telemetry.queued == 1
telemetry.pump()
assert (telemetry.sent, telemetry.queued, telemetry.dropped) == (0, 0, 1)
assert mempool.stats().used == 0 and mempool.check() == 0
