# What C publishes is checked as everything else is: topics, priorities, CBOR.
import time

import _platform
import mempool
from eventbus import bus

got = []
sub = bus.subscribe("c.*", lambda event: got.append(event.data))
publish = _platform.publish
for payload in (b"\x01", b"\xa1aa\x83\x01\x02\xf6", b"\x63abc", b"\xf9\x3c\x00", b""):
    assert publish("c.x", 2, payload) == 0, payload
for payload in (
    b"\xff",
    b"\x18",
    b"\xc1\x01",
    b"\x01\x01",
    b"\x81\x81\x81\x81\x81\x01",
    b"\x61\xff",
    b"\xa1\x01\x01",
):
    assert publish("c.x", 2, payload) < 0, payload
for topic in ("", "a..b", "a.*", "x" * 64):
    assert publish(topic, 2, b"\x01") < 0
assert publish("c.x", 4, b"\x01") < 0 and publish("c.x", -1, b"\x01") < 0
assert publish("c.x", 2, b"\x59\x01\xee" + bytes(494)) < 0
assert publish("c.x", 2, b"\x59\x01\xed" + bytes(493)) == 0
deadline = time.ticks_add(time.ticks_ms(), 60000)
while len(got) < 6 and time.ticks_diff(deadline, time.ticks_ms()) > 0:
    time.sleep_ms(1)
assert got == [1, {"a": [1, 2, None]}, "abc", 1.0, None, bytes(493)], got
sub.cancel()
assert mempool.stats().used == 0 and mempool.check() == 0
