"""The bus's core as Python sees it: eventbus_core.h by cffi, read from the headers as shipped.

As with corelib.Core, a library that is loaded anew is a device that was just switched on. It is
built with the fake port: `fake.us` is the clock, and nothing runs unless the test calls it.
"""

from __future__ import annotations

import functools
import re
import subprocess
import tempfile
from pathlib import Path

import busbuild
import cffi
import corebuild
from busconfig import BusConfig, fake_library

PYTHON, TASK = 0, 1
CALLBACK, LISTENER = 2, 3
CRITICAL, HIGH, NORMAL, LOW = range(4)
OK, E_FULL, E_EXHAUSTED, E_TOPIC, E_TOPICS, E_PAYLOAD, E_SIZE, E_PRIORITY = range(0, -8, -1)
E_SUBSCRIBERS, E_STALE, E_TASK = -8, -9, -10
MAX_PAYLOAD = 496

FAKE = """
typedef struct {
    uint32_t us, woken, later, more, rung, paused;
    bool in_task, no_task;
    bool (*start)(void);
} fake_t;
extern unsigned mempool_port_depth;
typedef struct {
    uint32_t depth, waiting, dropped;
    mempool_handle_t ring[8];
} fake_listener_t;
extern fake_t fake;
void fake_bell(void);
mempool_handle_t fake_push(const eventbus_item_t *item, void *ctx);
"""


def declarations(config: BusConfig) -> str:
    """The headers without comments, directives and what cffi's parser does not know."""
    with tempfile.TemporaryDirectory() as folder:
        # In place of the compiler's own headers, and of the ports, which are code.
        for name in ("stdbool.h", "stddef.h", "stdint.h", "eventbus_port.h"):
            (Path(folder) / name).touch()
        (Path(folder) / "sdkconfig.h").write_text(config.header())
        command = ["gcc", "-E", "-P", "-nostdinc", "-undef", f"-I{folder}"]
        command += [f"-I{path}" for path in (corebuild.MODULE / "include", *busbuild.INCLUDES)]
        command += ["-include", str(busbuild.MODULE / "core" / "eventbus_core.h")]
        command.append(str(busbuild.MODULE / "include" / "eventbus_source.h"))
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    text = re.sub(r"_Static_assert\(.*?\);", "", text, flags=re.DOTALL)
    text = re.sub(r"static inline [^{]*\{.*?\n\}", "", text, flags=re.DOTALL)
    return text + FAKE


@functools.cache
def interface(config: BusConfig) -> cffi.FFI:
    ffi = cffi.FFI()
    ffi.cdef(declarations(config))
    return ffi


class Bus:
    """The default bus of one configuration, and shorthands that turn C results into values."""

    def __init__(self, config: BusConfig, no_task: bool = False, begin: bool = True):
        self.config = config
        self.ffi, self.lib = self.load()
        assert self.lib.fake.us == 0, "the library was not unloaded"
        self.lib.fake.us = 1_000_000
        self.alive: list[object] = []  # what C has the address of
        self.lib.fake.no_task = no_task
        self.begun = self.lib.eventbus_init() if begin else None
        self.core = self.ffi.addressof(self.lib, "eventbus_default")

    def load(self):
        """(its FFI, its library)"""
        ffi = interface(self.config)
        return ffi, ffi.dlopen(str(fake_library(self.config)))

    def close(self) -> None:
        """Once or more often."""
        if self.lib is not None:
            assert self.lib.mempool_port_depth == 0, "a call left the lock on"
            self.ffi.dlclose(self.lib)
            self.lib = None

    def __enter__(self) -> Bus:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def resize(self, size: int) -> None:
        """The default bus anew, with another number of slots."""
        slots = self.ffi.new("eventbus_slot_t[]", size)
        self.alive.append(slots)
        self.lib.eventbus_open(self.core, slots, size)

    # -- publishing --

    def topic(self, name: bytes) -> int:
        return self.lib.eventbus_topic(name)

    def publish(self, topic: bytes | int, priority: int, payload: bytes = b"") -> int:
        data = payload if payload else self.ffi.NULL
        # An enum's values wrap, so that bad ones can be passed.
        priority = self.ffi.cast("eventbus_priority_t", priority & 0xFFFFFFFF)
        if isinstance(topic, int):
            return self.lib.eventbus_publish_from_isr(topic, priority, data, len(payload))
        return self.lib.eventbus_publish(topic, priority, data, len(payload))

    # -- subscribing --

    def open(self, pattern: bytes, lane: int, kind: int = CALLBACK, **more: object) -> int:
        text = self.ffi.new("char[]", pattern)
        self.alive.append(text)
        want = self.ffi.new("eventbus_want_t *", dict(lane=lane, kind=kind, **more))
        want.pattern, want.length = text, len(pattern)
        return self.lib.eventbus_sub_open(self.core, want)

    def subscribe(self, pattern: bytes, lane: int, kind: int = CALLBACK, **more: object) -> int:
        number = self.open(pattern, lane, kind, **more)
        if number > 0:
            self.lib.eventbus_sub_begin(self.core, number, kind)
        return number

    def unsubscribe(self, number: int) -> tuple[int, int] | int:
        """The last counts (delivered, dropped), or the status."""
        out = self.ffi.new("eventbus_counts_t *")
        status = self.lib.eventbus_sub_close(self.core, number, out)
        return status if status else (out.delivered, out.dropped)

    def counts(self, number: int) -> tuple[int, int] | int:
        out = self.ffi.new("eventbus_counts_t *")
        status = self.lib.eventbus_sub_counts(self.core, number, out)
        return status if status else (out.delivered, out.dropped)

    # -- delivering --

    def next(self, lane: int):
        """The next event of a lane as an eventbus_item_t, or None."""
        item = self.ffi.new("eventbus_item_t *")
        return item if self.lib.eventbus_next(self.core, lane, item) else None

    def callees(self, lane: int, item):
        """The subscriptions that are called with it, one by one."""
        callee = self.ffi.new("eventbus_callee_t *")
        while self.lib.eventbus_next_callee(self.core, lane, item, callee):
            yield callee.subscription

    def payload(self, item) -> bytes:
        return bytes(self.ffi.buffer(item.data, item.header.length))

    def drain(self, lane: int) -> list[tuple[bytes, list[int]]]:
        """Delivers all that waits -> payloads, and who was called with each."""
        done = []
        while item := self.next(lane):
            done.append((self.payload(item), list(self.callees(lane, item))))
            self.lib.eventbus_release(item.handle)
        return done

    # -- seeing --

    def stats(self) -> dict[str, object]:
        out = self.ffi.new("eventbus_stats_t *")
        self.lib.eventbus_read_stats(self.core, out)
        plain = "published delivered refused high_water queue_free".split()
        return {name: getattr(out, name) for name in plain} | {"dropped": list(out.dropped)}

    def latency(self) -> tuple[int, int]:
        out = self.ffi.new("eventbus_stats_t *")
        self.lib.eventbus_read_stats(self.core, out)
        return out.latency_max_us, out.latency_mean_us

    def used(self) -> list[int]:
        """Blocks in use, pool by pool."""
        out = self.ffi.new("mempool_pool_info_t *")
        used = []
        for pool in range(5):
            self.lib.mempool_pool_info(pool, out)
            used.append(out.used)
        return used
