"""What the design promises of the bus's core and the other tests do not ask."""

from __future__ import annotations

from busconfig import SMALL
from buslib import NORMAL, OK, TASK, Bus


def test_names_of_topics_are_copied():
    """Whoever names a topic may use the memory of the name for something else."""
    with Bus(SMALL) as bus:
        sub = bus.subscribe(b"pump.*", TASK)
        name = bus.ffi.new("char[]", b"pump.hot")
        number = bus.lib.eventbus_topic(name)
        assert number > 0
        bus.ffi.memmove(name, b"xxxxxxxx", 8)
        length = bus.ffi.new("size_t *")
        kept = bus.lib.eventbus_topic_name(number, length)
        assert bus.ffi.string(kept) == b"pump.hot" and length[0] == 8
        assert bus.topic(b"pump.hot") == number
        assert bus.topic(b"xxxxxxxx") != number
        assert bus.publish(number, NORMAL) == OK
        assert bus.drain(TASK) == [(b"\xf6", [sub])]
