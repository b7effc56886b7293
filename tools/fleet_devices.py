"""What a fleet said last: messages of memdiag.Telemetry become a bounded table of devices.

Nothing that comes on the wire is fatal: what is no message of ours is counted, by its fault.
"""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

# What devices publish below, as a subscription for a tenant (or +), and one message's topic.
PATTERN = "modesp/v1/{tenant}/+/memory/#"
TOPIC = re.compile(r"^modesp/v1/([^/]+)/([^/]+)/memory/(state|alert|availability|response)$")
POOLS = ("TINY", "SMALL", "MEDIUM", "LARGE", "XLARGE")
# An alert's, by number; a state has the first three.
LEVELS = ("normal", "low", "critical", "suspect")
# A state's numbers, all of them there and none negative.
NUMBERS = (
    "seq",
    "uptime_s",
    "late_s",
    "level",
    "capacity",
    "used",
    "peak",
    "utilization",
    "waste",
    "fragmentation",
    "largest_free",
    "allocs",
    "failures",
    "refused",
    "reclaimed",
    "denied",
    "check",
    "gc_free",
    "period_s",
    "dropped",
    "reconnects",
)
LONGEST_PAYLOAD = 4096
LONGEST_NAME = 64
SUSPECTS = 8
STALE_PERIODS = 3
STALE_LEAST_S = 30.0
FORGET_S = 24 * 3600.0


@dataclass
class Device:
    state: dict | None = None
    seen: float | None = None  # of its last state, by our clock
    heard: float = 0.0  # of its last message of any kind
    online: bool | None = None  # what its availability topic says
    seq: int = 0
    messages: int = 0
    alerts: Counter = field(default_factory=Counter)
    lost: int = 0
    repeated: int = 0
    restarts: int = 0
    uptime: int = -1

    def stale_after(self):
        return max(STALE_LEAST_S, STALE_PERIODS * (self.state or {}).get("period_s", 0))

    def up(self, now):
        if self.seen is None or self.online is False:
            return False
        return now - self.seen <= self.stale_after()


FAULTS = ("topic", "too_long", "not_json", "no_object", "bad_field")


class Garbage(Exception):
    """One of FAULTS, as it is counted."""


def is_number(value):
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return good and math.isfinite(value) and 0 <= value <= 2**53


def parsed(payload):
    if len(payload) > LONGEST_PAYLOAD:
        raise Garbage("too_long")
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError):
        raise Garbage("not_json") from None
    if not isinstance(message, dict):
        raise Garbage("no_object")
    return message


def checked_names(names):
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise Garbage("bad_field")
    return [name[:LONGEST_NAME] for name in names[:SUSPECTS]]


def checked_state(message) -> dict:
    pools = message.get("pools")
    if not all(is_number(message.get(key)) for key in NUMBERS):
        raise Garbage("bad_field")
    if not isinstance(pools, list) or len(pools) != len(POOLS) or not all(map(is_number, pools)):
        raise Garbage("bad_field")
    if message["level"] not in range(len(LEVELS) - 1):
        raise Garbage("bad_field")
    state = {key: message[key] for key in NUMBERS}
    return state | {"pools": pools, "suspects": checked_names(message.get("suspects"))}


def checked_alert(message) -> dict:
    if not all(is_number(message.get(key)) for key in ("seq", "uptime_s")):
        raise Garbage("bad_field")
    if message.get("level") not in range(len(LEVELS)):
        raise Garbage("bad_field")
    return {"seq": message["seq"], "uptime_s": message["uptime_s"], "level": message["level"]}


class Fleet:
    """Thread-safe: the broker's thread takes messages, scrapes read."""

    def __init__(self, most=2000, clock=time.monotonic):
        self.most = most
        self.clock = clock
        self.devices: dict[tuple[str, str], Device] = {}
        self.garbage: Counter = Counter()
        self.messages = 0
        self.bytes = 0
        self.not_taken = 0  # messages of devices beyond `most`
        self.forgotten = 0
        self.connected = False
        self.lock = threading.Lock()

    def take(self, topic, payload, retained=False):
        """One message. `retained`: the broker kept it, so it says nothing of now."""
        with self.lock:
            self.messages += 1
            self.bytes += len(topic) + len(payload)
            try:
                self._take(topic, payload, retained)
            except Garbage as fault:
                self.garbage[str(fault)] += 1

    def _take(self, topic, payload, retained):
        match = TOPIC.match(topic)
        if not match or len(match[1]) > LONGEST_NAME or len(match[2]) > LONGEST_NAME:
            raise Garbage("topic")
        kind = match[3]
        if kind == "response":
            return
        message: dict | None = None
        if kind == "state":
            message = checked_state(parsed(payload))
        elif kind == "alert":
            message = checked_alert(parsed(payload))
        elif payload not in (b"online", b"offline"):
            raise Garbage("bad_field")
        device = self._device(match[1], match[2])
        if device is None:
            self.not_taken += 1
            return
        now = self.clock()
        device.heard = now
        if message is None:
            device.online = payload == b"online"
            return
        if retained:
            return
        device.messages += 1
        if self._numbered(device, message):
            if kind == "alert":
                device.alerts[LEVELS[int(message["level"])]] += 1
            # What waited on the device while the broker was away is older than what we have.
            elif device.state is None or message["uptime_s"] >= device.state["uptime_s"]:
                device.state = message
        if kind == "state":
            device.seen = now

    def _device(self, tenant, name):
        device = self.devices.get((tenant, name))
        if device is None and len(self.devices) < self.most:
            device = self.devices[tenant, name] = Device()
        return device

    def _numbered(self, device, message):
        """Follows the numbers of a device's records: False for one that came before."""
        seq, uptime = message["seq"], message["uptime_s"]
        if seq <= device.seq and uptime < device.uptime:
            device.restarts += 1
            device.state = None
            device.seq = seq - 1
        elif seq <= device.seq:
            device.repeated += 1
            return False
        elif device.seq:
            device.lost += seq - device.seq - 1
        device.seq = seq
        device.uptime = uptime
        return True

    def forget(self):
        """Lets go of who has said nothing for a day."""
        with self.lock:
            now = self.clock()
            for key, device in list(self.devices.items()):
                if now - device.heard > FORGET_S:
                    del self.devices[key]
                    self.forgotten += 1
