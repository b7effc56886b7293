"""What the design promises of the bus's core and the other tests do not ask."""

from __future__ import annotations

from busconfig import SMALL
from buslib import E_STALE, NORMAL, OK, TASK, Bus


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


def test_the_number_of_a_subscription_comes_round_after_all_its_bits():
    """2^23 - 1 generations of a place, the last ones by hand; only then is the first obeyed."""
    with Bus(SMALL) as bus:
        first = bus.open(b"a", TASK)
        place = (first & 0xFF) - 1
        assert first == 1 << 8 | place + 1
        assert bus.unsubscribe(first) == (0, 0)
        bus.core.subs[place].generation = (1 << 23) - 3
        for generation in ((1 << 23) - 2, (1 << 23) - 1):
            number = bus.open(b"a", TASK)
            assert number == generation << 8 | place + 1
            assert 0 < number < 1 << 31
            assert bus.counts(first) == bus.unsubscribe(first) == E_STALE
            assert bus.counts(number) == bus.unsubscribe(number) == (0, 0)
        assert bus.open(b"a", TASK) == first
        assert bus.unsubscribe(first) == (0, 0)
