"""The core as Python sees it: the functions of mempool.h by cffi, read from the header as shipped.

A library holds one set of pools in static memory. `fresh()` unloads and loads it again, which
gives the state of a device that was just switched on.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
import tempfile
from pathlib import Path

import cffi
import corebuild as build

# MEMPOOL_TESTS=long makes the random tests about twenty times longer: for a night.
LONG = os.environ.get("MEMPOOL_TESTS") == "long"
SCALE = 20 if LONG else 1

STATS = (
    "capacity used free peak utilization allocs frees failures spills reclaimed refused denied"
    " heap_used requested waste largest_free level"
).split()


@functools.cache
def declarations(header: Path = build.MODULE / "include" / "mempool.h") -> str:
    """A header without comments, directives and inline functions, as cffi's parser wants it."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("stdbool.h", "stddef.h", "stdint.h"):
            (Path(folder) / name).touch()
        command = ["gcc", "-E", "-P", "-nostdinc", f"-I{folder}"]
        command.append(str(header))
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    text = re.sub(r"^static inline [^{]*\{.*?^\}", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"\n+", "\n", text)


@functools.cache
def interface() -> cffi.FFI:
    """One FFI for all libraries: their types are the same."""
    ffi = cffi.FFI()
    ffi.cdef(declarations())
    ffi.cdef("extern uint32_t mempool_port_host_tick;")
    ffi.cdef("extern unsigned mempool_port_depth;")
    return ffi


class Core:
    """One configuration's library, and shorthands that turn C results into plain values."""

    def __init__(self, config: build.Config, flags: tuple[str, ...] = ("-O2",)):
        self.config = config
        self.path = str(build.library(config, flags))
        self.ffi = interface()
        self.lib = None

    def fresh(self, *, init: bool = True) -> Core:
        """Pools as after power-on."""
        self.close()
        self.lib = self.ffi.dlopen(self.path)
        assert self.tick == 0, "the library was not unloaded"
        self.tick = 1
        if init:
            self.lib.mempool_init()
        return self

    def close(self) -> None:
        if self.lib is not None:
            assert self.lib.mempool_port_depth == 0, "a call left the lock on"
            self.ffi.dlclose(self.lib)
            self.lib = None

    def stats(self, pool: int | None = None) -> dict[str, int]:
        out = self.ffi.new("mempool_stats_t *")
        if pool is None:
            self.lib.mempool_stats(out)
        else:
            assert self.lib.mempool_pool_stats(pool, out) == self.lib.MEMPOOL_OK
        return {name: getattr(out, name) for name in STATS}

    def pool_info(self, pool: int) -> tuple[str, int, int, int, int, int]:
        out = self.ffi.new("mempool_pool_info_t *")
        assert self.lib.mempool_pool_info(pool, out) == self.lib.MEMPOOL_OK
        name = self.ffi.string(out.name).decode()
        return name, out.block_size, out.count, out.reserve, out.used, out.peak

    def inspect(self, handle: int) -> tuple[int, ...] | int:
        """(address, size, capacity, pool, owner, python), or the status."""
        out = self.ffi.new("mempool_block_t *")
        status = self.lib.mempool_inspect(handle, out)
        if status != self.lib.MEMPOOL_OK:
            return status
        address = int(self.ffi.cast("uintptr_t", out.data))
        return address, out.size, out.capacity, out.pool, out.owner, bool(out.python)

    def owner_open(self, name: bytes, quota: int, flags: int = 0) -> int:
        return self.lib.mempool_owner_open(name, len(name), quota, flags)

    def owner_info(self, owner: int) -> tuple[bytes, int, int, int, int] | int:
        out = self.ffi.new("mempool_owner_info_t *")
        status = self.lib.mempool_owner_info(owner, out)
        if status != self.lib.MEMPOOL_OK:
            return status
        return self.ffi.string(out.name), out.quota, out.used, out.peak, out.denied

    def data(self, handle: int) -> int:
        return int(self.ffi.cast("uintptr_t", self.lib.mempool_data(handle)))

    def pointer(self, address: int):
        return self.ffi.cast("void *", address)

    def alloc(self, size: int) -> int:
        return int(self.ffi.cast("uintptr_t", self.lib.mempool_alloc(size)))

    def free(self, address: int) -> int:
        return self.lib.mempool_free(self.pointer(address))

    def handle_of(self, address: int) -> int:
        return self.lib.mempool_handle_of(self.pointer(address))

    def write(self, handle: int, offset: int, data: bytes, length: int | None = None) -> int:
        length = len(data) if length is None else length
        return self.lib.mempool_write(handle, offset, self.ffi.from_buffer(data), length)

    def read(self, handle: int, offset: int, length: int) -> bytes | int:
        room = self.ffi.new("char[]", max(1, min(length, 4096)))
        got = self.lib.mempool_read(handle, offset, room, length)
        return got if got < 0 else bytes(self.ffi.buffer(room, got))

    def payload(self, handle: int, size: int):
        """The block's memory, to read and to write behind the core's back."""
        return self.ffi.buffer(self.lib.mempool_data(handle), size)

    def leaks(self, min_age_ms: int, entries: int) -> list[tuple[int, int, int, int]]:
        out = self.ffi.new("mempool_leak_t[]", max(1, entries))
        n = self.lib.mempool_leaks(min_age_ms, out, entries)
        assert n <= entries
        return [(e.handle, e.owner, e.size, e.age_ms) for e in out[0:n]]

    def trace(self, entries: int = 2048) -> list[tuple[int, int, int, int, int]]:
        out = self.ffi.new("mempool_trace_t[]", max(1, entries))
        n = self.lib.mempool_trace(out, entries)
        assert n <= entries
        return [(e.what, e.handle, e.size, e.owner, e.ticks) for e in out[0:n]]

    def edges(self) -> list[tuple[int, int]]:
        """The pressure edges that were not told yet."""
        pool = self.ffi.new("unsigned *")
        level = self.ffi.new("mempool_level_t *")
        told = []
        while self.lib.mempool_pressure_next(pool, level):
            told.append((pool[0], int(level[0])))
            assert len(told) < 100, "pressure_next does not end"
        return told

    @property
    def tick(self) -> int:
        return self.lib.mempool_port_host_tick

    @tick.setter
    def tick(self, value: int) -> None:
        self.lib.mempool_port_host_tick = value & 0xFFFFFFFF


_cores: dict[build.Config, Core] = {}


def core_of(config: build.Config) -> Core:
    """The library of `config`, loaded anew."""
    if config not in _cores:
        _cores[config] = Core(config)
    return _cores[config].fresh()
