# Messages between modules: topics, preallocated queues of handles, and JSON that is written in
# place. A sender copies its message into a block of its own quota; from then on the handle
# travels, and whoever receives it gives the block back. Nothing here allocates from the GC heap
# after it was made.
import json

import mempool

CRITICAL, HIGH, NORMAL, LOW = range(4)

# name, priority, smallest and largest payload in bytes
TOPICS = (
    ("sensor.reading", NORMAL, 127, 157),
    ("sensor.temperature.updated", NORMAL, 28, 32),
    ("actuator.request", HIGH, 8, 8),
    ("actuator.command", NORMAL, 51, 63),
    ("actuator.emergency_stop", CRITICAL, 2, 2),
    ("system.error", HIGH, 84, 90),
    ("system.emergency_mode", HIGH, 59, 59),
    ("system.module_health", HIGH, 104, 104),
    ("wifi.state_changed", NORMAL, 51, 88),
    ("system.started", NORMAL, 51, 70),
    ("state.*", NORMAL, 20, 60),
    ("state.door", NORMAL, 20, 60),
    ("alarm.*", HIGH, 60, 110),
    ("haccp.record", LOW, 46, 46),
    ("telemetry.batch", LOW, 32, 512),
    ("telemetry.alarm", HIGH, 60, 110),
    ("telemetry.ack", HIGH, 2, 2),
)
(
    READING,
    UPDATED,
    REQUEST,
    COMMAND,
    STOP,
    ERROR,
    EMERGENCY,
    HEALTH,
    WIFI,
    STARTED,
    STATE,
    DOOR,
    ALARM,
    RECORD,
    BATCH,
    MQTT_ALARM,
    ACK,
) = range(len(TOPICS))
_BINARY = (REQUEST, RECORD, ACK)
_PRIORITY = bytes([topic[1] for topic in TOPICS])


class Mailbox:
    """Handles waiting for one module: higher priorities first, first-in-first-out within one.

    They are kept in a list, not in an array: the garbage collector is conservative and may take
    the raw words of an array for pointers, which it never does with the small ints of a list.
    """

    def __init__(self, depth):
        if depth & (depth - 1):
            raise ValueError("depth must be a power of two")
        self.depth = depth
        self.waiting = 0
        self.high_water = 0
        self._handles = [0] * (4 * depth)
        self._topics = bytearray(4 * depth)
        self._first = [0] * 4
        self._count = [0] * 4

    def put(self, topic, handle):
        """-> False where the priority's queue is full: the handle is still the sender's."""
        priority = _PRIORITY[topic]
        count = self._count[priority]
        depth = self.depth
        if count == depth:
            return False
        at = priority * depth + ((self._first[priority] + count) & (depth - 1))
        self._handles[at] = handle
        self._topics[at] = topic
        self._count[priority] = count + 1
        self.waiting += 1
        if self.waiting > self.high_water:
            self.high_water = self.waiting
        return True

    def next(self, block):
        """Gives back what `block` holds, and makes it hold the next message -> topic, or -1."""
        block.free()
        if not self.waiting:
            return -1
        priority = 0
        while not self._count[priority]:
            priority += 1
        depth = self.depth
        first = self._first[priority]
        at = priority * depth + first
        self._first[priority] = (first + 1) & (depth - 1)
        self._count[priority] -= 1
        self.waiting -= 1
        block.attach(self._handles[at])
        return self._topics[at]


class Post:
    """Knows who receives a topic, and counts."""

    def __init__(self):
        zeros = [0] * len(TOPICS)
        self.sent = list(zeros)
        self.lost = list(zeros)
        self.smallest = [0xFFFF] * len(TOPICS)
        self.largest = list(zeros)
        self._boxes = [None] * len(TOPICS)

    def route(self, topic, mailbox):
        self._boxes[topic] = mailbox

    def send(self, owner, topic, message):
        """Copies into a block of `owner` -> False where quota, pool or queue had no room."""
        size = len(message)
        handle = owner.take(size)
        if handle < 0:
            self.lost[topic] += 1
            return False
        mempool.write(handle, 0, message)
        if not self.sent[topic] & 1023 and topic not in _BINARY:
            json.loads(bytes(message))  # ValueError, which the manager reports, if it is not JSON
        return self.hand_over(topic, handle, size)

    def hand_over(self, topic, handle, size):
        """Sends a block that is filled already; where the queue is full it is given back."""
        if not self._boxes[topic].put(topic, handle):
            mempool.give(handle)
            self.lost[topic] += 1
            return False
        self.sent[topic] += 1
        if size < self.smallest[topic]:
            self.smallest[topic] = size
        if size > self.largest[topic]:
            self.largest[topic] = size
        return True


class Template:
    """A message with fields of fixed width: Template("text", width, "text" ...); buf is its bytes.

    Numbers stand right-aligned behind spaces and words left-aligned before them, as JSON allows.
    """

    def __init__(self, *parts):
        text = b""
        self._start = []
        self._end = []
        for part in parts:
            if isinstance(part, int):
                self._start.append(len(text))
                text += b" " * part
                self._end.append(len(text))
            else:
                text += part.encode()
        self.buf = bytearray(text)

    def number(self, field, value):
        self._digits(self._start[field], self._end[field], value, value < 0)

    def milli(self, field, value):
        """Thousandths, as a decimal fraction."""
        negative = value < 0
        if negative:
            value = -value
        buf = self.buf
        end = self._end[field] - 4
        buf[end] = 46
        buf[end + 1] = 48 + value // 100 % 10
        buf[end + 2] = 48 + value // 10 % 10
        buf[end + 3] = 48 + value % 10
        self._digits(self._start[field], end, value // 1000, negative)

    def start(self, field):
        """Where a field begins in the message."""
        return self._start[field]

    def read_milli(self, message, field):
        """The thousandths in a field of a message that was made from this template."""
        value = 0
        negative = False
        at = self._start[field]
        end = self._end[field]
        while at < end:
            byte = message[at]
            at += 1
            if 48 <= byte <= 57:
                value = value * 10 + byte - 48
            elif byte == 45:
                negative = True
        return -value if negative else value

    def word(self, field, text):
        buf = self.buf
        at = self._start[field]
        end = self._end[field]
        if len(text) > end - at:
            raise ValueError("field %d has no room for %r" % (field, text))
        for byte in text:
            buf[at] = byte
            at += 1
        while at < end:
            buf[at] = 32
            at += 1

    def _digits(self, start, at, value, negative):
        buf = self.buf
        if value < 0:
            value = -value
        while True:
            if at == start:
                raise ValueError("a number of this message is too wide")
            at -= 1
            buf[at] = 48 + value % 10
            value //= 10
            if not value:
                break
        if negative:
            if at == start:
                raise ValueError("a number of this message is too wide")
            at -= 1
            buf[at] = 45
        while at > start:
            at -= 1
            buf[at] = 32
