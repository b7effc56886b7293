"""What a bus must do, as plainly as Python can say it: the oracle of the random tests."""

from __future__ import annotations

import dataclasses
import operator

from busconfig import BusConfig
from buslib import CRITICAL, E_EXHAUSTED, E_FULL, LISTENER, OK

HEADER = 16
BLOCK_SIZES = (32, 64, 128, 256, 512)


def matches(pattern: bytes, topic: bytes) -> bool:
    """`*` is one level; the last one is one level or more."""
    head, levels = pattern.split(b"."), topic.split(b".")
    if head[-1] == b"*":
        head.pop()
        if len(levels) <= len(head):
            return False
        levels = levels[: len(head)]
    return len(head) == len(levels) and all(
        want in (b"*", level) for want, level in zip(head, levels, strict=True)
    )


@dataclasses.dataclass(eq=False)
class Sub:
    number: int
    pattern: bytes
    lane: int
    kind: int
    depth: int = 0
    delivered: int = 0
    dropped: int = 0
    ring: list[Event] = dataclasses.field(default_factory=list)
    ring_dropped: int = 0

    @property
    def place(self) -> int:
        return self.number & 0xFF


@dataclasses.dataclass(eq=False)
class Event:
    topic: bytes
    priority: int
    payload: bytes
    seq: int
    pool: int
    subs: list[Sub]  # that were there when it was published
    lanes: set[int]  # that wait for it
    refs: int


class Model:
    def __init__(self, config: BusConfig, size: int, seq: int = 0):
        self.config = config
        self.size = size
        self.seq = seq
        self.subs: list[Sub] = []
        self.queue: list[Event] = []  # in the order of publishing
        self.used = [0] * 5
        self.published = self.delivered = self.refused = self.high_water = 0
        self.dropped = [0] * 4

    # -- blocks --

    def take(self, length: int, priority: int) -> int:
        """The pool that serves an event, or -1."""
        first = next(i for i, size in enumerate(BLOCK_SIZES) if size >= length + HEADER)
        spills = self.config.spill or priority == CRITICAL
        reserve = 0 if priority == CRITICAL else self.config.reserve
        for pool in range(first, 5) if spills else [first]:
            if self.config.counts[pool] - self.used[pool] > reserve:
                return pool
        return -1

    def let_go(self, event: Event) -> None:
        event.refs -= 1
        if event.refs == 0:
            self.used[event.pool] -= 1

    # -- in --

    def wanted(self, topic: bytes) -> list[Sub]:
        return [sub for sub in self.subs if matches(sub.pattern, topic)]

    def publish(self, topic: bytes, priority: int, payload: bytes) -> int:
        subs = self.wanted(topic)
        if not subs:
            self.published += 1
            return OK
        pool = self.take(len(payload), priority)
        if pool < 0:
            self.refused += 1
            return E_EXHAUSTED
        self.seq = (self.seq + 1) & 0xFFFFFFFF
        if len(self.queue) == self.size:
            below = [event for event in self.queue if event.priority > priority]
            if not below:
                self.refused += 1
                return E_FULL
            lowest = max(event.priority for event in below)
            self.drop(next(event for event in below if event.priority == lowest))
        lanes = {sub.lane for sub in subs}
        event = Event(topic, priority, payload, self.seq, pool, subs, lanes, len(lanes))
        self.used[pool] += 1
        self.queue.append(event)
        self.published += 1
        self.high_water = max(self.high_water, len(self.queue))
        return OK

    def drop(self, event: Event) -> None:
        """It makes way, or is cleared."""
        self.queue.remove(event)
        self.dropped[event.priority] += 1
        for sub in event.subs:
            if sub in self.subs and sub.lane in event.lanes:
                sub.dropped += 1
        for _ in event.lanes:
            self.let_go(event)

    # -- out --

    def next(self, lane: int) -> Event | None:
        """The lane's next event, with the lane's reference."""
        waiting = [event for event in self.queue if lane in event.lanes]
        if not waiting:
            return None
        event = min(waiting, key=operator.attrgetter("priority"))  # the first of the highest
        event.lanes.remove(lane)
        if not event.lanes:
            self.queue.remove(event)
        return event

    def callee(self, lane: int, event: Event, after: int) -> Sub | None:
        """The next to be called that stands behind `after` in the table; listeners get theirs."""
        for sub in sorted(self.subs, key=operator.attrgetter("place")):
            if sub.place <= after or sub.lane != lane or sub not in event.subs:
                continue
            if sub.kind == LISTENER:
                self.push(sub, event)
                continue
            sub.delivered += 1
            self.delivered += 1
            return sub
        return None

    def push(self, sub: Sub, event: Event) -> None:
        if len(sub.ring) == sub.depth:
            self.let_go(sub.ring.pop(0))
            sub.ring_dropped += 1
        sub.ring.append(event)
        event.refs += 1

    def clear(self) -> None:
        for event in list(self.queue):
            self.drop(event)

    def clear_lane(self, lane: int) -> None:
        for event in [event for event in self.queue if lane in event.lanes]:
            self.dropped[event.priority] += 1
            for sub in event.subs:
                if sub in self.subs and sub.lane == lane:
                    sub.dropped += 1
            event.lanes.remove(lane)
            if not event.lanes:
                self.queue.remove(event)
            self.let_go(event)

    def stats(self) -> dict[str, object]:
        return {
            "published": self.published,
            "delivered": self.delivered,
            "refused": self.refused,
            "high_water": self.high_water,
            "queue_free": self.size - len(self.queue),
            "dropped": self.dropped,
        }
